"""The skew check on a keyed flight log, with faults of other kinds than its planted ones and healthy look-alikes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

FEATURES = ("temp", "dist", "delay", "carrier", "rain", "hour", "seen_at")
KEYED = Roles(key=("flight",), time="at", cluster="origin", features=FEATURES)
TIMED = Roles(time="at", features=FEATURES)
ROWS = 4_000


@cache
def _flights() -> pd.DataFrame:
    rng = np.random.default_rng(20130101)
    at = pd.Series(np.repeat(pd.date_range("2013-03-01", periods=ROWS // 4, freq="h"), 4))
    return pd.DataFrame(
        {
            "flight": np.arange(ROWS) + 7,
            "at": at,
            "origin": np.tile(["EWR", "JFK", "LGA", "BOS"], ROWS // 4),
            "temp": np.round(rng.normal(12, 8, ROWS), 1),
            "dist": rng.integers(80, 2500, ROWS).astype(float),
            "delay": pd.Series(rng.lognormal(3, 2, ROWS)).mask(rng.random(ROWS) < 0.03),
            "carrier": rng.choice(["AA", "UA", "Zoë Air"], ROWS),
            "rain": rng.integers(0, 2, ROWS),
            "hour": at.dt.hour,
            "seen_at": at,
        }
    )


def flights() -> pd.DataFrame:
    return _flights().copy()


def data(name: str, frame: pd.DataFrame, roles: Roles = KEYED) -> Dataset:
    return open_dataset(name, frame, roles)


def skew(
    served: pd.DataFrame, recomputed: pd.DataFrame | None = None, roles: Roles = KEYED, **run: object
) -> CheckResult:
    computed = flights() if recomputed is None else recomputed
    inputs = {"serving": data("serving", served, roles), "recomputed": data("recomputed", computed, roles)}
    return run_check("monitor.3", **({"prove": False} | inputs | run))


def causes(result: CheckResult, feature: str) -> str:
    return "; ".join(one.cause for one in result.findings if one.where == feature and one.verdict == "failed")


def some(share: float) -> np.ndarray:
    return np.random.default_rng(5).random(ROWS) < share


def with_values(column: str, values: object, share: float = 1.0) -> pd.DataFrame:
    frame = flights()
    new = pd.Series(values, index=frame.index)
    return frame.assign(**{column: new if share == 1 else new.where(some(share), frame[column])})


def of_origin(column: str, rows: int) -> pd.Series:
    """What the same origin had ``rows`` hours before."""
    frame = flights()
    return frame.groupby("origin")[column].shift(rows).bfill().astype(frame[column].dtype)


def test_a_sound_log_passes_and_the_check_proves_itself() -> None:
    shuffled = flights().sample(frac=1, random_state=1)[["carrier", *[n for n in _flights() if n != "carrier"]]]
    result = run_check("monitor.3", serving=data("serving", shuffled), recomputed=data("recomputed", flights()))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof


FAULTS: list[tuple[str, str, float, Callable[[pd.DataFrame], object], str]] = [
    ("°F for °C", "temp", 0.02, lambda f: f["temp"] * 1.8 + 32, "ratio 1.8 and constant offset 32"),
    ("°F for °C", "temp", 1.0, lambda f: (f["temp"] * 1.8 + 32).round(1), "°C computed, °F served"),
    ("metres", "dist", 0.05, lambda f: f["dist"] * 1000, "thousandfold"),
    ("feet", "dist", 1.0, lambda f: f["dist"] * 0.3048, "feet computed, m served"),
    ("an odd ratio", "dist", 0.5, lambda f: f["dist"] * 1.37, "constant ratio 1.37"),
    ("count from 0", "dist", 1.0, lambda f: f["dist"] - 1, "off by one"),
    ("time zone", "seen_at", 1.0, lambda f: f["seen_at"] + pd.Timedelta("5h"), "time zone: +5 h"),
    ("hour of day", "hour", 0.3, lambda f: (f["hour"] + 5) % 24, "time zone: +5 h"),
    ("stale", "temp", 1.0, lambda f: of_origin("temp", 24), "stale: the value of the same entity 1 day earlier"),
    ("stale", "carrier", 0.2, lambda f: of_origin("carrier", 24), "stale"),
    ("stale", "rain", 1.0, lambda f: of_origin("rain", 6), "stale"),
    ("frozen", "temp", 0.5, lambda f: f.groupby("origin")["temp"].transform("first"), "stale: never refreshed"),
    ("row before", "delay", 0.05, lambda f: f["delay"].shift(1).bfill(), "off by one"),
    ("row after", "carrier", 1.0, lambda f: f["carrier"].shift(-1).ffill(), "off by one"),
    ("permuted", "dist", 1.0, lambda f: f["dist"].sample(frac=1, random_state=2).to_numpy(), "permuted"),
    ("permuted", "delay", 0.05, lambda f: f["delay"].dropna().sample(ROWS, replace=True, random_state=2).values,
        "permuted"),
    ("zero", "dist", 0.02, lambda f: 0.0, "default-filled: 0"),
    ("mean", "delay", 0.1, lambda f: f["delay"].mean(), "the mean"),
    ("unknown", "carrier", 0.05, lambda f: "unknown", "default-filled: 'unknown'"),
    ("empty", "carrier", 0.05, lambda f: "", "missing in serving"),
    ("imputed here only", "delay", 1.0, lambda f: f["delay"].fillna(9.5), "imputed in serving only: 9.5"),
    ("other imputation", "delay", 1.0, lambda f: f["delay"].fillna(f["delay"].median()), "imputed in serving only"),
    ("dropped", "temp", 1.0, lambda f: np.nan, "always missing in serving"),
    ("int()", "temp", 1.0, lambda f: np.trunc(f["temp"]), "truncated to whole numbers in serving"),
    ("float16", "delay", 1.0, lambda f: f["delay"].clip(upper=60_000).astype("float16").astype(float), "float16"),
    ("two decimals", "delay", 1.0, lambda f: f["delay"].round(2), "rounded to 2 decimals"),
    ("clipped", "delay", 1.0, lambda f: f["delay"].clip(upper=f["delay"].quantile(0.9)), "clipped in serving"),
    ("lower case", "carrier", 0.03, lambda f: f["carrier"].str.lower(), "case"),
    ("trailing blank", "carrier", 0.03, lambda f: f["carrier"] + " ", "blanks"),
    ("NFD", "carrier", 1.0, lambda f: f["carrier"].map(lambda t: unicodedata.normalize("NFD", t)), "Unicode form"),
    ("mojibake", "carrier", 1.0, lambda f: f["carrier"].map(lambda t: t.encode().decode("latin-1")), "mojibake"),
    ("other names", "carrier", 1.0, lambda f: f["carrier"].map({"AA": "x", "UA": "y", "Zoë Air": "z"}), "recoded"),
    ("swapped", "dist", 1.0, lambda f: f["delay"].fillna(0), "swapped: the value of the column 'delay'"),
    ("inverted", "rain", 1.0, lambda f: 1 - f["rain"], "inverted"),
    ("logarithm", "dist", 1.0, lambda f: np.log1p(f["dist"]), "log(1 + x) served"),
    ("noise", "dist", 1.0, lambda f: f["dist"] + np.random.default_rng(1).normal(0, 9, ROWS), "unnamed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "share", "broken", "cause"),
    [pytest.param(*fault[1:], id=f"{fault[0]} {fault[1]} {fault[2]}") for fault in FAULTS],
)
def test_a_differing_feature_fails_and_its_cause_is_named(
    column: str, share: float, broken: Callable[[pd.DataFrame], object], cause: str
) -> None:
    roles = Roles(key=("flight",), time="at", cluster="origin", features=tuple(dict.fromkeys((column, "delay"))))
    result = skew(with_values(column, broken(flights()), share), roles=roles)
    assert result.state == "failed", result.reason
    assert cause in causes(result, column)
    assert {one.where for one in result.findings if one.verdict == "failed"} == {column}


def test_a_different_imputation_is_named() -> None:
    computed, served = flights(), flights()
    gaps = computed["delay"].isna()
    computed.loc[gaps, "delay"], served.loc[gaps, "delay"] = 20.5, 88.25
    assert "different imputation: 88.25 served where 20.5" in causes(skew(served, computed), "delay")


def test_a_training_path_that_looks_a_day_ahead_shows_as_a_day_of_staleness() -> None:
    computed = flights().assign(temp=lambda f: f.groupby("origin")["temp"].shift(-24).ffill())
    assert "stale: the value of the same entity 1 day earlier" in causes(skew(flights(), computed), "temp")


def test_a_model_feature_that_is_never_logged_fails() -> None:
    result = skew(flights().drop(columns="temp"), roles=Roles(key=("flight",), features=FEATURES[1:]), model=_Inputs())
    assert result.state == "failed"
    assert "always missing in serving: temp" in result.reason


class _Inputs:
    """All that the check asks of a model: the names of its inputs."""

    features = FEATURES


def _csv(frame: pd.DataFrame, tmp: object) -> pd.DataFrame:
    path = f"{tmp}/served.csv"
    frame.to_csv(path, index=False)
    return pd.read_csv(path)


HEALTHY: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "float32": lambda f: f.astype({"delay": "float32", "temp": "float32"}),
    "int for float": lambda f: f.astype({"dist": "int64", "rain": "float64"}),
    "category": lambda f: f.astype({"carrier": "category"}),
    "None for NaN": lambda f: f.assign(delay=f["delay"].astype(object).where(f["delay"].notna(), None)),
    "key as text": lambda f: f.astype({"flight": "string"}),
    "3 % unjoinable": lambda f: f.assign(flight=f["flight"].where(~some(0.03), f["flight"] + 10**6)),
    "requests retried": lambda f: pd.concat([f, f.tail(400)]),
    "sampled log": lambda f: f.sample(3_500, random_state=1),
}


@pytest.mark.parametrize("change", HEALTHY.values(), ids=HEALTHY)
def test_healthy_look_alikes_pass(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    result = skew(change(flights()))
    assert result.state == "passed", result.reason


def test_a_csv_round_trip_passes(tmp_path: object) -> None:
    assert skew(_csv(flights(), tmp_path)).state == "passed"


def test_daylight_saving_in_both_paths_passes() -> None:
    local = flights()["seen_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    assert skew(flights().assign(seen_at=local)).state == "passed"


def test_constant_and_empty_columns_match_themselves() -> None:
    frame = flights().assign(temp=np.nan, dist=1.0, carrier=None)
    assert skew(frame, frame).state == "passed"


@pytest.mark.parametrize("rows", [30, 100])
def test_few_joined_rows_clear_nobody_and_accuse_where_most_of_them_differ(rows: int) -> None:
    assert skew(flights().head(rows)).state == "inconclusive"
    assert skew(with_values("dist", 0.0).head(rows)).state == "failed"


@pytest.mark.parametrize(("rows", "different"), [(8, 8), (100, 9)])
def test_fewer_than_ten_different_rows_accuse_nobody_where_few_rows_are_joined(rows: int, different: int) -> None:
    served = flights().head(rows)
    served = served.assign(dist=served["dist"].where(np.arange(rows) >= different, -1.0))
    assert skew(served).state == "inconclusive"


def test_three_hundred_rows_fail_when_broken_and_do_not_pass_when_sound() -> None:
    assert skew(with_values("dist", 0.0).head(300)).state == "failed"
    assert skew(flights().head(300)).state == "inconclusive"


def test_keys_that_do_not_meet_conclude_nothing() -> None:
    result = skew(flights().assign(flight=lambda f: f["flight"] + 10**7))
    assert result.state == "inconclusive"
    assert "served keys that meet" in result.reason


def test_one_key_with_two_different_rows_is_not_compared() -> None:
    twice = pd.concat([flights(), flights().assign(temp=99.0).head(1_000)])
    result = skew(twice)
    assert result.state == "inconclusive"
    assert "name several different rows" in result.reason


@pytest.mark.parametrize("missing", ["serving", "recomputed"])
def test_without_either_side_nothing_is_offered(missing: str) -> None:
    inputs = {"serving": data("serving", flights()), "recomputed": data("recomputed", flights())}
    assert run_check("monitor.3", **{n: d for n, d in inputs.items() if n != missing}).state == "not_offered"


def test_the_same_inputs_give_the_same_findings() -> None:
    served = with_values("temp", flights()["temp"] * 1.8 + 32, 0.05)
    first, second = skew(served), skew(served)
    assert (first.findings, first.details) == (second.findings, second.details)


def test_pictures_are_a_table_of_features_histograms_and_ten_pairs() -> None:
    result = skew(with_values("temp", -1.0, 0.5))
    assert [one.kind for one in result.details] == ["table", "histograms", "table"]
    assert len(result.details[2].data["rows"]) == 10


def test_scores_are_compared_for_information_only() -> None:
    roles = Roles(key=("flight",), score="score", features=("temp",))
    result = skew(flights().assign(score=0.9), flights().assign(score=0.1), roles)
    assert result.state == "passed"
    assert [(one.verdict, one.advisory) for one in result.findings if "scores" in one.name] == [("failed", True)]


def crowd(seed: int) -> pd.DataFrame:
    """The same hours, other flights: what a log without keys can be compared with."""
    rng = np.random.default_rng(seed)
    frame = pd.concat([flights()] * 3, ignore_index=True)
    return frame.assign(temp=rng.normal(12, 8, len(frame)), carrier=rng.choice(["AA", "UA", "Zoë Air"], len(frame)))


def test_without_a_key_the_check_proves_itself() -> None:
    assert skew(crowd(1), crowd(2), TIMED, prove=True).proof.state == "proven"


def test_the_check_proves_itself_where_the_model_uses_few_of_the_columns() -> None:
    class OneInput:
        features = ("rain",)

    assert skew(flights(), model=OneInput(), prove=True).proof.state == "proven"


def test_without_a_key_a_unit_is_seen_in_the_same_window() -> None:
    served = crowd(1).assign(temp=lambda f: f["temp"] * 1.8 + 32)
    result = skew(served, crowd(2), TIMED)
    assert result.state == "failed"
    assert "temp" in result.reason


def test_without_a_key_missing_values_and_defaults_are_seen() -> None:
    gaps = np.random.default_rng(3).random(3 * ROWS) < 0.05
    for broken in (np.nan, -99.0):
        result = skew(crowd(1).assign(dist=lambda f, b=broken: f["dist"].mask(gaps, b)), crowd(2), TIMED)
        assert result.state == "failed"
        assert all(one.where == "dist" for one in result.findings if one.verdict == "failed")


def test_without_a_key_the_same_population_does_not_fail() -> None:
    assert skew(crowd(1), crowd(2), TIMED).state != "failed"


def test_rows_in_clusters_do_not_fail_without_a_key() -> None:
    """Twenty rows an hour share the hour's weather: rows alone would claim twenty times the evidence."""
    roles = Roles(time="at", cluster="hour_id", features=("temp",))
    sides = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        hours = np.repeat(np.arange(100), 20)
        at = pd.Timestamp("2013-01-01") + pd.to_timedelta(hours, unit="h")
        sides.append(pd.DataFrame({"at": at, "hour_id": hours, "temp": rng.normal(0, 1, 100)[hours]}))
    assert skew(sides[0], sides[1], roles).state == "inconclusive"


