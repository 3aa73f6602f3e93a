"""Of many rows that differ a bounded number is looked at, and a detour that saves work finds the same ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison import differing
from mltestscore.comparison.differing import Rows
from mltestscore.comparison.join import KeyJoin, join
from mltestscore.inputs.dataset import Roles, open_dataset

ROWS = 3_000
ROLES = Roles(key=("who", "day"))


def table() -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=ROWS // 10, freq="D")
    keys = {"who": np.tile(list("abcdefghij"), len(days)), "day": np.repeat(days, 10)}
    return pd.DataFrame({**keys, "often": np.arange(float(ROWS)), "rare": np.arange(float(ROWS)), "name": "n"})


@pytest.fixture(scope="module")
def found() -> KeyJoin:
    served = table().assign(often=-1.0)
    served.loc[::300, "rare"] = np.nan
    sides = [open_dataset(name, frame, ROLES) for name, frame in (("serving", served), ("recomputed", table()))]
    return join(sides[0], sides[1], ("often", "rare", "name"), 1e-6)


def test_each_feature_has_its_own_rows_and_all_rows_of_a_rare_difference_are_kept(found: KeyJoin) -> None:
    rows = Rows(found, found.features[:2], 100)
    assert len(rows.of(found.features[0])) == 100
    assert sorted(rows.of(found.features[1])["computed"]) == list(range(0, ROWS, 300))
    assert rows.of(found.features[1])["gone"].all()


@pytest.mark.parametrize("drawn_at_most", [100, 20_000])
def test_drawing_keys_before_the_join_finds_the_same_rows(
    found: KeyJoin, monkeypatch: pytest.MonkeyPatch, drawn_at_most: int
) -> None:
    """Where only 100 rows may be drawn, both features count as rare; where 20,000 may, both as frequent."""
    whole = Rows(found, found.features[:2], 100)
    monkeypatch.setattr(differing, "SMALL", 0)
    few = Rows(found, found.features[:2], 100)
    monkeypatch.setattr(differing, "IN_ALL", drawn_at_most)
    for one in found.features[:2]:
        pd.testing.assert_frame_equal(few.of(one), whole.of(one))


def test_a_whole_key_is_drawn_and_not_all_rows_of_an_entity(found: KeyJoin) -> None:
    chosen = Rows(found, found.features[:1], 100).of(found.features[0])
    assert chosen["entity"].nunique() == 10
    assert chosen["at"].nunique() > 50


def test_typical_rows_are_of_both_sides_whether_or_not_they_differ(found: KeyJoin) -> None:
    served, computed = Rows(found, found.features[:2]).typical(found.features[1])
    assert (len(served), len(computed)) == (ROWS, ROWS)
    assert served.isna().sum() == 10
