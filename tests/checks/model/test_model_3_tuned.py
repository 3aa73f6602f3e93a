"""``model.3``: sound records and searches, fabricated ones, settings in service that are not the best."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from mltestscore.inputs.search_space import Choices, Numbers
from mltestscore.inputs.tuning import UNKNOWN
from mltestscore.result import CheckResult
from mltestscore.testing import run_check
from mltestscore.tuning.evidence import BEHIND, DATES, EDGE, OUTSIDE, TRIALS, UNSEARCHED, findings, record
from mltestscore.tuning.search import GAIN
from mltestscore.tuning.seen import ON_HOLDOUT
from tests.tuning.team import SPACE, dataset, model, registry, trainer, trials, tuning

FAST = {"trials": 6, "rows": 2_000}


def run(**changes: Any) -> CheckResult:
    given = {"tuning": tuning(), "registry": registry(), "holdout": dataset("holdout", seed=2)}
    options = changes.pop("options", {})
    return run_check("model.3", options=options, **{"prove": False, **given, **changes})


def active(folder: Any, **changes: Any) -> CheckResult:
    given = {"trainer": trainer(folder), "model": model(), "training": dataset("training")}
    return run(**{"options": FAST, **given, **changes})


def verdicts(result: CheckResult) -> dict[str, str]:
    return {one.name: one.verdict for one in result.findings}


def finding(result: CheckResult, name: str) -> Any:
    (found,) = [one for one in result.findings if one.name == name]
    return found


def test_a_sound_record_and_a_sound_search_pass_and_every_planted_fault_is_caught(tmp_path):
    result = active(tmp_path, prove=True)
    assert result.state == "passed", result.reason
    assert (result.proof.state, [fault.state for fault in result.proof.faults]) == ("proven", ["caught"] * 5)
    assert set(verdicts(result)) == {TRIALS, OUTSIDE, EDGE, UNSEARCHED, BEHIND, ON_HOLDOUT, GAIN}


def test_a_record_alone_passes_and_proves_itself():
    result = run(prove=True)
    assert (result.state, result.proof.state, len(result.proof.faults)) == ("passed", "proven", 4), result.reason
    assert [detail.kind for detail in result.details] == ["series", "table"]


def test_without_the_record_it_is_not_offered():
    assert run(tuning=None).state == "not_offered"


def test_twenty_identical_rows_are_one_trial():
    copied = trials()[:1] * 20
    found = finding(run(tuning=tuning(trials=copied)), TRIALS)
    assert (found.verdict, found.value) == ("failed", 1)
    assert "19 repeat the settings" in found.cause


def test_a_search_of_three_failed_and_twenty_other_trials_passes_and_nineteen_do_not():
    assert run(tuning=tuning(trials=trials(20), failed=3)).state == "passed"
    assert verdicts(run(tuning=tuning(trials=trials(19))))[TRIALS] == "failed"


def test_a_declared_schedule_takes_the_place_of_twenty_trials():
    few = tuning(trials=trials(9), schedule=9, reason="a grid of three by three")
    assert run(tuning=few).state == "passed"


def test_trials_that_ended_after_the_release_do_not_count():
    late = tuple(replace(one, ended=np.datetime64("2026-12-24", "s")) for one in trials())
    result = run(tuning=tuning(trials=late))
    assert (verdicts(result)[TRIALS], "25 of 25 ended after" in finding(result, TRIALS).cause) == ("failed", True)


def test_a_study_that_goes_on_after_the_release_does_no_harm():
    later = tuple(replace(one, ended=np.datetime64("2026-12-24", "s")) for one in trials(30, seed=9))
    assert run(tuning=tuning(trials=trials() + later)).state == "passed"


@pytest.mark.parametrize("without", ["dates", "registry"])
def test_without_dates_or_a_release_nothing_is_earned(without):
    undated = tuple(replace(one, ended=UNKNOWN) for one in trials())
    if without == "dates":
        result = run(tuning=tuning(trials=undated))
    else:
        result = run(registry=None, tuning=tuning(deployed={"used": 8, "scale": 1.0}))
    assert (result.state, verdicts(result)[DATES]) == ("inconclusive", "inconclusive")


@pytest.mark.parametrize(("scale", "expected"), [(100.001, "failed"), (9_000.0, "failed"), (0.0101, "passed")])
def test_settings_outside_the_searched_space_fail_and_are_named(scale, expected):
    found = finding(run(registry=registry(scale=scale)), OUTSIDE)
    assert found.verdict == expected
    assert ("searched 0.01 to 100" in found.cause) == (expected == "failed")


def test_a_setting_on_the_edge_earns_nothing_unless_the_edge_is_natural():
    at_edge = registry(used=12)
    assert verdicts(run(registry=at_edge))[EDGE] == "inconclusive"
    natural = SPACE | {"used": Numbers(1, 12, integer=True, natural=("high",))}
    assert verdicts(run(registry=at_edge, tuning=tuning(space=natural)))[EDGE] == "passed"


def test_a_setting_that_was_neither_searched_nor_left_alone_is_named():
    result = run(registry=registry(loss="hinge"))
    assert (result.state, "'loss'" in finding(result, UNSEARCHED).note) == ("inconclusive", True)


def test_a_poor_trial_in_service_fails_where_folds_tell_and_is_undecided_without_them():
    poor = (*trials()[1:], replace(trials()[0], settings={"used": 2, "scale": 7.0}, metric=0.7, folds=(0.7,) * 5))
    in_service = registry(used=2, scale=7.0)
    assert verdicts(run(registry=in_service, tuning=tuning(trials=poor)))[BEHIND] == "failed"
    bare = tuple(replace(one, folds=()) for one in poor)
    assert verdicts(run(registry=in_service, tuning=tuning(trials=bare)))[BEHIND] == "inconclusive"


def test_settings_that_were_rounded_are_those_of_the_trial_and_others_are_of_none():
    assert verdicts(run(registry=registry(scale=1.02)))[BEHIND] == "passed"
    assert verdicts(run(registry=registry(used=9, scale=33.0)))[BEHIND] == "inconclusive"


def test_choices_are_compared_as_they_are_written():
    space = {"used": SPACE["used"], "loss": Choices(("hinge", True, 1))}
    kept = tuple(replace(one, settings={"used": one.settings["used"], "loss": "hinge"}) for one in trials(60))
    chosen = registry(loss="hinge", scale=None)
    assert verdicts(run(tuning=tuning(trials=kept, space=space), registry=chosen))[OUTSIDE] == "passed"
    other = registry(loss="squared", scale=None)
    assert verdicts(run(tuning=tuning(trials=kept, space=space), registry=other))[OUTSIDE] == "failed"


@pytest.mark.parametrize("called", ["holdout", "digest", "path"])
def test_a_search_on_the_holdout_is_caught_by_what_it_says(tmp_path, called):
    from mltestscore.inputs.dataset import Roles, open_dataset

    dataset("holdout", seed=2).frame().to_parquet(tmp_path / "later.parquet")
    holdout = open_dataset("holdout", str(tmp_path / "later.parquet"), Roles(label="late"))
    text = {"holdout": "Holdout", "digest": holdout.digest, "path": "data/../later.parquet"}[called]
    text = "later.parquet" if called == "path" else text
    seen = tuple(replace(one, data=text) for one in trials())
    result = run(tuning=tuning(trials=seen), holdout=holdout)
    assert (result.state, verdicts(result)[ON_HOLDOUT]) == ("failed", "failed")


def test_a_search_on_the_holdout_is_caught_by_its_metric_to_all_digits():
    from sklearn.metrics import roc_auc_score

    served, holdout = model(), dataset("holdout", seed=2)
    frame = holdout.frame()
    area = float(roc_auc_score(frame["late"], served.predict(frame)))
    first, *others = trials()
    peeked = (replace(first, written=area, metric=area), *others)
    result = run(tuning=tuning(trials=peeked), model=served, holdout=holdout)
    assert (result.state, "to all digits" in finding(result, ON_HOLDOUT).cause) == ("failed", True)
    near = (replace(first, written=area + 1e-4), *others)
    assert run(tuning=tuning(trials=near), model=served, holdout=holdout).state == "passed"


def test_trials_that_do_not_say_what_judged_them_earn_nothing():
    silent = tuple(replace(one, data="") for one in trials())
    assert verdicts(run(tuning=tuning(trials=silent)))[ON_HOLDOUT] == "inconclusive"


def test_untuned_settings_in_service_fail_and_the_better_ones_are_named(tmp_path):
    poor = registry(used=1)
    result = active(tmp_path, registry=poor, options=FAST | {"trials": 12})
    assert verdicts(result)[GAIN] == "failed", result.reason
    assert "better: used = " in finding(result, GAIN).cause


def test_a_record_without_trials_is_searched_and_never_passes(tmp_path):
    from mltestscore.inputs.tuning import Tuning

    bare = Tuning("", space=SPACE, recorded=True, left_alone=("seed",))
    result = active(tmp_path, tuning=bare)
    assert (result.state, verdicts(result)[GAIN], verdicts(result)[TRIALS]) == (
        "inconclusive",
        "passed",
        "inconclusive",
    )


def test_a_trainer_that_does_not_listen_to_its_parameters_proves_nothing(tmp_path):
    result = active(tmp_path, trainer=trainer(tmp_path, "deaf"))
    assert "does the trainer use its parameters" in finding(result, GAIN).note


def test_a_trainer_without_parameters_is_an_error_that_says_how_to_write_it(tmp_path):
    result = active(tmp_path, trainer=trainer(tmp_path, "plain"))
    assert (result.state, "train(frame, seed, parameters=None)" in result.reason) == ("error", True)
    assert active(tmp_path, trainer=trainer(tmp_path, "plain", takes=False)).state == "passed"


def test_too_few_holdout_rows_decide_nothing_and_say_how_many_would(tmp_path):
    result = active(tmp_path, holdout=dataset("holdout", 1_500, seed=2))
    assert (result.state, finding(result, GAIN).n_to_settle) == ("inconclusive", 2_000)


def test_a_budget_of_no_time_is_no_pass(tmp_path):
    result = active(tmp_path, options=FAST | {"seconds": 1e-9})
    assert (result.state, "budget of seconds" in finding(result, GAIN).note) == ("inconclusive", True)


def test_a_search_that_is_stopped_is_no_pass_and_no_error(tmp_path):
    result = active(tmp_path, options=FAST | {"timeout": 0.1})
    assert (result.state, "was stopped" in finding(result, GAIN).note) == ("inconclusive", True), result.reason


def test_a_gain_on_a_part_of_the_rows_does_not_accuse_settings_chosen_for_all(tmp_path):
    part = {"most_rows": 2_000, "trials": 12, "margin_of_part": 0.9}
    result = active(tmp_path, registry=registry(used=1), options=FAST | part)
    assert (result.state, "raise most_rows" in finding(result, GAIN).note) == ("inconclusive", True)


def test_the_release_is_dated_by_its_training_where_no_publication_is_known():
    lineage = replace(registry().current, published_at=None, trained_at=datetime(2026, 10, 1, tzinfo=UTC))
    early = replace(registry(), current=lineage, versions=(lineage,))
    assert verdicts(run(registry=early))[TRIALS] == "failed"


def test_records_of_equal_settings_hardly_ever_accuse():
    """200 records whose trials differ by noise alone: at one in 2,000, two have a chance of 0.005."""
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        noisy = []
        for one in trials(30, seed=seed):
            parts = 0.7 + 0.02 * rng.normal(size=5)
            noisy.append(replace(one, metric=float(parts.mean()), folds=tuple(parts.tolist())))
        found = findings(record(tuning(trials=tuple(noisy)), registry()), 20, 0.01, 2.5e-4)
        alarms += any(one.verdict == "failed" for one in found)
    assert alarms <= 1
