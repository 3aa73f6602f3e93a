"""The same content gives the same digest, whatever library or dtype holds it; another cell gives another."""

from __future__ import annotations

from pathlib import Path

import ibis
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from mltestscore.inputs import digests, sources
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset


@pytest.fixture
def folder(tmp_path: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(tmp_path / "flights.csv", index=False)
    return tmp_path


def test_the_digest_does_not_depend_on_the_dtype_backend(frame: pd.DataFrame) -> None:
    digest = open_dataset("training", frame).digest
    for other in (
        frame.convert_dtypes(),
        frame.astype({"id": "float64", "carrier": "object"}),
        frame.astype({"carrier": "category"}),
        pl.from_pandas(frame),
        frame.convert_dtypes(dtype_backend="pyarrow"),
    ):
        assert open_dataset("training", other).digest == digest


def test_the_digest_of_files_depends_on_their_bytes_only(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("copy")
    (elsewhere / "flights.csv").write_bytes((folder / "flights.csv").read_bytes())
    digest = open_dataset("training", "flights.csv", base=folder).digest
    assert open_dataset("training", "flights.csv", base=elsewhere).digest == digest
    with (elsewhere / "flights.csv").open("a") as stream:
        stream.write("99,1.5,C1,True\n")
    assert open_dataset("training", "flights.csv", base=elsewhere).digest != digest


def test_the_digest_of_a_database_table_does_not_depend_on_row_order(frame: pd.DataFrame) -> None:
    table = open_dataset("training", frame).table
    digest = open_dataset("training", table).digest
    assert open_dataset("training", table.order_by(ibis.desc("id"))).digest == digest
    assert open_dataset("training", table.limit(49)).digest != digest


FRAMES = data_frames(
    [column("n", dtype=int), column("x", dtype=float), column("s", elements=st.text(max_size=4), dtype=object)],
    index=range_indexes(min_size=2, max_size=6),
)


@settings(deadline=None, max_examples=40)
@given(frame=FRAMES, data=st.data())
def test_one_changed_cell_changes_the_digest(frame: pd.DataFrame, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["n", "x", "s"]))
    row = data.draw(st.integers(0, len(frame) - 1))
    changed = frame.copy()
    changed[name] = changed[name].astype(object)
    changed.loc[row, name] = "other" if name == "s" else 12345.5
    before, after = (Dataset("d", sources.Content("", frame=one), Roles()).digest for one in (frame, changed))
    assert (before == after) == (frame.loc[row, name] == changed.loc[row, name])


def test_settings_names_and_bytes_of_files_all_count(tmp_path: Path) -> None:
    def of(settings: object, **files: str) -> str:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return digests.of_settings(settings, [tmp_path / name for name in files], tmp_path)

    first = of(("train", 3), a="x", b="y")
    assert first == of(("train", 3), a="x", b="y")
    others = [of(("train", 4), a="x", b="y"), of(("train", 3), a="x", b="z"), of(("train", 3), a="x", c="y")]
    shifted = [of(("train", 3), a="xb", b="y"), of(("train", 3), ab="x", b="y"), of(("train", 3), a="x")]
    assert len({first, *others, *shifted}) == 7
    assert of("\udc80") != of("\\udc80x")
