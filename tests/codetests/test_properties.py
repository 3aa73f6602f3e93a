"""The properties of two paths from raw rows to features: each broken one is found, what only looks so is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from mltestscore.codetests.properties import try_properties
from mltestscore.codetests.properties_of import (
    AGREE,
    ORDER,
    REPEATED,
    SIZE,
    TOTAL,
    UNTOUCHED,
    Broken,
    broken_properties,
)
from mltestscore.codetests.property_process import ENOUGH
from mltestscore.codetests.raw_rows import moments, raw_rows
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from tests.codetests.shop import RAW, features, write

Batch = Callable[[pd.DataFrame], pd.DataFrame]


def batch(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"total": rows["price"] * rows["count"], "hour": rows["at"].dt.hour})


def online(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"total": row["price"] * row["count"], "hour": row["at"].hour}


def broken(batch: Batch | None = batch, online: Any = online) -> dict[str, Broken]:
    found = broken_properties(RAW.copy, batch, online, 1e-9)
    return {name: one for name, one in found.items() if one is not None}


def test_sound_paths_break_nothing():
    assert broken() == {}
    assert set(broken_properties(RAW.copy, batch, online, 0)) == {TOTAL, REPEATED, UNTOUCHED, ORDER, SIZE, AGREE}


def test_one_path_alone_is_held_to_what_can_be_seen_of_it():
    assert AGREE not in broken_properties(RAW.copy, batch, None, 0)
    assert set(broken_properties(RAW.copy, None, online, 0)) == {TOTAL}


@pytest.mark.parametrize(
    ("bent", "names"),
    [
        (lambda rows: batch(rows).shift(1), {ORDER, SIZE, AGREE}),
        (lambda rows: batch(rows).assign(hour=rows["count"] - rows["count"].mean()), {SIZE, AGREE}),
        (lambda rows: batch(rows).assign(hour=random.random()), {REPEATED, ORDER, SIZE, AGREE}),
        (lambda rows: batch(rows).assign(hour=batch(rows)["hour"].replace(0, 24) + 0.001), {AGREE}),
        (lambda rows: batch(rows.sort_values("price")).reset_index(drop=True), {ORDER, SIZE, AGREE}),
    ],
    ids=["the row before", "the frame's mean", "random", "another value", "sorted"],
)
def test_a_batch_path_breaks_just_the_properties_that_it_breaks(bent: Batch, names: set[str]):
    assert set(broken(bent)) == names


def test_a_path_that_writes_into_its_input_is_named_with_the_column():
    def writes(rows: pd.DataFrame) -> pd.DataFrame:
        rows["price"] = rows["price"].fillna(0.0)
        return batch(rows.assign(price=RAW["price"].reindex(rows.index)))

    def adds(rows: pd.DataFrame) -> pd.DataFrame:
        rows["hour"] = rows["at"].dt.hour
        return batch(rows)

    assert (broken(writes)[UNTOUCHED].feature, broken(adds)[UNTOUCHED].feature) == ("price", "hour")
    assert broken(adds)[UNTOUCHED].said == "a column is added"


@pytest.mark.parametrize(
    ("bent", "said"),
    [
        (lambda rows: batch(rows).dropna(), "batch returned 7 rows for 8 rows"),
        (lambda rows: batch(rows).to_numpy(), "batch returned ndarray for 8 rows"),
        (lambda rows: batch(rows.drop(columns="price")), "batch raised KeyError: 'price'"),
    ],
)
def test_a_batch_path_that_gives_no_row_for_each_row_is_refused(bent: Batch, said: str):
    assert broken(bent)[TOTAL].said.startswith(said)


def test_a_serving_path_that_raises_is_refused():
    assert broken(online=lambda row: row["nothing"])[TOTAL].said == "online raised KeyError: 'nothing'"


def test_gaps_types_and_last_digits_make_no_other_feature():
    def other(row: Mapping[str, Any]) -> dict[str, Any]:
        total = None if pd.isna(row["price"]) else 3 * (row["price"] * row["count"] / 3)
        return {"hour": float(row["at"].hour), "total": total, "more": 1}

    assert broken(online=other) == {}


def test_paths_without_a_common_feature_cannot_agree():
    assert "share no feature" in broken(online=lambda row: {"x": 1})[AGREE].said


# --- raw rows -------------------------------------------------------------------------------------------------------


def labels(times: pd.Series, zone: str = "America/New_York") -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for label, value in moments(times, zone):
        found.setdefault(label, []).append(value)
    return found


def test_naive_times_are_moved_on_the_wall_clock_and_never_into_a_gap():
    found = labels(pd.Series(pd.to_datetime(["2013-05-01 12:30"])))
    assert found["midnight"] == [pd.Timestamp("2013-05-01")]
    assert found["the leap day"] == [pd.Timestamp("2012-02-29 12:00")]
    assert found["the moment of a change of the clock"] == [
        pd.Timestamp("2013-03-10 03:00"),
        pd.Timestamp("2013-11-03 01:00"),
    ]
    skipped = pd.Timestamp("2013-03-10 02:00"), pd.Timestamp("2013-03-10 03:00")
    assert not any(skipped[0] <= value < skipped[1] for values in found.values() for value in values)


def test_aware_times_stay_aware_and_name_both_sides_of_a_change():
    found = labels(pd.Series(pd.to_datetime(["2013-05-01 12:30"], utc=True)))
    assert found["midnight"] == [pd.Timestamp("2013-05-01 04:00", tz="UTC")]
    assert found["the moment of a change of the clock"][0] == pd.Timestamp("2013-03-10 07:00", tz="UTC")


def test_dates_stay_dates_and_a_zone_without_changes_has_none():
    found = labels(pd.Series([pd.Timestamp("2024-05-01").date()], dtype=object), "UTC")
    assert found["the leap day"] == [pd.Timestamp("2024-02-29").date()]
    assert not any("clock" in label for label in found)
    assert labels(pd.Series([], dtype="datetime64[us]")) == {}


def test_a_column_with_rules_gets_its_edges_in_its_own_type_and_others_keep_their_values(tmp_path):
    rules = [Rule("expect_column_values_to_be_between", {"column": "count", "min_value": 1, "max_value": 99})]
    rules.append(Rule("expect_column_values_to_not_be_null", {"column": "count"}))
    code = features(write(tmp_path), raw_schema=Schema("suite", rules))
    frame, edges = raw_rows(code)
    assert len(frame) == len(RAW)
    by_column = {one.column: one for one in edges}
    assert set(by_column) == {"count", "at"}
    assert sorted(by_column["count"].values.tolist()) == [1, 99]
    assert by_column["count"].values.dtype == RAW["count"].dtype


# --- in a process of its own ----------------------------------------------------------------------------------------


def test_the_smallest_rows_that_were_found_are_shown(tmp_path):
    paths = (tmp_path / "shop" / "paths.py", 'rows["price"] < 10', 'rows["price"] <= 10')
    write(tmp_path)
    paths[0].write_text(paths[0].read_text().replace(*paths[1:]))
    tries = try_properties(features(tmp_path), examples=15, seconds=30, tolerance=1e-9)
    (bad,) = [one for one in tries.properties if one.broken]
    assert (bad.name, bad.feature, bad.values) == (AGREE, "cheap", ("True", "False"))
    assert bad.rows.startswith("1 rows: [{'price': 10.0")
    assert 1 <= bad.broken <= ENOUGH


def test_the_same_rows_are_tried_each_time(tmp_path):
    code = features(write(tmp_path))
    fresh = code.replace(memory={})
    first, second = (try_properties(one, examples=5, seconds=30, tolerance=0) for one in (code, fresh))
    assert first == second
    assert first is not second
    assert try_properties(code.deafened(), examples=5, seconds=30, tolerance=0) is first  # tests have no part in it


def test_a_path_that_hangs_is_stopped(tmp_path, monkeypatch):
    from mltestscore.codetests import properties
    from mltestscore.errors import InputError

    monkeypatch.setattr(properties, "START", 3.0)
    write(tmp_path)
    (tmp_path / "shop" / "paths.py").write_text("import time\ndef batch(rows):\n    time.sleep(100)\n")
    with pytest.raises(InputError, match="did not come back"):
        try_properties(features(tmp_path, online=""), examples=1, seconds=1.0, tolerance=0)


def test_text_that_lies_beyond_the_cap_is_cut(tmp_path):
    long = pd.DataFrame({"name": ["x" * 10_000] * 3})
    found = broken_properties(long.copy, lambda rows: rows, lambda row: {"name": "y" * 10_000}, 0)[AGREE]
    assert found is not None
    assert all(len(value) <= 200 for value in found.values)
    assert open_dataset("raw", long).rows == 3


@pytest.mark.slow
def test_a_slow_path_is_not_shrunk_for_ever_and_still_shown(tmp_path):
    write(tmp_path)
    paths = tmp_path / "shop" / "paths.py"
    text = paths.read_text().replace('rows["price"] < 10', 'rows["price"] <= 10')
    paths.write_text("import time\n" + text.replace("def batch(rows):", "def batch(rows):\n    time.sleep(0.3)"))
    tries = try_properties(features(tmp_path), examples=5, seconds=30, tolerance=1e-9)
    assert [one.name for one in tries.properties if one.broken] == [AGREE]
