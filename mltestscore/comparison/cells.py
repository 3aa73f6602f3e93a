"""Columns counted cell by cell over a grid, in one ``GROUP BY`` a column that runs where the rows lie."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy

from mltestscore.comparison.grid import HALF, LEAST, MOST, RARE, Cells, Grid, Vector
from mltestscore.inputs import database

if TYPE_CHECKING:
    import ibis

FIRST_ROWS = 10_000  # looked at to lay the grid, and for repeated values: they decide what counting costs
REPEATS = 2  # of them: more, and the column may hold frequent values
LARGE = 100 * 2 * HALF  # rows: from 100 a cell on, the values at its ends say no more than where it ends
DENSE = 2_000_000  # rows: of fewer, a place for each 16-bit group costs more (9 ms) than to look each row's group up
COARSE = 0.005  # a tenth of the smallest distance that is judged: a coarser grid is laid again
ROUNDS = 3


def counted(table: ibis.Table, wanted: Mapping[str, tuple[Any, Grid]], rows: int = 0) -> dict[str, Cells]:
    """Return the cells of each column, by the name that ``wanted`` gives to the pair of it and its grid.

    One query a column: in one query for all, their cells would push each other out of the processor's cache. A second
    one only where a cell is full enough to hide a frequent value. ``rows`` are those of the table, where that is known.
    """
    first = _first_values(table, {name: column for name, (column, _) in wanted.items()}) if rows >= LARGE else {}
    return _counted(table, wanted, _without_repeats(first), rows)


def _counted(
    table: ibis.Table, wanted: Mapping[str, tuple[Any, Grid]], smooth: Collection[str], rows: int
) -> dict[str, Cells]:
    found = {}
    for name, (column, grid) in wanted.items():
        with database.many_small_groups(table) if rows >= DENSE else nullcontext():
            cells = _smooth(_Rows.of(table, column, grid), grid) if name in smooth else None
            cells = cells or _exact(table, column, grid)
        found[name] = cells if not cells.exact else _with_atoms(table, column, cells)
    return found


def _without_repeats(first: Mapping[str, Vector]) -> frozenset[str]:
    """Return the columns whose first rows hold a new number each."""
    return frozenset(name for name, one in first.items() if len(numpy.unique(one)) >= len(one) - REPEATS)


@dataclass(frozen=True)
class _Rows:
    """The rows by cell, as the database counts them; ``figures`` hold one entry a cell.

    Attributes:
        gone: rows without a cell: no value, or an infinity.
        endless: whether there is an infinity.
    """

    figures: Mapping[str, Vector]
    gone: int
    endless: bool

    @classmethod
    def of(cls, table: ibis.Table, column: Any, grid: Grid, **more: Any) -> _Rows:
        """Count rows, and those whose number is not whole, and what ``more`` says."""
        fractions = database.not_whole(column).sum()
        query = table.group_by(cell=grid.cell(column)).aggregate(n=table.count(), fractions=fractions, **more)
        answer = query.to_pyarrow()
        figures = {name: answer[name].to_numpy().astype(numpy.float64) for name in answer.column_names}
        kept = numpy.abs(numpy.nan_to_num(figures["cell"], nan=numpy.inf)) <= HALF
        endless = bool((~kept & answer["fractions"].is_valid().to_numpy()).any())
        gone = int(figures["n"][~kept].sum())
        order = numpy.argsort(figures["cell"][kept], kind="stable")
        return cls({name: one[kept][order] for name, one in figures.items()}, gone, endless)


def _smooth(rows: _Rows, grid: Grid) -> Cells | None:
    """Return the cells of a column without frequent values, whose least and largest value need not be asked for.

    ``None`` where a cell could hide a frequent value, has no end or holds an infinity: then the values count.
    """
    place, count = rows.figures["cell"], rows.figures["n"]
    if rows.endless or not len(place) or place[0] <= -HALF or place[-1] >= HALF - 1:
        return None
    fractions = int(rows.figures["fractions"].sum())
    found = Cells(grid, place, count, *grid.extents(place), rows.gone, fractions, exact=False)
    return None if found.hiding.any() else found


def _exact(table: ibis.Table, column: Any, grid: Grid) -> Cells:
    rows = _Rows.of(table, column, grid, low=column.min(), high=column.max())
    seen = numpy.stack([rows.figures[key] for key in ("cell", "n", "low", "high")])
    fractions, missing = int(rows.figures["fractions"].sum()), rows.gone
    if rows.endless:
        away = grid.squashed(column).isnan()
        sides = table.aggregate(
            below=table.count(where=away & (column < 0)), above=table.count(where=away & (column > 0))
        )
        (endless,) = sides.to_pyarrow().to_pylist()
        below = numpy.array([[-HALF - 1.0], [endless["below"]], [-math.inf], [-math.inf]])
        above = numpy.array([[HALF + 1.0], [endless["above"]], [math.inf], [math.inf]])
        seen = numpy.hstack([below, seen, above])
        seen = seen[:, seen[1] > 0]
        missing -= endless["below"] + endless["above"]
        fractions += endless["below"] + endless["above"]
    place, count, low, high = seen
    return Cells(grid, place, count, low, high, missing, fractions)


def _with_atoms(table: ibis.Table, column: Any, cells: Cells) -> Cells:
    """Return the cells with the values that are frequent."""
    if not len(cells.place):
        return cells
    least, finite = max(LEAST, RARE * cells.present), numpy.isfinite(cells.low) & numpy.isfinite(cells.high)
    sure, doubt = (cells.count >= least) & finite & cells.single, finite & cells.hiding
    counts = dict(zip(cells.low[sure].tolist(), cells.count[sure].astype(int).tolist(), strict=True))
    if doubt.any():
        inside = table.select(value=column, cell=cells.grid.cell(column))
        inside = inside.filter(inside["cell"].isin(cells.place[doubt].tolist()))
        groups = inside.group_by("value").aggregate(n=inside.count())
        rows = groups.filter(groups["n"] >= least).to_pyarrow().to_pylist()
        counts |= {float(row["value"]): int(row["n"]) for row in rows}
    return replace(cells, atoms=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]))


def rows_at(table: ibis.Table, column: Any, cells: Cells, values: Sequence[float]) -> dict[float, int]:
    """Return how many rows hold each of the finite values, asking only where the cells do not tell."""
    found, doubtful = {}, []
    for value in values:
        place = cells.holding(value)
        if place is None:
            found[value] = 0
        elif cells.single[place]:
            found[value] = int(cells.count[place])
        elif value in cells.atoms:
            found[value] = cells.atoms[value]
        else:
            doubtful.append(value)
    if doubtful:
        some = table.select(value=column)
        some = some.filter(some["value"].isin(doubtful))
        rows = some.group_by("value").aggregate(n=some.count()).to_pyarrow().to_pylist()
        found |= dict.fromkeys(doubtful, 0) | {float(row["value"]): int(row["n"]) for row in rows}
    return found


def laid(table: ibis.Table, columns: Mapping[str, Any], rows: int = 0) -> dict[str, Cells]:
    """Return the cells of each column over a grid of its own, laid again, finer, where it turns out too coarse."""
    found: dict[str, Cells] = {}
    first = _first_values(table, columns)
    smooth = _without_repeats(first) if rows >= LARGE else ()
    grids = {name: Grid.around(values) for name, values in first.items()}
    for _ in range(ROUNDS):
        new = _counted(table, {name: (columns[name], grid) for name, grid in grids.items()}, smooth, rows)
        for name, one in new.items():
            if name not in found or one.coarseness < found[name].coarseness:
                found[name] = one
        grids = {name: grid for name, one in new.items() if (grid := _finer(one)) not in (None, one.grid)}
    return found


def _first_values(table: ibis.Table, columns: Mapping[str, Any]) -> dict[str, Vector]:
    if not columns:
        return {}
    first = {str(place): column for place, column in enumerate(columns.values())}
    rows = table.select(**first).limit(FIRST_ROWS).to_pyarrow()
    return {
        name: rows[place].drop_null().to_numpy().astype(numpy.float64)
        for name, place in zip(columns, first, strict=True)
    }


def _finer(cells: Cells) -> Grid | None:
    if cells.coarseness <= COARSE:
        return None
    rest = cells.rest
    return Grid.around(numpy.concatenate([cells.low, cells.high]), numpy.tile(rest, 2))
