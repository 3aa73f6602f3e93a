"""The rows that differ, with what stands around them, and the cause that explains most of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.attribution import explain, facts_of
from mltestscore.comparison.cause import Cause
from mltestscore.comparison.differing import Rows
from mltestscore.comparison.join import KeyJoin, join
from mltestscore.inputs.dataset import Roles, open_dataset

ROWS = 400
ROLES = Roles(key=("id", "hour"))
REAL = np.random.default_rng(1).normal(50, 10, ROWS)


def table(**columns: Any) -> pd.DataFrame:
    """Four entities, an hour a row: in key order, ``place`` counts up."""
    hours = pd.date_range("2013-01-01", periods=ROWS // 4, freq="h")
    keys = {"id": np.repeat(list("abcd"), len(hours)), "hour": np.tile(hours, 4)}
    return pd.DataFrame({**keys, "place": np.arange(float(ROWS)), "x": REAL, "name": "n"} | columns)


def joined(served: pd.DataFrame, computed: pd.DataFrame, *features: str) -> KeyJoin:
    sides = [open_dataset(name, frame, ROLES) for name, frame in (("serving", served), ("recomputed", computed))]
    return join(sides[0], sides[1], features, 1e-6)


def cause(served: Any, computed: Any = REAL) -> Cause | None:
    found = joined(table(x=served), table(x=computed), "x")
    return explain(Rows(found, found.features), found.features[0])


def some(count: int) -> np.ndarray:
    """Return which rows are broken, spread over the table."""
    return np.isin(np.arange(ROWS), np.random.default_rng(2).permutation(ROWS)[:count])


def test_only_rows_that_do_not_match_are_looked_at() -> None:
    served = table()
    served.loc[7, "place"], served.loc[9, "place"] = -1.0, np.nan
    found = joined(served, table(), "place")
    rows = Rows(found, found.features[:1]).of(found.features[0]).sort_values("computed")
    assert list(rows["computed"]) == [7, 9]
    assert list(rows["served"].fillna(-9)) == [-1, -9]
    assert (list(rows["gone"]), list(rows["none"])) == ([False, True], [False, False])
    assert (list(rows["entity"]), list(rows["key_0"])) == (["a", "a"], ["a", "a"])


def test_the_neighbours_are_those_in_key_order_whether_or_not_they_differ() -> None:
    served = table()
    served.loc[[0, 150, ROWS - 1], "place"] = -1.0
    shuffled = served.sample(frac=1, random_state=3)
    found = joined(shuffled, table().sample(frac=1, random_state=4), "place")
    rows, of = Rows(found, found.features[:1]), found.features[0]
    before, after = (rows.neighbours(of, side).assign(now=rows.of(of)["at"]) for side in ("before", "after"))
    order = rows.of(of)["computed"].argsort()
    before, after = before.iloc[order], after.iloc[order]
    assert list(before["value"].fillna(-9)) == [-9, 149, ROWS - 2]
    assert list(after["value"].fillna(-9)) == [1, 151, -9]
    assert list((before["now"] - before["at"])[1:]) == [3600, 3600]
    assert list((after["at"] - after["now"])[:2]) == [3600, 3600]


def test_other_features_are_at_hand_where_they_are_of_the_same_kind() -> None:
    found = joined(table(place=0.0), table(), "place", "x", "name")
    rows = Rows(found, found.features[:1]).of(found.features[0])
    assert {name for name in rows.columns if name.startswith("other_")} == {"other_1"}
    assert list(rows.sort_values("computed")["other_1"]) == list(REAL[1:])


def test_of_many_rows_always_the_same_few_are_taken() -> None:
    found = joined(table(place=-1.0), table(), "place")
    first, second, more = (Rows(found, found.features, each).of(found.features[0]) for each in (40, 40, 100))
    pd.testing.assert_frame_equal(first, second)
    assert (len(first), len(more)) == (40, 100)
    assert set(more["computed"]) >= set(first["computed"])


def test_where_nothing_differs_there_is_no_cause() -> None:
    assert cause(REAL) is None


def test_the_share_says_how_many_rows_a_cause_explains() -> None:
    served = np.where(some(40), REAL + 5, REAL)
    served[np.flatnonzero(some(40))[:8]] = REAL[:8] * 3.3 + 0.7
    found = cause(served)
    assert found is not None
    assert (found.name, found.share) == ("constant offset 5", 0.8)


def test_what_explains_too_few_rows_is_not_named() -> None:
    broken = np.flatnonzero(some(40))
    served = REAL.copy()
    served[broken[:20]] += 5
    served[broken[20:]] += np.random.default_rng(3).normal(0, 20, 20)
    assert cause(served) is None


def test_values_missing_here_and_there_are_told_from_ones_that_never_come() -> None:
    gone = cause(np.where(some(40), np.nan, REAL))
    assert gone == Cause("missing in serving, present in the training path", 1.0)
    assert cause(np.full(ROWS, np.nan)) == Cause("always missing in serving", 1.0)
    half = np.where(some(200), np.nan, REAL)
    assert cause(np.full(ROWS, np.nan), half) == Cause("always missing in serving", 1.0)


def test_one_value_for_what_is_missing_is_an_imputation_and_many_are_none() -> None:
    computed = np.where(some(40), np.nan, REAL)
    assert cause(np.where(some(40), 7.0, REAL), computed) == Cause(
        "imputed in serving only: 7.0 where the training path has none", 1.0
    )
    assert cause(REAL, computed) == Cause("missing in the training path, present in serving", 1.0)


def test_gaps_on_few_of_the_rows_leave_the_values_to_be_explained() -> None:
    served = np.where(some(100), REAL + 5, REAL)
    served[np.flatnonzero(some(100))[:10]] = np.nan
    assert cause(served) == Cause("constant offset 5", 0.9)


def test_text_for_numbers_is_named() -> None:
    words = pd.Series(REAL).astype(str).where(~some(40), "n/a")
    assert cause(words) == Cause("type: the served text is no number", 1.0)


def test_infinities_spoil_neither_the_cause_nor_the_centre() -> None:
    computed = REAL.copy()
    computed[:3] = np.inf
    served = computed + 5
    served[:3] = 0.0
    found = joined(table(x=served), table(x=computed), "x")
    facts = facts_of(found, found.features[0], 1.0)
    assert facts.mean == pytest.approx(REAL[3:].mean())
    assert facts.median == pytest.approx(np.median(REAL[3:]))
    assert facts.deviation == pytest.approx(REAL[3:].std(ddof=1))
    assert (facts.low, facts.high) == (REAL[3:].min(), np.inf)
    assert (facts.served_low, facts.served_high) == (0, served[3:].max())
    named = cause(served, computed)
    assert named is not None
    assert named.name == "constant offset 5"


def test_a_side_without_values_has_no_facts() -> None:
    found = joined(table(x=np.nan), table(), "x")
    facts = facts_of(found, found.features[0], 1.0)
    assert np.isnan([facts.served_low, facts.served_high]).all()
    assert facts.high == REAL.max()


def test_a_flag_is_inverted_only_where_it_is_on_nearly_all_rows() -> None:
    flags = np.random.default_rng(4).integers(0, 2, ROWS).astype(float)
    everywhere, here = cause(1 - flags, flags), cause(np.where(some(40), 1 - flags, flags), flags)
    assert everywhere is not None
    assert everywhere.name.startswith("inverted")
    assert here is None or not here.name.startswith("inverted")


def test_times_and_texts_are_explained_in_their_own_words() -> None:
    moment = pd.Series(pd.date_range("2013-06-01", periods=ROWS, freq="37min"))
    zone = cause(moment + pd.Timedelta("5h"), moment)
    assert zone is not None
    assert zone.name == "time zone: +5 h in serving"
    upper = cause(pd.Series(["Zoë", "b", "c", "d"] * 100).str.upper(), ["Zoë", "b", "c", "d"] * 100)
    assert upper is not None
    assert upper.name.startswith("case")
