"""From the comparisons to findings: what is compared, what is tolerated, and what doubt says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison import skew
from mltestscore.comparison.skew import COVERAGE, MISMATCH, NEVER_LOGGED, Features, Limits, absent, features_of, scores
from mltestscore.comparison.window import common_window, compare
from mltestscore.details import Detail, Table
from mltestscore.finding import Finding
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset

LIMITS = Limits(key_mismatch=0.01, ks=0.1, category=0.2, excess=0.03, fraction=0.4, out_of_range=0.05)
KEYED = Roles(key=("id",), features=("a", "b", "c"))
TIMED = Roles(time="at", features=("a",))


def table(rows: int = 1_000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    at = pd.date_range("2013-01-01", periods=rows, freq="min")
    return pd.DataFrame({"id": np.arange(rows), "at": at, **{name: rng.normal(size=rows) for name in "abc"}})


def by_key(served: pd.DataFrame, computed: pd.DataFrame, **options: Any) -> list[Finding | Detail]:
    sides = [open_dataset(name, frame, KEYED) for name, frame in (("serving", served), ("recomputed", computed))]
    usual = {"alpha": 1e-4, "rel_tol": 1e-6, "min_joined": 500, "min_coverage": 0.8, "named": 5}
    return [*skew.by_key(sides[0], sides[1], Features(("a", "b", "c"), (), ()), LIMITS, **(usual | options))]


def in_window(served: pd.DataFrame, computed: pd.DataFrame, min_rows: int = 500) -> list[Finding | Detail]:
    sides = [open_dataset(name, frame, TIMED) for name, frame in (("serving", served), ("recomputed", computed))]
    common = Features(("a",), (), ())
    return [*skew.in_window(sides[0], sides[1], common, LIMITS, alpha=1e-3, min_rows=min_rows)]


def findings(found: Sequence[Finding | Detail], name: str = "") -> list[Finding]:
    return [one for one in found if isinstance(one, Finding) and name in one.name]


def columns(*names: str, roles: Roles = KEYED) -> Dataset:
    kept = Roles(features=roles.features)
    return open_dataset("data", pd.DataFrame({name: [1.0] for name in names}), kept)


def test_every_part_of_the_battery_has_its_own_limit() -> None:
    """The names are those that the comparison gives: a renamed part would else fall to the limit of an excess."""
    numbers, texts = table(), table().assign(a="x")
    held = {}
    for frame in (numbers, texts):
        data = open_dataset("data", frame, TIMED)
        common = common_window(data, data, ["a"])
        assert not isinstance(common, str)
        held |= {part.name: LIMITS.of(part.name, 0.0) for part in compare(common, "a", 1e-3)}
    assert held == {
        "same-window difference of missing values": LIMITS.excess,
        "same-window distance of categories": LIMITS.category,
        "same-window distance of numbers (KS)": LIMITS.ks,
        "same-window excess of one value": LIMITS.excess,
        "same-window difference of fractions": LIMITS.fraction,
        "same-window values out of the computed range": LIMITS.out_of_range,
    }


def test_a_usual_share_may_grow_by_half_and_other_limits_do_not() -> None:
    assert LIMITS.of("same-window excess of one value", 0.4) == 0.2
    assert LIMITS.of("same-window difference of missing values", 0.01) == LIMITS.excess
    assert LIMITS.of("same-window distance of categories", 0.9) == LIMITS.category


NOBODYS = Roles()


@pytest.mark.parametrize(
    ("wanted", "recomputed", "serving", "expected"),
    [
        (("b",), Roles(features=("a",)), Roles(features=("c",)), ("b",)),
        ((), Roles(features=("a",)), Roles(features=("c",)), ("a",)),
        ((), NOBODYS, Roles(features=("c",)), ("c",)),
        ((), NOBODYS, NOBODYS, ("a", "b", "c")),
    ],
    ids=["the model's", "the training path's", "the log's", "what both have"],
)
def test_the_features_are_the_models_else_declared_ones_else_common_ones(
    wanted: tuple[str, ...], recomputed: Roles, serving: Roles, expected: tuple[str, ...]
) -> None:
    served, computed = columns("a", "b", "c", "x", roles=serving), columns("a", "b", "c", "y", roles=recomputed)
    assert features_of(served, computed, wanted) == Features(expected, (), ())


def test_a_feature_that_one_side_lacks_is_put_down_to_that_side() -> None:
    found = features_of(columns("a", "b", roles=NOBODYS), columns("a", "c", roles=NOBODYS), ("a", "b", "c", "d"))
    assert found == Features(both=("a",), not_served=("c",), not_computed=("b", "d"))


def test_what_is_never_logged_fails_and_what_is_not_recomputed_cannot_be_told() -> None:
    logged, compared = absent(Features(("a",), ("b",), ("c", "d")))
    assert (logged.name, logged.verdict, logged.cause) == (NEVER_LOGGED, "failed", "always missing in serving: b")
    assert logged.interval is not None
    assert (logged.interval.value, logged.interval.n) == (1, 2)
    assert compared.verdict == "inconclusive"
    assert "recomputed has no 'c', 'd'" in compared.note
    assert [one.verdict for one in absent(Features(("a",), (), ()))] == ["passed"]
    assert [one.verdict for one in absent(Features((), (), ("c",)))] == ["inconclusive"]


def test_each_feature_is_held_to_the_limit_at_its_share_of_the_error_budget() -> None:
    served = table()
    served.loc[:99, "a"] += 1
    served.loc[100:109, "b"] = np.nan
    found = {one.where: one for one in findings(by_key(served, table()), MISMATCH)}
    assert {name: one.verdict for name, one in found.items()} == {"a": "failed", "b": "inconclusive", "c": "passed"}
    for one in found.values():
        assert one.interval is not None
        assert one.interval.confidence == pytest.approx(1 - 1e-4 / 3)
    assert found["a"].note.startswith("100 differ, 0 only computed, 0 only served; the cause explains 100%")
    assert "constant offset 1" in found["a"].cause
    assert found["b"].note.startswith("0 differ, 10 only computed, 0 only served")
    assert (found["c"].cause, found["c"].note) == ("", "")


def test_only_the_worst_features_are_looked_into() -> None:
    served = table()
    for name, rows in (("a", 100), ("b", 300), ("c", 200)):
        served.loc[: rows - 1, name] += 1
    found = by_key(served, table(), named=2)
    causes = {one.where: one.cause for one in findings(found, MISMATCH)}
    assert causes["a"] == "not looked into: other features differ more"
    assert "offset" in causes["b"]
    assert "offset" in causes["c"]
    shown = [one for one in found if isinstance(one, Table)]
    assert [row[0] for row in shown[0].rows] == ["b", "c", "a"]
    assert shown[1].title == "Rows that differ: b"


def test_few_joined_rows_are_said_with_how_many_would_do() -> None:
    broken = findings(by_key(table(499).assign(b=0.5), table(499)), MISMATCH)
    assert [(one.where, one.verdict) for one in broken] == [("b", "failed"), ("", "inconclusive")]
    (found,) = findings(by_key(table(499), table(499)), MISMATCH)
    assert (found.verdict, found.n_to_settle) == ("inconclusive", 500)
    assert "499 rows meet" in found.note
    assert [one.verdict for one in findings(by_key(table(500), table(500)), MISMATCH)] == ["passed"]


def test_the_share_of_served_keys_that_meet_is_held_and_the_other_way_is_shown() -> None:
    enough, back = findings(by_key(table(), table(900)), "keys")
    assert (enough.name, enough.verdict, enough.advisory) == (COVERAGE, "passed", False)
    assert enough.interval is not None
    assert enough.interval.value == 0.9
    assert (back.verdict, back.advisory) == ("passed", True)
    enough, back = findings(by_key(table(900), table(2_000)), "keys")
    assert (enough.verdict, back.verdict, back.advisory) == ("passed", "failed", True)


def test_keys_that_do_not_meet_leave_doubt_and_ambiguous_ones_are_counted() -> None:
    twice = pd.concat([table(), table(300, seed=2)])
    ambiguous = findings(by_key(twice, table()), COVERAGE)[0]
    assert ambiguous.verdict == "inconclusive"
    assert "only 70.0% of 1,000 do" in ambiguous.note
    assert "300 served keys are missing or name several different rows" in ambiguous.note
    plain = findings(by_key(table(), table(700)), COVERAGE)[0]
    assert plain.note == "only 70.0% of 1,000 do; the rest is not compared"


def test_without_a_key_each_part_is_held_and_the_worst_is_pictured() -> None:
    found = in_window(table().assign(a=lambda f: f["a"] + 3), table(seed=2))
    failed = {one.name for one in findings(found) if one.verdict == "failed"}
    assert "same-window distance of numbers (KS)" in failed
    assert all(one.cause for one in findings(found) if one.verdict == "failed")
    assert len(found) == len(findings(found)) + 1
    sound = findings(in_window(table(), table()))
    assert [one.cause for one in sound if one.cause] == []
    accusing = [one.interval.confidence for one in sound if one.interval is not None and "KS" in one.name]
    assert accusing == [pytest.approx(1 - 1e-3 / 5)]


def test_without_enough_rows_in_the_common_window_nothing_is_judged() -> None:
    (found,) = in_window(table(), table(499))
    assert isinstance(found, Finding)
    assert (found.verdict, found.n_to_settle) == ("inconclusive", 500)
    assert "499 served and 499 recomputed rows" in found.note
    assert len(in_window(table(), table(500))) > 1
    (found,) = in_window(table(), table().assign(at=pd.Timestamp("2020-01-01")))
    assert isinstance(found, Finding)
    assert found.note.endswith("declare a key that both have")


def scored(values: Sequence[Any], role: str = "score") -> Dataset:
    return open_dataset("data", pd.DataFrame({"score": values}), Roles(score=role))


def test_the_distance_of_scores_is_shown_and_never_judges() -> None:
    rng = np.random.default_rng(5)
    low, high = rng.random(2_000), rng.random(2_000) + 0.5
    (far,) = scores(scored(high), scored(low), 0.1, 1e-3)
    assert (far.verdict, far.advisory) == ("failed", True)
    assert far.interval is not None
    assert far.interval.value == pytest.approx(0.5, abs=0.05)
    (near,) = scores(scored(low), scored(low), 0.1, 1e-3)
    assert near.verdict == "passed"


@pytest.mark.parametrize(
    "other", [scored([0.5], role=""), scored(["high"]), scored([np.nan])], ids=["no role", "text", "no value"]
)
def test_scores_that_one_side_lacks_are_not_compared(other: Dataset) -> None:
    assert [*scores(scored([0.5]), other, 0.1, 1e-3), *scores(other, scored([0.5]), 0.1, 1e-3)] == []
