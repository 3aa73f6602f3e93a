"""Opening data: every source gives the same rows, a bad one gives a message that says what to do."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mltestscore.comparison import columns
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs import database
from mltestscore.inputs.dataset import Roles, open_dataset


@pytest.fixture
def folder(tmp_path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(tmp_path / "flights.parquet")
    frame.to_csv(tmp_path / "flights.csv", index=False)
    frame.to_json(tmp_path / "flights.jsonl", orient="records", lines=True)
    frame.head(20).to_parquet(tmp_path / "part-1.parquet")
    frame.tail(30).to_parquet(tmp_path / "part-2.parquet")
    (tmp_path / "source_functions.py").write_text(
        "import pandas as pd\n"
        "def load():\n    return pd.read_parquet(__file__.replace('source_functions.py', 'flights.parquet'))\n"
        "def number():\n    return 7\n"
        "def broken():\n    raise ValueError('the warehouse\\nsays no')\n"
    )
    return tmp_path


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_dtype=False, check_column_type=False)


@pytest.mark.parametrize(
    "source",
    [
        "flights.parquet",
        Path("flights.csv"),
        "flights.jsonl",
        "part-*.parquet",
        ["part-1.parquet", "part-2.parquet"],
        "source_functions:load",
    ],
    ids=str,
)
def test_files_and_functions_give_the_rows_that_were_written(source: object, folder: Path, frame: pd.DataFrame) -> None:
    dataset = open_dataset("training", source, base=folder)
    assert dataset.rows == 50
    assert dataset.columns == tuple(frame.columns)
    same(dataset.frame(), frame)


@pytest.mark.parametrize(
    "convert",
    [lambda f: f, pl.from_pandas, lambda f: pl.from_pandas(f).lazy(), pa.Table.from_pandas, lambda f: lambda: f],
)
def test_things_in_memory_give_their_rows(convert: object, frame: pd.DataFrame) -> None:
    dataset = open_dataset("training", convert(frame))  # type: ignore[operator]
    same(dataset.frame(), frame)
    assert dataset.table.temp.isnull().sum().to_pyarrow().as_py() == frame["temp"].isna().sum()


def test_an_ibis_table_is_queried_where_it_is(frame: pd.DataFrame) -> None:
    table = open_dataset("training", frame).table
    dataset = open_dataset("copy", table)
    assert dataset.table.get_backend() is table.get_backend()
    assert dataset.table.op().find(type(table.op())) == [table.op()]
    same(dataset.frame(["id"], limit=3), frame[["id"]].head(3))


def test_a_function_may_return_a_path(folder: Path) -> None:
    assert open_dataset("training", lambda: "flights.csv", base=folder).rows == 50


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("flights.parquett", ["there is no file 'flights.parquett'", "Did you mean 'flights.parquet'"]),
        ("nowhere/flights.parquet", ["nowhere", "does not exist either"]),
        ("no-*.parquet", ["no file matches 'no-*.parquet'"]),
        (".", ["is a folder", "*.parquet"]),
        ("source_functions.py", ["cannot tell the format", ".parquet"]),
        ("source_functions:laod", ["has no function 'laod'", "Did you mean 'load'"]),
        ("no_such_module:load", ["there is no module 'no_such_module' in"]),
        ("source_functions:number", ["returned an int", "expected data"]),
        ("source_functions:broken", ["source_functions:broken raised ValueError: the warehouse says no"]),
        ([], ["list of paths is empty"]),
        (["flights.csv", "flights.parquet"], ["several formats"]),
        (42, ["an int is not data"]),
        (None, ["None is not data"]),
    ],
    ids=str,
)
def test_a_source_that_cannot_be_used_is_named_with_the_remedy(source: object, words: list[str], folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_dataset("training", source, base=folder)
    message = str(caught.value)
    assert message.startswith("training")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["bad.parquet", "bad.jsonl"])
def test_a_corrupt_file_is_said_to_be_unreadable(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"{ this is not \x00 what it says" * 20)
    with pytest.raises(InputError, match=rf"training: cannot read .*{name} as"):
        open_dataset("training", name, base=tmp_path)


@pytest.mark.parametrize("name", ["empty.parquet", "empty.csv"])
def test_an_empty_file_is_said_to_be_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        open_dataset("training", name, base=tmp_path)


def test_zero_rows_are_an_error_that_names_the_columns(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"training \(pandas frame\) has no rows; its columns are id, temp"):
        open_dataset("training", frame.head(0))


@pytest.mark.parametrize("name", ["serving", "recomputed", "outcomes"])
def test_an_empty_batch_is_nothing_to_observe_and_no_error(name: str, frame: pd.DataFrame) -> None:
    with pytest.raises(NotOffered, match=rf"{name} is not offered; pandas frame has no rows, but columns \(id, temp"):
        open_dataset(name, frame.head(0))


def test_a_role_without_its_column_suggests_the_near_one(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"role 'label' names the column 'lat'.*Did you mean 'late'"):
        open_dataset("training", frame, Roles(label="lat"))


def test_a_required_column_that_is_missing_suggests_the_near_one(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"training \(pandas frame\) has no column 'carier'\. Did you mean 'carrier'"):
        open_dataset("training", frame).require("id", "carier")


def test_columns_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="more than one column named 'a'"):
        open_dataset("training", pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_features_are_the_columns_without_another_role(frame: pd.DataFrame) -> None:
    assert open_dataset("training", frame, Roles(label="late", key=("id",))).features == ("temp", "carrier")
    assert open_dataset("training", frame, Roles(features=("temp",))).features == ("temp",)


def test_a_named_index_becomes_a_column(frame: pd.DataFrame) -> None:
    assert open_dataset("training", frame.set_index("id")).columns[0] == "id"


def test_a_column_of_mixed_types_keeps_its_values_and_is_text_in_the_table() -> None:
    dataset = open_dataset("training", pd.DataFrame({"m": pd.Series([1, "x", None, 2.5, b"y"], dtype=object)}))
    assert dataset.frame()["m"].tolist() == [1, "x", None, 2.5, b"y"]
    assert dataset.table.m.to_pyarrow().to_pylist()[:4] == ["1", "x", None, "2.5"]


def test_instants_survive_time_zones_and_units() -> None:
    times = pd.Series(pd.date_range("2013-03-10 00:30", periods=4, freq="h", tz="America/New_York"))
    dataset = open_dataset("training", pd.DataFrame({"t": times, "n": times.dt.tz_localize(None)}))
    in_utc = dataset.table.to_pyarrow()
    assert in_utc["t"].to_pylist() == [time.to_pydatetime() for time in times]
    assert dataset.frame()["t"].dtype == times.dtype


@pytest.mark.parametrize(
    "values",
    [
        pd.period_range("2020", periods=3, freq="M"),
        pd.interval_range(0, 3),
        pd.Categorical(["a", None, "b"]),
        [None, None, None],
        np.array([1, 2, np.nan], dtype="float16"),
        np.array([1j, 2, 3]),
        pd.to_timedelta([1, 2, None], unit="s"),
        [{"a": 1}, {"a": 2}, None],
    ],
    ids=lambda values: str(getattr(values, "dtype", "list")),
)
def test_unusual_columns_can_be_counted(values: object) -> None:
    dataset = open_dataset("training", pd.DataFrame({"a": values}))
    assert dataset.table.a.count().to_pyarrow().as_py() == dataset.frame()["a"].notna().sum()
    assert len(dataset.digest) == 16


def test_the_table_outlives_its_dataset_and_is_let_go_with_it(frame: pd.DataFrame) -> None:
    table = open_dataset("training", frame).table
    name = table.get_name()
    assert table.count().to_pyarrow().as_py() == 50
    del table
    assert open_dataset("another", frame).table.count().to_pyarrow().as_py() == 50
    assert name not in database.connection().con.execute("FROM duckdb_views()").df()["view_name"].tolist()


def test_a_sample_is_the_same_every_time_and_keeps_dtypes(frame: pd.DataFrame) -> None:
    dataset = open_dataset("training", frame.astype({"carrier": "category"}))
    first, second = dataset.sample(10).frame(), dataset.sample(10).frame()
    pd.testing.assert_frame_equal(first, second)
    assert len(first) == 10
    assert first["id"].is_monotonic_increasing
    assert first["carrier"].dtype == "category"


def test_samples_by_key_match_whatever_the_order_and_the_dtype(frame: pd.DataFrame) -> None:
    roles = Roles(key=("id",))
    served = open_dataset("serving", frame, roles).sample(10).frame()
    shuffled = frame.sample(frac=1, random_state=1).astype({"id": "float64"})
    again = open_dataset("recomputed", pa.Table.from_pandas(shuffled, preserve_index=False), roles).sample(10).frame()
    assert set(served["id"]) == set(again["id"])


def test_a_sample_larger_than_the_data_is_a_copy(folder: Path) -> None:
    assert open_dataset("training", "flights.csv", base=folder).sample(1000).rows == 50


@pytest.mark.parametrize("roles", [Roles(), Roles(key=("id",))], ids=["no key", "key"])
def test_a_sample_of_a_sample_is_one_of_the_whole(frame: pd.DataFrame, roles: Roles) -> None:
    dataset = open_dataset("training", frame, roles)
    sample = dataset.sample(20)
    assert sample.sample(5) is dataset.sample(5)
    assert sample.sample(5).rows == 5
    assert sample.sample(1000) is sample


def test_what_replaces_a_sample_is_sampled_on_its_own(frame: pd.DataFrame) -> None:
    sample = open_dataset("training", frame).sample(20)
    broken = sample.replace(sample.frame().assign(carrier="XX"))
    assert set(broken.sample(5).frame()["carrier"]) == {"XX"}


def test_only_new_keys_are_asked(frame: pd.DataFrame) -> None:
    asked: list[list[str]] = []

    def ask(names: list[str]) -> list[int]:
        asked.append(names)
        return [len(name) for name in names]

    dataset = open_dataset("training", frame)
    found = [dataset.recall("length", names, ask) for names in (["id", "id"], ["id"], ["a", "id", "abc"])]
    assert (found, asked) == ([[2, 2], [2], [1, 2, 3]], [["id"], ["a", "abc"]])
    dataset.recall("another subject", ["id"], ask)
    dataset.replace(frame).recall("length", ["id"], ask)
    assert asked[2:] == [["id"], ["id"]]


def test_a_question_that_fails_is_asked_again(frame: pd.DataFrame) -> None:
    dataset = open_dataset("training", frame)
    with pytest.raises(ZeroDivisionError):
        dataset.recall("ratio", [0], lambda keys: [1 / key for key in keys])
    assert dataset.recall("ratio", [0], lambda keys: [5 for _ in keys]) == [5]


def test_a_sample_is_not_whole_and_what_replaces_it_neither(frame: pd.DataFrame) -> None:
    dataset = open_dataset("training", frame)
    sample = dataset.sample(10)
    assert (dataset.whole, dataset.sample(50).whole, sample.whole, sample.replace(frame).whole) == (
        True,
        True,
        False,
        False,
    )


def test_replace_leaves_the_original_alone(frame: pd.DataFrame) -> None:
    dataset = open_dataset("training", frame, Roles(label="late"))
    broken = dataset.frame()
    broken["temp"] = 0.0
    changed = dataset.replace(broken)
    assert (changed.name, changed.roles, changed.source) == (dataset.name, dataset.roles, dataset.source)
    assert dataset.frame()["temp"].isna().sum() == 8
    assert changed.digest != dataset.digest


def test_threads_share_one_connection(frame: pd.DataFrame) -> None:
    totals: list[int] = []

    def total() -> None:
        totals.append(open_dataset("training", frame).table.id.sum().to_pyarrow().as_py())

    threads = [threading.Thread(target=total) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [sum(range(50))] * 8


def test_a_result_that_nobody_read_to_its_end_costs_no_later_query() -> None:
    from mltestscore.inputs.database import connection

    connection().con.execute("SELECT * FROM range(1000000)")

    assert open_dataset("training", pd.DataFrame({"x": [1, 2]})).rows == 2


def test_zoned_nanoseconds_of_a_parquet_file_are_times(tmp_path):
    times = pd.to_datetime(["2024-01-01 00:00:00.9", "2024-01-01 00:00:00.5"]).tz_localize("Europe/Oslo")
    pd.DataFrame({"at": times.astype("datetime64[ns, Europe/Oslo]")}).to_parquet(tmp_path / "rows.parquet")
    table = open_dataset("rows", tmp_path / "rows.parquet").table
    assert table["at"].type().is_timestamp()
    seconds = columns.seconds(table["at"]).to_pyarrow().to_pylist()
    assert seconds == [1704063600.9, 1704063600.5]


@pytest.mark.parametrize("statistics", [True, False])
def test_nan_in_a_parquet_file_is_missing_whatever_its_statistics_say(tmp_path, statistics):
    # Arrow leaves NaN out of a file's least and largest values, which DuckDB then takes for a proof that there is none.
    rows = pa.table({"x": pa.array(np.array([0.5, np.nan, 2.0])), "g": ["a", "a", "b"]})
    pq.write_table(rows, tmp_path / "rows.parquet", write_statistics=statistics)
    table = open_dataset("rows", tmp_path / "rows.parquet").table
    assert table["x"].count().to_pyarrow().as_py() == 2
    assert table["x"].max().to_pyarrow().as_py() == 2.0
    assert table.filter(table["x"].isnull())["g"].to_pyarrow().to_pylist() == ["a"]


def test_nan_in_an_ibis_table_is_missing():
    given = database.as_table(pa.table({"x": pa.array(np.array([0.5, np.nan, 2.0]))}))
    assert open_dataset("rows", given).table["x"].count().to_pyarrow().as_py() == 2
