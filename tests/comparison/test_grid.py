"""Columns counted cell by cell: nothing is lost, ranks are known to within a cell, frequent values exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.comparison import columns, grid
from mltestscore.comparison.grid import Cells, Grid, counted, laid, rows_at
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
    assert found.coarseness <= grid.COARSE
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


def test_a_grid_is_the_same_for_nearly_the_same_rows() -> None:
    values = SHAPES["normal"]
    assert Grid.around(values) == Grid.around(values * (1 + 1e-15))


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
