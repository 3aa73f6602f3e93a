from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.join import Differences, KeyJoin, join
from mltestscore.comparison.keys import key_of
from mltestscore.inputs.dataset import Roles, open_dataset

ROLES = Roles(key=("id",), features=("x", "name"))


def frame() -> pd.DataFrame:
    return pd.DataFrame({"id": [1, 2, 3, 4], "x": [0.1, 200.0, np.nan, np.inf], "name": ["a", "b", None, ""]})


def joined(served: pd.DataFrame, computed: pd.DataFrame, roles: Roles = ROLES) -> KeyJoin:
    return join(
        open_dataset("serving", served, roles), open_dataset("recomputed", computed, roles), roles.features, 1e-6
    )


def of(feature: str, found: KeyJoin) -> Differences:
    return next(one for one in found.features if one.feature == feature)


def test_equal_missing_and_infinite_values_match() -> None:
    assert [one.rows for one in joined(frame(), frame()).features] == [0, 0]


@pytest.mark.parametrize(("factor", "differs"), [(1 + 5e-7, 0), (1 + 5e-6, 1)])
def test_numbers_match_within_the_relative_tolerance(factor: float, differs: int) -> None:
    served = frame().assign(x=lambda f: f["x"].where(f["id"] != 2, 200 * factor))
    assert of("x", joined(served, frame())).differing == differs


def test_a_value_missing_on_one_side_is_a_class_of_its_own() -> None:
    served = frame().assign(x=[0.1, np.nan, 5.0, np.inf])
    found = of("x", joined(served, frame()))
    assert (found.differing, found.missing_served, found.missing_computed) == (0, 1, 1)


def test_an_empty_text_is_missing() -> None:
    assert of("name", joined(frame().assign(name=["a", "", "c", None]), frame())).missing_served == 1


def test_numbers_served_as_text_match_and_other_text_differs() -> None:
    served = frame().assign(x=["0.1", "2e2", None, "n/a"])
    assert of("x", joined(served, frame())).differing == 1


@pytest.mark.parametrize("key", [["1", "2", "3", "4"], [1.0, 2.0, 3.0, 4.0], np.array([1, 2, 3, 4], dtype="int8")])
def test_keys_meet_whatever_their_dtype(key: object) -> None:
    assert joined(frame().assign(id=key), frame()).joined == 4


def test_large_keys_are_not_rounded() -> None:
    big = frame().assign(id=[2**60 + place for place in range(4)])
    assert joined(big, big.assign(id=big["id"] + 1)).joined == 3


def test_repeated_rows_count_once_and_contradicting_ones_not_at_all() -> None:
    served = pd.concat([frame(), frame().head(1), frame().iloc[[1]].assign(x=7.0)])
    found = joined(served, frame())
    assert (found.served, found.served_once, found.joined) == (4, 3, 3)


def test_rows_without_a_key_meet_nobody() -> None:
    found = joined(frame().assign(id=[1.0, 2.0, np.nan, np.nan]), frame())
    assert (found.served, found.joined) == (4, 2)


def test_a_key_declared_on_one_side_is_used_where_the_other_has_the_column() -> None:
    keyed, plain = open_dataset("a", frame(), ROLES), open_dataset("b", frame())
    assert key_of(keyed, plain) == key_of(plain, keyed) == (("id",), ("id",))
    assert key_of(plain, plain) == ((), ())


def test_column_names_of_any_kind_are_compared() -> None:
    odd = "</script>'\"; DROP TABLE x"
    roles = Roles(key=("id",), features=(odd, "served_0"))
    served = frame().rename(columns={"x": odd, "name": "served_0"})
    assert [one.rows for one in joined(served, served, roles).features] == [0, 0]


def test_infinity_differs_from_any_number() -> None:
    assert of("x", joined(frame().assign(x=[np.inf, 200.0, np.nan, -np.inf]), frame())).differing == 2


def test_a_wide_join_in_groups_of_features_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    served = frame().assign(x=[0.2, np.nan, 5.0, np.inf], name=["b", "b", "c", None])
    whole = joined(served, frame())
    monkeypatch.setattr("mltestscore.comparison.join.MEMORY", 1)
    assert joined(served, frame()).features == whole.features
    assert [one.rows for one in whole.features] == [3, 2]


def test_exact_repetitions_and_contradictions_are_told_apart_on_both_sides() -> None:
    computed = pd.concat([frame(), frame(), frame().iloc[[2]].assign(name="other")])
    found = joined(frame(), computed)
    assert (found.computed, found.computed_once, found.joined) == (4, 3, 3)
    assert [one.rows for one in found.features] == [0, 0]
