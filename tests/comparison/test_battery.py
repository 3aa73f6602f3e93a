"""From counted events to findings, and the two parts that look at a whole feature or at whole rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.battery import became_constant, judged, measured, replayed
from mltestscore.comparison.counts import Count
from mltestscore.comparison.invariants import Now, Part, Tolerance
from mltestscore.comparison.profile import Past, Windows
from mltestscore.finding import Finding
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset

ALLOWED = Tolerance(
    missing=0.005, spike=0.02, out_of_range=0.001, fraction=0.001, category=0.01, twins=0.001, new_value=0.001
)
YEAR = Windows("months", 2_592_000.0, 12)
ALPHA = 1e-4


def past(**changes: Any) -> Past:
    rows, none = np.full(12, 1_000.0), np.zeros(12)
    varied = Past("x", "number", rows, none, none, none, none + 100, none.astype(bool), distinct=100)
    return replace(varied, **changes)


def judge(hits: int, rows: int = 5_000, *, limit: float = 0.01, effect: float = 1.0, **part: Any) -> Finding:
    (found,) = judged([Part("p", "x", None, limit, "broken", **part)], {"0": Count(hits, rows, effect)}, {}, ALPHA)
    return found


@pytest.mark.parametrize(("hits", "verdict"), [(0, "passed"), (45, "inconclusive"), (500, "failed")])
def test_a_part_is_judged_by_the_interval_of_its_share(hits: int, verdict: str) -> None:
    found = judge(hits)
    assert found.interval is not None
    assert (found.verdict, found.interval.value, found.where) == (verdict, hits / 5_000, "x")


def test_only_a_share_beyond_its_limit_has_a_cause() -> None:
    assert [judge(hits).cause for hits in (0, 50, 51)] == ["", "", "broken"]


def test_rows_in_clusters_accuse_less() -> None:
    assert (judge(100).verdict, judge(100, effect=50.0).verdict) == ("failed", "inconclusive")


def test_an_advisory_part_stays_one() -> None:
    assert [judge(500, advisory=one).advisory for one in (True, False)] == [True, False]


@pytest.mark.parametrize(
    ("trained", "extreme", "effect", "verdict"),
    [
        (12_000.0, 30, 1.0, "failed"),  # a thousand served rows hardly ever hold thirty new extremes of 12,000
        (1_000.0, 30, 1.0, "failed"),  # 2 · (1/2)^15 = 6e-5
        (900.0, 30, 1.0, "inconclusive"),  # 2 · (1000/1900)^15 = 1.3e-4
        (12_000.0, 30, 30.0, "inconclusive"),  # thirty rows of one cluster are one
        (12_000.0, 0, 1.0, "inconclusive"),
    ],
)
def test_values_beyond_the_past_extremes_accuse_only_where_they_are_more_than_chance_brings(
    trained: float, extreme: int, effect: float, verdict: str
) -> None:
    part = Part("far", "x", None, 0.001, "a unit", chance=object())
    counts = {"0": Count(30, 1_000, 1.0), "0?": Count(extreme, 1_000, effect)}
    known = past(rows=np.array([trained]), missing=np.zeros(1))
    (found,) = judged([part], counts, {"x": known}, ALPHA)
    assert found.verdict == verdict
    (plain,) = judged([replace(part, chance=None)], {"0": counts["0"]}, {"x": known}, ALPHA)
    assert plain.verdict == "failed"


def stuck(
    before: Past | None = None,
    frequent: list[tuple[Any, int]] | None = None,
    windows: Windows = YEAR,
    span_known: bool = True,
    most: int = 200,
) -> Finding | None:
    now = Now(None, None, [(3.0, 500)] if frequent is None else frequent, 500)
    return became_constant({"x": before or past()}, {"x": now}, windows, {"x": most}, span_known=span_known)


def test_a_feature_that_always_varied_and_has_one_value_now_fails_by_name() -> None:
    found = stuck()
    assert found is not None
    assert (found.verdict, found.cause) == ("failed", "x is always 3.0")


@pytest.mark.parametrize(
    "changed",
    [
        {"frequent": [(3.0, 499), (4.0, 1)]},
        {"frequent": []},
        {"frequent": [(3.0, 99)]},
        {"most": 6_000},
        {"before": past(constant=np.array([True] + [False] * 11))},
        {"before": past(missing=np.full(12, 995.0))},
        {"before": past(distinct=12_000)},
    ],
    ids=["varies", "empty", "few rows", "mostly so before", "so in one window", "hardly there before", "identifier"],
)
def test_what_still_varies_or_never_did_always_passes(changed: dict[str, Any]) -> None:
    found = stuck(**changed)
    assert found is not None
    assert (found.verdict, found.cause) == ("passed", "")


@pytest.mark.parametrize(("rows", "verdict"), [(99.0, "failed"), (100.0, "passed")])
def test_a_window_of_few_rows_may_hold_one_value(rows: float, verdict: str) -> None:
    found = stuck(past(rows=np.array([rows] + [1_000.0] * 11), constant=np.array([True] + [False] * 11)))
    assert found is not None
    assert found.verdict == verdict


def test_without_past_windows_or_a_time_of_the_served_rows_one_value_says_nothing() -> None:
    assert stuck(windows=replace(YEAR, count=11)) is None
    assert stuck(span_known=False) is None


def keyed(keys: list[Any], *key: str) -> Dataset:
    return open_dataset("data", pd.DataFrame({"k": keys}), Roles(key=key))


def test_a_replayed_batch_is_the_share_of_rows_whose_key_was_there_before() -> None:
    found = replayed(keyed([*range(1_000)], "k"), keyed([*range(900), *range(100)], "k"), 0.001, ALPHA)
    assert found is not None
    assert found.interval is not None
    assert (found.interval.value, found.verdict, found.advisory) == (0.1, "failed", False)
    assert "replayed" in found.cause


def test_keys_that_never_repeat_pass_and_ones_that_always_did_accuse_nobody() -> None:
    sound = replayed(keyed([*range(9_000)], "k"), keyed([*range(9_000)], "k"), 0.001, ALPHA)
    usual = replayed(keyed([*range(200), 1], "k"), keyed([*range(900), *range(100)], "k"), 0.001, ALPHA)
    assert sound is not None
    assert usual is not None
    assert (sound.verdict, sound.cause, usual.advisory) == ("passed", "", True)


def test_few_keys_or_none_say_nothing() -> None:
    many, few, without = keyed([*range(200)], "k"), keyed([*range(99)], "k"), keyed([*range(200)])
    assert [replayed(*pair, 0.001, ALPHA) for pair in ((many, few), (few, many), (many, without), (without, many))] == [
        None
    ] * 4


def frame(rows: int, seed: int, start: str, days: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    at = pd.Timestamp(start) + pd.to_timedelta(np.sort(rng.random(rows)) * days, unit="D")
    load = pd.Series(rng.lognormal(3, 1, rows)).mask(rng.random(rows) < 0.05)
    return pd.DataFrame({"at": at, "load": load, "name": rng.choice(["a", "b"], rows), "count": rng.poisson(5, rows)})


def test_each_part_is_counted_on_the_served_rows() -> None:
    roles = Roles(time="at")
    served = frame(2_000, 2, "2013-04-01", 7).assign(count=lambda f: f["count"].where(f.index >= 40, 1_000))
    served.loc[:299, "name"] = "A"
    result = measured(
        open_dataset("training", frame(9_000, 1, "2013-01-01", 90), roles),
        open_dataset("serving", served, roles),
        ALLOWED,
        0.005,
    )
    shares = {one.key: one.interval.value for one in result.findings if one.interval is not None}
    assert shares["missing values", "load"] == served["load"].isna().mean()
    assert shares["values far out of the past range", "count"] == 40 / 2_000
    assert shares["known categories in another form", "name"] == 300 / 2_000
    assert shares["categories never seen before", "name"] == 0
    assert {one.key for one in result.findings if one.verdict == "failed"} >= {
        ("values far out of the past range", "count"),
        ("known categories in another form", "name"),
    }
    assert "load" not in {one.where for one in result.findings if one.verdict == "failed"}
    assert (set(result.past), result.windows.name) == ({"load", "name", "count"}, "weeks")


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_an_infinity_on_either_side_ends_no_query(value: float) -> None:
    roles = Roles(time="at", features=("load",))
    sound, broken = frame(9_000, 1, "2013-01-01", 90), frame(9_000, 1, "2013-01-01", 90)
    broken.loc[7, "load"] = value
    for sides in ((sound, broken), (broken, sound)):
        datasets = [open_dataset(name, side, roles) for name, side in zip(("training", "serving"), sides, strict=True)]
        findings = measured(*datasets, ALLOWED, 0.005).findings
        assert [one.name for one in findings if one.verdict == "failed"] == []
