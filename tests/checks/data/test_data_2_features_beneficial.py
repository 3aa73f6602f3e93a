"""data.2: useful, useless and unknown features are kept apart, and every leak from its healthy look-alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

FEATURES = ("speed", "load", "heat", "city")
USELESS = "features shown useless"
TWINS = "holdout rows with an exact twin in training"
SAME_KEY = "holdout rows that training holds under the same key"
EARLIER = "holdout rows from before the end of training"
ENTITIES = "holdout rows of an entity that training holds"
ALONE = "quality of one feature alone"
ENCODED = "features that hold the labels of the rows they describe"


def rows(n: int, seed: int, start: str = "2024-01-01", first: int = 0) -> pd.DataFrame:
    """Rows whose outcome depends on each of four features."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=list(FEATURES[:3]))
    frame["city"] = rng.choice(["Ulm", "Köln", "Trier"], n)
    signal = 0.8 * frame["speed"] - 0.9 * frame["load"] + 0.7 * frame["heat"] + frame["city"].map(len) * 0.9
    noisy = signal + rng.logistic(size=n)
    frame["value"] = 50 + 3 * signal + rng.normal(size=n)
    frame["late"] = (noisy > np.quantile(noisy, 0.7)).astype(int)
    frame["grade"] = np.array(["a", "b", "c"])[np.digitize(noisy, np.quantile(noisy, [0.4, 0.75]))]
    frame["at"] = pd.Timestamp(start) + pd.to_timedelta(np.arange(n) * 10, unit="min")
    frame["id"] = first + np.arange(n)
    return frame


def both(n: int = 4_000, m: int = 4_000) -> tuple[pd.DataFrame, pd.DataFrame]:
    return rows(n, 1), rows(m, 2, "2024-06-01", first=n)


def pipeline(estimator):
    texts = make_column_selector(dtype_exclude="number")
    numbers = make_column_selector(dtype_include="number")
    return make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), texts), (StandardScaler(), numbers)), estimator
    )


def system(training, holdout, features=FEATURES, label="late", estimator=None, **roles) -> dict:
    """A model trained on the training rows, and both datasets."""
    fitted = pipeline(LogisticRegression() if estimator is None else estimator).fit(
        training[list(features)], training[label]
    )
    given = {"key": ("id",), "time": "at"} | roles
    made = {"model": as_model(fitted)}
    for name, frame in (("training", training), ("holdout", holdout)):
        made[name] = open_dataset(name, frame, Roles(label=label, features=tuple(features), **given))
    return made


def judged(made: dict, **options) -> CheckResult:
    return run_check("data.2", prove=False, options=options, **made)


def failed(result: CheckResult) -> set[str]:
    assert result.state != "error", result.reason
    return {one.name for one in result.findings if one.verdict == "failed" and not one.advisory}


def finding(result: CheckResult, name: str):
    return next(one for one in result.findings if one.name == name)


def states(result: CheckResult) -> dict[str, str]:
    return {row[0]: row[-1] for row in result.details[0].data["rows"]}


@pytest.mark.parametrize(
    ("label", "estimator", "faults"), [("late", None, 5), ("value", Ridge(), 5), ("grade", LogisticRegression(), 4)]
)
def test_a_sound_system_passes_and_every_planted_fault_is_caught(label, estimator, faults):
    result = run_check("data.2", **system(*both(), label=label, estimator=estimator))
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert len(result.proof.faults) == faults
    assert set(states(result).values()) == {"useful"}


def test_the_verdict_repeats_itself():
    made = system(*both(1_500, 1_500))
    assert judged(made).findings == judged(made).findings


def with_noise(frames, count: int):
    rng = np.random.default_rng(3)
    return [frame.assign(**{f"noise{i}": rng.normal(size=len(frame)) for i in range(count)}) for frame in frames]


