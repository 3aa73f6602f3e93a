"""Bounded copies of large tables: the rows with the least digests, without a digest of every row where that is dear."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.sampling import LUCK, ROOM

ROWS, WANTED = 30_000, 200
KEYED = Roles(key=("id",))


def table(ids: object) -> pa.Table:
    return pa.table({"id": ids, "place": np.arange(ROWS)})


def places(dataset: Dataset) -> list[int]:
    return [int(place) for place in dataset.sample(WANTED).frame()["place"]]


def test_the_case_is_one_in_which_most_rows_are_passed_over() -> None:
    assert ROOM * WANTED + LUCK < ROWS / 10


@pytest.mark.parametrize("source", [table(np.arange(ROWS)), table(np.arange(ROWS)).to_pandas()], ids=["arrow", "frame"])
def test_without_a_key_rows_from_all_over_the_table_come_in_their_order(source: object) -> None:
    found = places(open_dataset("training", source))

    assert len(set(found)) == WANTED
    assert found == sorted(found)
    assert min(np.histogram(found, bins=5, range=(0, ROWS))[0]) > WANTED / 10
    # Not in step with anything that repeats, such as the hours of a day.
    assert all(len({place % period for place in found}) == period for period in (2, 3, 7, 24))
    assert found == places(open_dataset("again", source))


def test_with_a_key_they_are_those_with_the_least_digests() -> None:
    found = open_dataset("training", table(np.arange(ROWS)[::-1] * 7), KEYED).sample(WANTED).frame()

    least = sorted(range(0, ROWS * 7, 7), key=lambda one: hashlib.md5(str(one).encode()).hexdigest())[:WANTED]
    assert set(found["id"]) == set(least)


def test_tables_with_the_same_keys_keep_matching_rows() -> None:
    ids = np.random.default_rng(1).permutation(ROWS)
    left, right = (open_dataset("one", table(one), KEYED).sample(WANTED).frame() for one in (ids, ids[::-1] * 1.0))

    assert set(left["id"]) == set(right["id"])


@pytest.mark.parametrize("key", ["", "a"])
def test_where_keys_repeat_there_are_as_many_rows(key: str) -> None:
    found = places(open_dataset("training", table(pd.array([key] * ROWS)), KEYED))

    assert found == list(range(WANTED))
