"""Columns counted cell by cell: nothing is lost, ranks are known to within a cell, frequent values exactly."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.comparison import cells as counting
from mltestscore.comparison import columns, grid
from mltestscore.comparison.cells import counted, laid, rows_at
from mltestscore.comparison.grid import Cells, Grid
from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset, open_dataset

RNG = np.random.default_rng(1)
ROWS = 40_000
SHAPES = {
    "normal": RNG.normal(50, 10, ROWS),
    "log-normal": RNG.lognormal(0, 2, ROWS),
    "Cauchy": RNG.standard_cauchy(ROWS),
    "far from zero": 1.7e9 + RNG.random(ROWS),
    "tiny": RNG.normal(0, 1e-200, ROWS),
    "one outlier": np.append(RNG.normal(size=ROWS - 1), 1e12),
    "constant at first": np.where(np.arange(ROWS) < 12_000, 5.0, RNG.normal(size=ROWS)),
    "mostly zero": np.where(RNG.random(ROWS) < 0.9, 0.0, RNG.normal(size=ROWS)),
    "counts": RNG.poisson(20, ROWS).astype(float),
}


def data(values: object) -> Dataset:
    return open_dataset("data", pd.DataFrame({"x": values}))


def cells(values: object, over: Grid | None = None) -> Cells:
    table = data(values).table
    x = columns.number(table["x"])
    return (laid(table, {"x": x}) if over is None else counted(table, {"x": (x, over)}))["x"]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank_is_known_to_within_half_a_per_cent(shape: str) -> None:
    values = np.sort(SHAPES[shape])
    found = cells(SHAPES[shape])
    assert found.coarseness <= counting.COARSE
    assert (found.present, found.missing, found.range) == (ROWS, 0, (values[0], values[-1]))
    assert (np.diff(found.place) > 0).all()
    assert (found.low[1:] > found.high[:-1]).all()
    ends = np.searchsorted(values, found.high, side="right")
    assert ends.tolist() == np.cumsum(found.count).tolist()
    assert found.fractions == (values != np.floor(values)).sum()


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.one_of(st.floats(allow_nan=False), st.integers(-5, 5).map(float), st.none()), min_size=1, max_size=60)
)
def test_of_any_numbers_none_is_lost(values: list[float | None]) -> None:
    known = np.array([one for one in values if one is not None])
    found = cells(pd.Series(values, dtype="float64"))
    assert (found.present, found.missing) == (len(known), len(values) - len(known))
    if len(known):
        assert found.range == (known.min(), known.max())
        assert found.beyond(-1.0, 1.0)[0] <= (np.abs(known) > 1).sum() <= found.beyond(-1.0, 1.0)[1]
        wanted = sorted({one + 0.0 for one in known[np.isfinite(known)].tolist()})
        table = data(pd.Series(values, dtype="float64")).table
        at = rows_at(table, columns.number(table["x"]), found, wanted)
        assert at == {one: (known == one).sum() for one in wanted}


def test_infinities_lie_at_the_ends_and_are_no_whole_numbers() -> None:
    found = cells([np.inf, -np.inf, -np.inf, 1.0, 2.5, None])
    assert (found.low[0], found.count[0], found.high[-1], found.count[-1]) == (-np.inf, 2, np.inf, 1)
    assert (found.fractions, found.missing) == (4, 1)


def test_frequent_values_are_counted_exactly_wherever_they_lie() -> None:
    """Between others in their cell, alone, beyond all others; what is smooth holds none."""
    values = RNG.normal(size=ROWS)
    values[:4_000], values[4_000:4_060], values[4_060:4_070] = 0.0, -999.0, 0.25
    found = cells(values)
    assert list(found.atoms.items()) == [(0.0, 4_000), (-999.0, 60)]
    assert found.coarseness < 0.002
    assert cells(SHAPES["log-normal"]).atoms == {}
    assert cells(SHAPES["counts"]).atoms == {
        float(one): n for one, n in pd.Series(SHAPES["counts"]).value_counts().items() if n >= grid.RARE * ROWS
    }


def test_the_other_side_is_counted_over_the_same_cells() -> None:
    usual = cells(SHAPES["normal"])
    other = cells(SHAPES["normal"] * 100 + 7, usual.grid)
    assert other.grid == usual.grid
    assert other.present == ROWS
    assert other.coarseness > usual.coarseness


def test_no_values_have_no_cells() -> None:
    found = cells(pd.Series([None, None], dtype="float64"))
    assert (len(found.place), found.missing, found.atoms, found.coarseness) == (0, 2, {}, 0.0)
    assert np.isnan(found.range).all()
    assert np.isnan(found.quantile(0.5))


def test_a_nan_in_a_parquet_file_is_missing_whatever_the_column_is_called(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    names = ['a "quoted" name', "x"]
    frame = pd.DataFrame({names[0]: np.array([1.5, np.nan, 2.0], dtype="float32"), "x": [np.nan, 1.0, None]})
    frame.to_parquet(path)
    table = open_dataset("odd", path).table
    found = laid(table, {name: columns.number(table[name]) for name in names})
    assert [found[name].missing for name in names] == [1, 2]


MANY = 400_000
LARGE_SHAPES = {
    "normal": RNG.normal(50, 10, MANY),
    "log-normal": RNG.lognormal(0, 1, MANY),
    "far from zero": 1.7e9 + RNG.normal(0, 1e5, MANY),
    "tiny": RNG.normal(0, 1e-200, MANY),
}


def by_rows_alone(values: object, over: Grid | None = None) -> Cells:
    """Return the cells as of a table that is large."""
    table = data(values).table
    x = columns.number(table["x"])
    found = laid(table, {"x": x}, counting.DENSE) if over is None else counted(table, {"x": (x, over)}, counting.DENSE)
    return found["x"]


@pytest.mark.parametrize("shape", LARGE_SHAPES)
def test_of_a_large_table_only_the_rows_of_each_cell_are_counted_and_say_the_same(shape: str) -> None:
    values = np.where(np.arange(len(LARGE_SHAPES[shape])) % 10 == 0, np.nan, LARGE_SHAPES[shape])
    exact, found = cells(values), by_rows_alone(values)
    assert (found.grid, found.missing, found.fractions) == (exact.grid, exact.missing, exact.fractions)
    assert (found.place.tolist(), found.count.tolist()) == (exact.place.tolist(), exact.count.tolist())
    assert not found.exact
    assert (found.low <= exact.low).all()
    assert (found.high >= exact.high).all()
    assert found.high[0] < exact.high[-1]
    for ours, theirs in zip(found.moments(), exact.moments(), strict=True):
        assert ours[0] <= theirs[0] <= theirs[1] <= ours[1]
    assert found.coarseness <= counting.COARSE


@pytest.mark.parametrize(
    "values",
    [
        np.append(LARGE_SHAPES["normal"], np.inf),
        np.append(LARGE_SHAPES["normal"], [-999.0] * 600),
        np.where(np.arange(MANY) > MANY - 10_000, np.round(LARGE_SHAPES["normal"]), LARGE_SHAPES["normal"]),
        SHAPES["one outlier"],
        SHAPES["counts"],
        np.full(ROWS, np.nan),
    ],
    ids=["infinity", "frequent at last", "rounded at last", "outlier", "counts", "none"],
)
def test_values_are_asked_for_where_the_rows_of_a_cell_do_not_tell(values: np.ndarray) -> None:
    exact, found = cells(values), by_rows_alone(values)
    assert found.exact
    assert found.range == pytest.approx(exact.range, nan_ok=True)
    assert (found.atoms, found.fractions, found.missing) == (exact.atoms, exact.fractions, exact.missing)


def test_a_few_whole_numbers_among_fractions_are_counted_in_a_large_table() -> None:
    values = LARGE_SHAPES["normal"] * 1e6
    values[20_000:20_200] = np.round(values[20_000:20_200])
    found = by_rows_alone(values)
    assert (found.exact, found.fractions) == (False, MANY - 200)


def test_the_settings_of_the_database_are_as_before() -> None:
    con = data([1.0]).table.get_backend().con
    asked = "SELECT current_setting('perfect_ht_threshold'), current_setting('disabled_optimizers')"
    before = con.execute(asked).fetchall()
    numbers = data(SHAPES["normal"]).table
    laid(numbers, {"x": columns.number(numbers["x"])}, counting.DENSE)
    table = data(pd.date_range("2026-01-01", periods=3)).table
    assert columns.extent(table, "x")[2] == 3
    with pytest.raises(duckdb.Error), database.many_small_groups(table):
        table.mutate(y=table["x"].cast("string").cast("int64")).to_pyarrow()
    assert con.execute(asked).fetchall() == before