def test_noise_that_the_model_learned_is_useless_and_named():
    names = (*FEATURES, "noise0", "noise1")
    result = judged(system(*with_noise(both(20_000, 20_000), 2), names))
    assert failed(result) == {USELESS}
    assert "noise0" in finding(result, USELESS).cause
    assert states(result)["noise1"] == "useless"


def test_one_useless_feature_is_tolerated_unless_none_is_allowed():
    # In one of forty such pairs chance makes noise seem useful: not in this one.
    drawn = rows(20_000, 10), rows(20_000, 100, "2024-06-01", first=20_000)
    made = system(*with_noise(drawn, 1), (*FEATURES, "noise0"))
    assert judged(made).state == "passed"
    assert failed(judged(made, allowed=0.0)) == {USELESS}


def test_weak_features_among_few_rows_are_unknown_and_the_rows_that_would_settle_are_told():
    names = (*FEATURES, "noise0", "noise1")
    result = judged(system(*with_noise(both(1_200, 1_200), 2), names))
    assert result.state == "inconclusive"
    assert {states(result)["noise0"], states(result)["noise1"]} == {"unknown"}
    assert finding(result, USELESS).n_to_settle > 1_200


def weak(n: int, seed: int, count: int, first: int, start: str, weight: float = 0.08) -> pd.DataFrame:
    """Rows with a strong feature and many of which each alone brings next to nothing, and all together much."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, count)), columns=[f"weak{i}" for i in range(count)])
    frame["speed"] = rng.normal(size=n)
    signal = 1.5 * frame["speed"] + weight * frame.filter(like="weak").sum(axis=1)
    frame["late"] = (signal + rng.logistic(size=n) > 0).astype(int)
    frame["at"] = pd.Timestamp(start) + pd.to_timedelta(np.arange(n), unit="min")
    return frame.assign(id=first + np.arange(n))


def test_many_small_benefits_that_add_up_are_not_called_useless():
    frames = weak(30_000, 1, 20, 0, "2024-01-01"), weak(30_000, 2, 20, 10**6, "2024-06-01")
    names = ("speed", *(f"weak{i}" for i in range(20)))
    result = judged(system(*frames, names))
    assert USELESS not in failed(result)


@pytest.mark.parametrize("estimator", [LogisticRegression(), RandomForestClassifier(30, min_samples_leaf=20, n_jobs=1)])
@pytest.mark.parametrize("associated", [0.7, 1.0])
def test_useful_twins_are_never_both_useless(estimator, associated):
    frames = [frame.assign(fahrenheit=frame["heat"] * 1.8 + 32, where=frame["city"].str.upper()) for frame in both()]
    result = judged(system(*frames, (*FEATURES, "fahrenheit", "where"), estimator=estimator), associated=associated)
    found = states(result)
    assert USELESS not in failed(result)
    if associated < 1:
        assert {"heat, fahrenheit", "city, where"} <= set(found)
        assert set(found.values()) == {"useful"}


def test_declared_groups_are_judged_as_one():
    result = judged(system(*both()), groups=(("speed", "heat"),))
    assert "speed, heat" in states(result)


@pytest.mark.parametrize("groups", [(("sped",),), (("speed",), ("speed", "heat"))])
def test_a_group_that_makes_no_sense_is_an_error_that_names_the_feature(groups):
    result = judged(system(*both(1_500, 1_500)), groups=groups)
    assert result.state == "error"
    assert "'speed'" in result.reason


def test_features_that_stand_still_since_training_are_useless_even_in_a_group():
    training, holdout = both()
    result = judged(system(training, holdout.assign(load=1.0, heat=0.0)), groups=(("speed", "load"),))
    assert failed(result) == {USELESS}
    assert finding(result, USELESS).cause == "load, heat"


def test_rare_flags_that_were_quiet_by_chance_are_not_called_useless():
    training, holdout = both()
    flags = {name: (np.arange(4_000) % 2_000 == 7).astype(float) for name in ("fair", "strike")}
    made = system(training.assign(**flags), holdout.assign(fair=0.0, strike=0.0), (*FEATURES, "fair", "strike"))
    result = judged(made)
    assert failed(result) == set()
    assert states(result)["fair"] == "unknown"


def test_a_model_whose_scores_are_not_finite_decides_nothing_of_benefit():
    made = system(*both())
    broken = made["model"].replace(lambda frame: np.where(frame["heat"] > 2, np.nan, made["model"].predict(frame)))
    result = judged({**made, "model": broken})
    assert (result.state, failed(result)) == ("inconclusive", set())


@pytest.mark.parametrize("n", [30, 100, 300])
def test_few_rows_decide_nothing(n):
    result = judged(system(*both(n, n)))
    assert (result.state, failed(result)) == ("inconclusive", set())
    assert finding(result, USELESS).n_to_settle == 1_000


def test_rows_copied_from_the_holdout_fail_under_their_key_and_without_it():
    training, holdout = both()
    leaky = pd.concat([training, holdout[::50]], ignore_index=True)
    assert {TWINS, SAME_KEY} <= failed(judged(system(leaky, holdout)))
    renamed = pd.concat([training, holdout[::50].assign(id=lambda frame: frame["id"] + 10**6)], ignore_index=True)
    again = failed(judged(system(renamed, holdout)))
    assert (TWINS in again, SAME_KEY in again) == (True, False)


def test_rows_that_coincide_because_there_are_few_values_do_not_fail():
    def coarse(frame):
        return frame.assign(**{name: frame[name].clip(-1, 1).round() for name in FEATURES[:3]})

    training, holdout = map(coarse, both())
    result = judged(system(training, holdout))
    assert finding(result, TWINS).value > 0.9
    assert failed(result) == set()


def test_row_numbers_that_begin_anew_on_each_side_do_not_fail():
    training, holdout = both()
    result = judged(system(training, holdout.assign(id=training["id"])))
    assert (result.state, finding(result, SAME_KEY).value) == ("passed", 0)
    coarse = [frame.assign(**{name: (frame[name] > 0) * 1.0 for name in FEATURES[:3]}) for frame in (training, holdout)]
    again = judged(system(coarse[0], coarse[1].assign(id=training["id"])))
    assert finding(again, SAME_KEY).value > 0.01
    assert failed(again) == set()


def test_the_same_rows_in_other_types_are_found():
    training, holdout = both()
    leaky = pd.concat([training, holdout[::40]], ignore_index=True).astype({"speed": "float32", "city": "category"})
    assert {TWINS, SAME_KEY} <= failed(judged(system(leaky, holdout)))


def test_a_random_split_fails_and_the_end_of_training_is_named():
    mixed = rows(8_000, 1).sample(frac=1, random_state=0)
    result = judged(system(mixed[:4_000], mixed[4_000:]))
    assert failed(result) == {EARLIER}
    assert "2024-02-2" in finding(result, EARLIER).note
    assert judged(system(mixed[:4_000], mixed[4_000:]), time_order=False).state == "passed"


def test_a_wrong_clock_and_a_short_overlap_do_not_fail():
    training, holdout = both()
    training.loc[[5, 9], "at"] = pd.Timestamp("2099-01-01")
    holdout.loc[:20, "at"] = pd.Timestamp("2024-01-25")
    assert failed(judged(system(training, holdout))) == set()


def test_times_as_texts_and_as_numbers_are_compared_too():
    mixed = rows(4_000, 1).sample(frac=1, random_state=0)
    for column in (mixed["at"].astype(str), mixed["at"].astype("int64") / 1e9):
        frame = mixed.assign(at=column)
        assert EARLIER in failed(judged(system(frame[:2_000], frame[2_000:])))


def test_entities_on_both_sides_fail_only_where_no_time_separates_them():
    training, holdout = (frame.assign(user=frame.index % 800) for frame in both())
    assert judged(system(training, holdout, cluster="user")).state == "passed"
    timeless = system(training, holdout, cluster="user", time="", ignore=("at",))
    assert failed(judged(timeless)) == {ENTITIES}
    assert judged(timeless, known_entities=True).state == "passed"
    apart = system(training, holdout.assign(user=holdout["user"] + 800), cluster="user", time="", ignore=("at",))
    assert judged(apart).state == "passed"


def test_a_feature_known_only_with_the_outcome_fails_and_a_strong_one_does_not():
    def given(noise: float):
        rng = np.random.default_rng(4)
        return [frame.assign(hint=frame["late"] + noise * rng.normal(size=len(frame))) for frame in both()]

    leaky = judged(system(*given(0.15), (*FEATURES, "hint")))
    assert ALONE in failed(leaky)
    assert finding(leaky, ALONE).where == "hint"
    strong = judged(system(*given(0.45), (*FEATURES, "hint")))
    assert finding(strong, ALONE).value > 0.92
    assert failed(strong) == set()


def test_a_category_that_is_the_outcome_in_words_fails():
    frames = [frame.assign(status=np.where(frame["late"] == 1, "refunded", "closed")) for frame in both()]
    assert ALONE in failed(judged(system(*frames, (*FEATURES, "status"))))


def test_a_series_whose_last_value_says_nearly_all_does_not_fail():
    frames = both()
    for frame in frames:
        frame["last"] = frame["value"] + 0.13 * frame["value"].std() * np.random.default_rng(5).normal(size=len(frame))
    result = judged(system(*frames, (*FEATURES, "last"), "value", Ridge()))
    assert finding(result, ALONE).value > 0.97
    assert ALONE not in failed(result)


def encoded(per_group: int, fit: str, smoothing: float = 0.0):
    """Both sides with the mean label of a code: of all rows, of training rows, or of rows that nobody has."""
    training, holdout = both(6_000, 6_000)
    rng = np.random.default_rng(6)
    whole = pd.concat([training, holdout], ignore_index=True)
    whole["code"] = rng.integers(6_000 // per_group, size=len(whole))
    past = pd.DataFrame({"late": rng.integers(0, 2, 12_000), "code": rng.integers(6_000 // per_group, size=12_000)})
    seen = {"all": whole, "training": whole[:6_000], "past": past}[fit]
    sums = seen.groupby("code")["late"].agg(["sum", "count"])
    means = (sums["sum"] + smoothing * 0.3) / (sums["count"] + smoothing)
    whole["rate"] = whole["code"].map(means).fillna(0.3)
    return whole[:6_000], whole[6_000:].reset_index(drop=True)


@pytest.mark.parametrize(
    ("per_group", "fit", "smoothing", "leaks"),
    [
        (30, "all", 0, True),
        (30, "all", 10, True),
        (400, "all", 0, True),
        (10, "training", 0, True),
        (500, "training", 0, False),
        (30, "past", 0, False),
    ],
)
def test_means_of_labels_are_told_from_rates_of_the_past(per_group, fit, smoothing, leaks):
    result = judged(system(*encoded(per_group, fit, smoothing), (*FEATURES, "rate")))
    assert (ENCODED in failed(result)) is leaks
    if leaks:
        assert "rate: mean labels" in finding(result, ENCODED).cause


def test_an_encoding_out_of_fold_does_not_fail():
    training, holdout = encoded(30, "past")
    fold = np.arange(len(training)) % 5
    for one in range(5):
        means = training[fold != one].groupby("code")["late"].mean()
        training.loc[fold == one, "rate"] = training.loc[fold == one, "code"].map(means).fillna(0.3)
    holdout["rate"] = holdout["code"].map(training.groupby("code")["late"].mean()).fillna(0.3)
    assert ENCODED not in failed(judged(system(training, holdout, (*FEATURES, "rate"))))


def test_missing_values_outliers_and_clusters_do_no_harm():
    frames = [frame.assign(user=frame.index // 4) for frame in both()]
    for number, frame in enumerate(frames):
        frame.loc[::7, "city"] = None
        frame["user"] += 10**6 * number
    frames[1].loc[3, "load"] = 1e9
    made = system(*frames, cluster="user")
    assert failed(judged(made)) == set()


def test_a_missing_holdout_is_not_offered():
    made = system(*both(100, 100))
    assert run_check("data.2", model=made["model"], training=made["training"]).state == "not_offered"


def test_a_missing_label_role_is_not_offered_and_says_where_to_name_it():
    made = system(*both(100, 100))
    unlabelled = open_dataset("holdout", rows(100, 2), Roles(features=FEATURES))
    result = judged({**made, "holdout": unlabelled})
    assert result.state == "not_offered"
    assert "tool.mltestscore.data.holdout" in result.reason


def test_data_of_another_system_are_an_error_that_names_the_column():
    made = system(*both(100, 100))
    other = open_dataset("holdout", rows(100, 2).drop(columns="heat"), Roles(label="late"))
    result = judged({**made, "holdout": other})
    assert result.state == "error"
    assert "'heat'" in result.reason


def test_an_unknown_metric_is_an_error_with_near_names():
    result = judged(system(*both(1_500, 1_500)), metric="roc-auc")
    assert result.state == "error"
    assert "roc_auc" in result.reason


def clustered(n: int, seed: int) -> dict:
    """Eight features of which each brings some 0.005 of the AUC, three rows a user."""
    frames = weak(n, seed, 8, 0, "2024-01-01", 0.2), weak(n, seed + 1_000, 8, 10**6, "2024-06-01", 0.2)
    frames = [frame.assign(user=frame["id"] // 3) for frame in frames]
    return system(*frames, ("speed", *(f"weak{i}" for i in range(8))), cluster="user")


def twinned(n: int, seed: int) -> dict:
    """Each useful feature comes twice: in another unit, and as a noisy copy; texts in two spellings."""
    rng = np.random.default_rng(seed)
    frames = [rows(n, seed), rows(n, seed + 1_000, "2024-06-01", first=n)]
    for frame in frames:
        frame["fahrenheit"] = frame["heat"] * 1.8 + 32
        frame["pace"] = frame["speed"] + 0.1 * rng.normal(size=n)
        frame["where"] = frame["city"].str.upper()
    return system(*frames, (*FEATURES, "fahrenheit", "pace", "where"))


def seasonal(n: int, seed: int) -> dict:
    """The holdout is of another season: one feature lies elsewhere, one varies less, the event is rarer; gaps."""
    rng = np.random.default_rng(seed)
    training, holdout = rows(n, seed), rows(n, seed + 1_000, "2024-06-01", first=n)
    holdout["heat"] = holdout["heat"] / 2 + 1
    rarer = rng.random(n) < 0.3
    holdout.loc[rarer, "late"] = 0
    for frame in (training, holdout):
        frame.loc[rng.random(n) < 0.02, "city"] = None
        frame["storm"] = (rng.random(n) < 0.004).astype(float)
    return system(training, holdout, (*FEATURES, "storm"))


def coarse(n: int, seed: int) -> dict:
    """Few values, so that rows coincide, in no order of time; row numbers begin anew on each side."""
    frames = [rows(n, seed), rows(n, seed + 1_000)]
    for frame in frames:
        for name in FEATURES[:3]:
            frame[name] = frame[name].clip(-2, 2).round()
        frame["id"] = np.arange(n)
    return system(*frames, time="", ignore=("at",))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [clustered, twinned, seasonal, coarse])
def test_healthy_systems_do_not_alarm(kind):
    """100 systems of each kind: none is accused of anything, and of twins at most one is called useless."""
    accused = []
    for seed in range(100):
        result = judged(kind((1_000, 2_000, 4_000)[seed % 3], seed))
        useless = [name for name, state in states(result).items() if state == "useless"]
        if failed(result) or len(useless) > 1:
            accused.append((seed, failed(result), useless))
    assert accused == []