def test_seasons_are_never_compared() -> None:
    summer = crowd(1).assign(temp=30.0, at=lambda f: f["at"] + pd.Timedelta("120D"))
    result = skew(summer, crowd(2), TIMED)
    assert result.state == "inconclusive"
    assert "share no time" in result.reason


def test_without_key_and_time_nothing_tells_rows_apart() -> None:
    result = skew(crowd(1), crowd(2), Roles(features=FEATURES))
    assert result.state == "inconclusive"
    assert "declare a key" in result.reason


def test_no_common_feature_is_said() -> None:
    other = flights()[["flight", "temp"]].rename(columns={"temp": "temperature"})
    result = run_check(
        "monitor.3",
        serving=data("serving", other, Roles(key=("flight",))),
        recomputed=data("recomputed", flights()[["flight", "temp"]], Roles(key=("flight",))),
        prove=False,
    )
    assert result.state == "inconclusive"
    assert "name the columns alike" in result.reason


WITH_TIMES = replace(KEYED, feature_times=(("temp", "temp_at"), ("carrier", "carrier_at")))


def with_times(hours: float) -> pd.DataFrame:
    known = flights()["at"] - pd.Timedelta(hours=1)
    return flights().assign(
        temp_at=known.mask(some(0.05), flights()["at"] + pd.Timedelta(hours=hours)), carrier_at=known
    )


def test_training_values_from_after_their_row_fail_though_both_paths_agree() -> None:
    sides = {"serving": data("serving", flights()), "recomputed": data("recomputed", with_times(3), WITH_TIMES)}
    result = run_check("monitor.3", prove=False, **sides)
    assert result.state == "failed"
    assert [(one.where, one.cause) for one in result.findings if one.verdict == "failed"] == [
        ("temp", "known up to 3 h after the row")
    ]


def test_values_known_just_at_their_row_pass_and_the_look_ahead_is_planted_too() -> None:
    sides = {"serving": data("serving", flights()), "recomputed": data("recomputed", with_times(0), WITH_TIMES)}
    result = run_check("monitor.3", **sides)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert [fault.name for fault in result.proof.faults][-1] == "training joins values from the day after the row"
