"""The invariants check on a seasonal flight log, with faults of other kinds than its planted ones and healthy drift."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

ROLES = Roles(key=("flight",), time="at", cluster="hour")
RULES = Schema("suite.json", [Rule("expect_column_values_to_be_between", {"column": "dist", "min_value": -10_000})])
DAYS = 210
SERVED = 5_000


def make(rows: int, start: str, days: int, seed: int) -> pd.DataFrame:
    """Flights with weather that has seasons and hours, counts, ties, heavy tails, identifiers and empty columns."""
    rng = np.random.default_rng(seed)
    at = pd.Series(pd.Timestamp(start) + pd.to_timedelta(np.sort(rng.random(rows) * days * 24), unit="h"))
    hours = (at - pd.Timestamp("2013-01-01")) // pd.Timedelta("1h")
    weather = np.random.default_rng(7).normal(0, 5, 24 * 500)
    return pd.DataFrame(
        {
            "flight": np.arange(rows) + 10**6 * seed,
            "at": at,
            "hour": hours,
            "temp": np.round(12 - 12 * np.cos(2 * np.pi * at.dt.dayofyear / 365) + weather[hours], 1),
            "dist": rng.integers(80, 2500, rows),
            "delay": pd.Series(np.round(rng.gumbel(0, 20, rows))).mask(rng.random(rows) < 0.02),
            "load": rng.lognormal(3, 1, rows),
            "carrier": rng.choice(["AA", "UA", "Zoë Air"], rows),
            "month": at.dt.month,
            "weekday": at.dt.dayofweek,
            "zeros": np.where(rng.random(rows) < 0.9, 0, rng.poisson(3, rows)),
            "tail": rng.pareto(1.2, rows),
            "one": 1,
            "nothing": np.nan,
            "note": [f"free text {i}" for i in rng.integers(0, 10**9, rows)],
            "counter": np.arange(rows) + int(at.dt.dayofyear.iloc[0]) * 10**5,
        }
    )


@cache
def _training() -> Dataset:
    return open_dataset("training", make(30_000, "2013-01-01", DAYS, 1), ROLES)


@cache
def _served() -> pd.DataFrame:
    return make(SERVED, "2013-07-31", 14, 2)


def served() -> pd.DataFrame:
    return _served().copy()


def invariants(
    frame: pd.DataFrame, training: Dataset | None = None, roles: Roles = ROLES, **run: object
) -> CheckResult:
    inputs = {
        "schema": RULES,
        "training": training or _training(),
        "serving": open_dataset("serving", frame, roles),
        "prove": False,
    }
    return run_check("monitor.2", **(inputs | run))


def failed(result: CheckResult) -> dict[str, str]:
    """The failed columns and their causes."""
    found: dict[str, str] = {}
    for one in result.findings:
        if one.verdict == "failed" and not one.advisory:
            found[one.where] = f"{found.get(one.where, '')} {one.name}: {one.cause};"
    return found


def some(share: float) -> np.ndarray:
    return np.random.default_rng(5).random(SERVED) < share


def test_a_sound_log_passes_and_the_check_proves_itself() -> None:
    result = invariants(served(), prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof


FAULTS: list[tuple[str, str, Callable[[pd.DataFrame], object], float, str]] = [
    ("10 % missing", "dist", lambda f: np.nan, 0.1, "missing, which"),
    ("3 % missing", "carrier", lambda f: None, 0.03, "missing"),
    ("30 % missing", "delay", lambda f: np.nan, 0.3, "missing more often"),
    ("-1", "dist", lambda f: -1, 0.02, "default-filled: -1"),
    ("0", "load", lambda f: 0.0, 0.1, "0 holds"),
    ("-1 among valid -1", "delay", lambda f: -1.0, 0.3, "-1 holds"),
    ("thousandfold", "dist", lambda f: f["dist"] * 1000, 0.02, "a unit or a default"),
    ("km for miles", "dist", lambda f: f["dist"] * 1.609, 1.0, "fractions where only whole"),
    ("clipped", "dist", lambda f: f["dist"].clip(upper=1500), 1.0, "1500 holds"),
    ("int()", "load", lambda f: np.trunc(f["load"]), 1.0, "truncated"),
    ("stuck", "weekday", lambda f: 3, 1.0, ""),
    ("text", "dist", lambda f: "n/a", 0.03, "text is served"),
    ("lower case", "carrier", lambda f: f["carrier"].str.lower(), 0.05, "case"),
    ("trailing blank", "carrier", lambda f: f["carrier"] + " ", 0.05, "blanks"),
    ("NFD", "carrier", lambda f: f["carrier"].map(lambda t: unicodedata.normalize("NFD", t)), 1.0, "Unicode form"),
    ("mojibake", "carrier", lambda f: f["carrier"].map(lambda t: t.encode().decode("latin-1")), 1.0, "mojibake"),
    ("new names", "carrier", lambda f: "B6", 0.05, "new categories: 'B6'"),
]


@pytest.mark.parametrize(("column", "broken", "share", "cause"), [pytest.param(*one[1:], id=one[0]) for one in FAULTS])
def test_a_broken_feature_fails_and_its_cause_is_named(
    column: str, broken: Callable[[pd.DataFrame], object], share: float, cause: str
) -> None:
    frame = served()
    values = pd.Series(broken(frame), index=frame.index).astype(object)
    frame[column] = values.where(some(share), frame[column].astype(object)).infer_objects()
    roles = replace(ROLES, features=tuple(dict.fromkeys((column, "load", "delay"))))
    training = open_dataset("training", _training().frame(), roles)
    result = invariants(frame, training, roles)
    assert result.state == "failed", result.reason
    assert set(failed(result)) <= {column, "", "serving"}
    assert cause in str(failed(result))


def test_a_replayed_batch_fails() -> None:
    frame = served()
    result = invariants(pd.concat([frame, frame.tail(500)], ignore_index=True))
    assert "replayed" in result.reason


def test_a_broken_declared_rule_fails_with_rule_and_data_named() -> None:
    result = invariants(served().assign(dist=-20_000))
    broken = [one for one in result.findings if one.verdict == "failed" and one.name.startswith("declared")]
    assert [one.where for one in broken] == ["serving"]
    assert "dist" in broken[0].cause


def test_a_declared_rule_holds_for_the_holdout_too() -> None:
    holdout = open_dataset("holdout", served().assign(dist=-20_000), ROLES)
    result = invariants(served(), holdout=holdout)
    assert [one.where for one in result.findings if one.verdict == "failed"] == ["holdout"]


def test_a_rule_on_a_column_that_serving_never_has_is_no_broken_invariant() -> None:
    labelled = Schema("suite.json", [Rule("expect_column_values_to_not_be_null", {"column": "late"})])
    assert invariants(served(), schema=labelled).state == "passed"


HEALTHY: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "next season": lambda f: make(SERVED, "2013-09-01", 30, 3),
    "a weekend": lambda f: make(SERVED, "2013-08-03", 2, 4),
    "one hot hour": lambda f: f.assign(temp=f["temp"].where(f["hour"] != f["hour"].iloc[900], 99.9)),
    "a new category at 0.3 %": lambda f: f.assign(carrier=f["carrier"].mask(some(0.003), "B6")),
    "one genuine outlier": lambda f: f.assign(tail=f["tail"].where(f.index != 5, 1e9)),
    "float32, category, int as float": lambda f: f.astype(
        {"load": "float32", "carrier": "category", "dist": "float64"}
    ),
    "None for NaN": lambda f: f.assign(delay=f["delay"].astype(object).where(f["delay"].notna(), None)),
    "columns and rows in other order": lambda f: f[sorted(f.columns)].sample(frac=1, random_state=1),
    "-60 % volume": lambda f: f.sample(frac=0.4, random_state=1),
    "+300 % volume": lambda f: make(4 * SERVED, "2013-07-31", 14, 6),
    "natural gaps double": lambda f: f.assign(delay=f["delay"].mask(some(0.02))),
}


@pytest.mark.parametrize("change", HEALTHY.values(), ids=HEALTHY)
def test_healthy_change_never_fails(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    result = invariants(change(served()))
    assert result.state != "failed", result.reason


def test_a_csv_round_trip_passes(tmp_path: object) -> None:
    path = f"{tmp_path}/serving.csv"
    served().to_csv(path, index=False)
    assert invariants(pd.read_csv(path)).state == "passed"


@pytest.mark.parametrize("rows", [30, 100, 300])
def test_few_rows_neither_pass_nor_fail(rows: int) -> None:
    assert invariants(served().head(rows)).state == "inconclusive"


def test_few_training_rows_conclude_nothing() -> None:
    few = open_dataset("training", make(60, "2013-01-01", DAYS, 1), ROLES)
    result = invariants(served(), few)
    assert result.state == "inconclusive"
    assert "at least 100" in result.reason


def test_without_a_time_column_only_breaks_of_kind_fail() -> None:
    """Without past windows, a spike and new categories are shown and judge nothing; a sentinel still fails."""
    roles = Roles(ignore=("at", "hour", "month", "flight", "counter"))
    training = open_dataset("training", make(30_000, "2013-01-01", DAYS, 1), roles)
    spiked = served().assign(carrier=lambda f: f["carrier"].mask(some(0.2), "B6"))
    result = invariants(spiked, training, roles)
    assert result.state != "failed", result.reason
    assert any(one.advisory and one.verdict == "failed" and one.where == "carrier" for one in result.findings)
    assert (
        invariants(served().assign(dist=lambda f: f["dist"].mask(some(0.1), -9999)), training, roles).state == "failed"
    )


def test_no_common_feature_is_said() -> None:
    frame = served()[["flight", "at", "hour", "dist"]].rename(columns={"dist": "distance"})
    result = invariants(frame, schema=Schema("suite.json", []))
    assert result.state == "inconclusive"
    assert "name the columns alike" in result.reason


@pytest.mark.parametrize("missing", ["schema", "training", "serving"])
def test_without_an_input_nothing_is_offered(missing: str) -> None:
    inputs = {"schema": RULES, "training": _training(), "serving": open_dataset("serving", served(), ROLES)}
    offered = {name: value for name, value in inputs.items() if name != missing}
    assert run_check("monitor.2", **offered).state == "not_offered"


def test_the_same_inputs_give_the_same_findings() -> None:
    assert invariants(served()).findings == invariants(served()).findings
