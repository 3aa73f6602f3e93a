"""Bounded copies of large tables: the rows with the least digests, without a digest of every row where that is dear."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.sampling import BLOCKS, LUCK, ROOM

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


def in_row_groups(folder: Path, groups: int) -> Dataset:
    frame = pd.DataFrame({"place": np.arange(ROWS), "x": np.where(np.arange(ROWS) % 3, 1.5, np.nan)})
    pq.write_table(pa.Table.from_pandas(frame), folder / "rows.parquet", row_group_size=-(-ROWS // groups))
    return open_dataset("training", folder / "rows.parquet")


def test_an_excerpt_of_a_large_file_comes_from_a_few_row_groups_from_first_to_last(tmp_path: Path) -> None:
    found = in_row_groups(tmp_path, 100).excerpt(WANTED).frame()

    groups = (found["place"] // (ROWS // 100)).unique()
    assert len(found) == found["place"].nunique() == WANTED
    assert (len(groups), groups.min(), groups.max()) == (BLOCKS, 0, 99)
    assert (found["x"].isna() == (found["place"] % 3 == 0)).all()


def test_an_excerpt_of_a_small_file_is_a_sample(tmp_path: Path) -> None:
    data = in_row_groups(tmp_path, BLOCKS - 1)

    assert data.excerpt(WANTED) is data.sample(WANTED)


def test_an_excerpt_of_many_files_reads_few(tmp_path: Path) -> None:
    for month in range(40):
        pd.DataFrame({"place": np.arange(500) + 500 * month}).to_parquet(tmp_path / f"{month:02}.parquet")
    found = open_dataset("training", str(tmp_path / "*.parquet")).excerpt(WANTED).frame()

    assert len(found) == WANTED


def test_an_empty_row_group_gives_no_rows_to_an_excerpt(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with pq.ParquetWriter(path, pa.schema({"place": pa.int64()})) as writer:
        for group in range(12):
            here = range(100 * group, 100 * group + 100) if group % 11 else []
            writer.write_table(pa.table({"place": pa.array(here, pa.int64())}))
    data = open_dataset("training", path)

    found = data.excerpt(40).frame()

    assert pq.ParquetFile(path).metadata.row_group(0).num_rows == 0
    assert len(found) == 40


def test_where_a_folder_is_a_column_too_an_excerpt_has_it(tmp_path: Path) -> None:
    for year in (2024, 2025):
        (tmp_path / f"year={year}").mkdir()
        frame = pa.table({"place": np.arange(ROWS)})
        pq.write_table(frame, tmp_path / f"year={year}" / "rows.parquet", row_group_size=100)
    data = open_dataset("training", str(tmp_path / "*" / "*.parquet"))

    assert list(data.excerpt(WANTED).frame().columns) == list(data.columns)
