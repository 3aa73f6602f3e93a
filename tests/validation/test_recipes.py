"""What candidates are trained on: labels of every kind can be shuffled, misled and wrong on a slice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.stats.seeds import generator
from mltestscore.validation.recipes import Recipe, Ruined, frame_of, misled, ruinable, wrong
from tests.validation.shop import rows

KINDS = {
    "binary": lambda x: (x > 0).astype(int),
    "texts": lambda x: np.where(x > 0, "yes", "no"),
    "booleans": lambda x: x > 0,
    "classes": lambda x: np.digitize(x, [-1, 0, 1]),
    "amounts": lambda x: 10 * x,
    "counts": lambda x: np.floor(1000 * (x + 9)).astype("int64"),
}


def learned(kind: str, number: int = 600) -> pd.DataFrame:
    frame = rows(number, 3)
    return frame.assign(bought=KINDS[kind](frame["a"].to_numpy()))


def recipe_frame(frame: pd.DataFrame, recipe: Recipe, slices: tuple[Ruined, ...] = ()) -> pd.DataFrame:
    return frame_of(recipe, frame, "bought", ["a", "b", "city"], slices)


@pytest.mark.parametrize("kind", KINDS)
def test_shuffling_keeps_the_labels_and_unties_them_from_the_rows(kind):
    frame = learned(kind)
    found = recipe_frame(frame, Recipe("s", 4, shuffled=True))
    same = recipe_frame(frame, Recipe("s", 4))
    assert found.drop(columns="bought").equals(same.drop(columns="bought"))
    assert sorted(found["bought"]) == sorted(same["bought"])
    assert found["bought"].dtype == frame["bought"].dtype
    codes = pd.factorize(found["bought"], sort=True)[0]
    assert abs(np.corrcoef(codes, found["a"])[0, 1]) < 0.15


@pytest.mark.parametrize("kind", KINDS)
def test_misleading_ties_a_share_of_the_labels_to_an_idle_input_and_keeps_them_all(kind):
    frame = learned(kind)
    found = misled(frame["bought"], frame[["a", "b"]], 0.5, generator("test"))
    assert sorted(found) == sorted(frame["bought"])
    codes, before = (pd.factorize(one, sort=True)[0] for one in (found, frame["bought"]))
    assert abs(np.corrcoef(codes, frame["b"])[0, 1]) > abs(np.corrcoef(before, frame["b"])[0, 1]) + 0.2
    assert abs(np.corrcoef(codes, frame["a"])[0, 1]) < abs(np.corrcoef(before, frame["a"])[0, 1]) - 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_labels_are_wrong_on_their_rows_only_and_keep_their_kind(kind):
    labels = learned(kind)["bought"]
    hit = np.arange(len(labels)) < 100
    found = wrong(labels, hit)
    assert found.dtype == labels.dtype
    assert (found[~hit] == labels[~hit]).all()
    assert (found[hit] != labels[hit]).all()


def test_the_same_recipe_draws_the_same_rows_and_another_seed_others():
    frame = learned("binary")
    first, again, other = (recipe_frame(frame, Recipe("e", seed)) for seed in (2, 2, 3))
    assert first.equals(again)
    assert len(first) == len(other) == 540
    assert not first["id"].equals(other["id"])


def test_inputs_without_an_order_mislead_nobody():
    frame = pd.DataFrame({"list": [[1], [2]] * 50, "flat": [1.0] * 100, "empty": [None] * 100})
    labels = pd.Series([0, 1] * 50)
    assert misled(labels, frame, 0.5, generator("test")).equals(labels)


def test_the_slice_of_a_tenth_of_the_rows_is_ruined_and_never_a_large_or_a_tiny_one():
    sides = rows(4_000, 1), rows(3_000, 2)
    (found,) = ruinable(*sides, ["city"], ["a", "b", "city"], 200)
    assert found.name == "city = Lima"
    assert found.training.sum() == (sides[0]["city"] == "Lima").sum()
    assert found.judged.sum() == (sides[1]["city"] == "Lima").sum()
    assert ruinable(*sides, ["city"], ["city"], 2_000) == []
    assert [one.name for one in ruinable(*sides, [], ["a", "city"], 200)] == ["city = Lima"]


def test_columns_of_numbers_are_cut_at_the_same_values_on_both_sides():
    sides = rows(4_000, 1), rows(3_000, 2)
    (found,) = ruinable(*sides, ["a"], ["a"], 200)
    top = [sides[0].loc[found.training, "a"], sides[1].loc[found.judged, "a"]]
    assert abs(top[0].min() - top[1].min()) < 0.05 or abs(top[0].max() - top[1].max()) < 0.05
