"""The grid: where cells lie, and that no value leaves its cell by rounding."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltestscore.comparison import columns
from mltestscore.comparison.grid import HALF, Grid
from mltestscore.inputs.dataset import open_dataset


def test_a_grid_is_the_same_for_nearly_the_same_rows() -> None:
    values = np.random.default_rng(1).normal(50, 10, 1_000)
    assert Grid.around(values) == Grid.around(values * (1 + 1e-15))


@pytest.mark.parametrize("grid", [Grid(1 / 32, 1.0), Grid(-15 / 32 * 2**20, 2.0**20), Grid(5e9 + 3 / 32, 1.0)])
@given(share=st.floats(-0.9995, 0.9995), steps=st.integers(-3, 3))
def test_a_value_lies_between_the_ends_of_its_cell_however_close_to_an_edge(
    grid: Grid, share: float, steps: int
) -> None:
    edge = round(share * HALF) / HALF
    value = grid.centre + grid.scale * edge / (1 - abs(edge))
    for _ in range(abs(steps)):
        value = float(np.nextafter(value, np.inf if steps > 0 else -np.inf))
    away = value - grid.centre
    place = np.floor(away / (abs(away) + grid.scale) * HALF)
    low, high = grid.extents(np.array([place]))
    assert low[0] <= value <= high[0]


def test_the_database_finds_the_same_cells() -> None:
    values = np.random.default_rng(2).standard_cauchy(500)
    grid = Grid.around(values)
    table = open_dataset("data", pd.DataFrame({"x": values})).table
    seen = table.select(cell=grid.cell(columns.number(table["x"]))).to_pyarrow()["cell"].to_numpy()
    away = values - grid.centre
    assert seen.tolist() == np.floor(away / (np.abs(away) + grid.scale) * HALF).tolist()
