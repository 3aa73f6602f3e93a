"""Numbers counted cell by cell in one ``GROUP BY`` a column: what ranks, extremes and repeated values are read from.

A cell is the floor of ``u / (|u| + 1)`` with ``u = (x - centre) / scale``, times :data:`HALF`: plain SQL on every
engine, fine where most values lie and ever coarser far out, so that no value lies beyond the grid. Two tables counted
over one grid add up cell by cell. A rank is known to within the rows of one cell, which is the error that
:meth:`Cells.coarseness` states; a cell whose least value is its largest holds one value and has no error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from mltestscore.inputs import database

if TYPE_CHECKING:
    import ibis

Vector = NDArray[numpy.float64]

HALF = 4_096  # cells on each side of the centre: at most 0.05 % of a normal, uniform, log-normal or Cauchy column each
FIRST_ROWS = 10_000  # looked at to lay the grid; they decide how fine it is and nothing else
RARE = (
    0.0005  # half of the smallest share that any comparison tolerates: values as frequent as that are counted exactly
)
LEAST = 4  # rows: fewer of one value show nothing, however small the table
MOST = 1_000  # values listed
COARSE = 0.005  # a tenth of the smallest distance that is judged: a coarser grid is laid again
ROUNDS = 3
FAR = 1e100  # beyond it, squares would overflow
ROUNDING = 1e-9  # of the numbers: what sums in another order may differ by
EXTREME = 1e300  # beyond it, a sum would overflow, which ends the query on PostgreSQL


@dataclass(frozen=True)
class Grid:
    """Where the cells of a column lie: around ``centre``, ``scale`` wide where a quarter of the rows is to each side.

    ``scale`` is a power of two and ``centre`` an odd multiple of a 32nd of it, so that every engine rounds alike and
    no difference underflows.
    """

    centre: float
    scale: float

    @classmethod
    def around(cls, values: Vector, weights: Vector | None = None) -> Grid:
        """Return a grid for finite values, shape (n,), each as often as its weight says."""
        finite = numpy.isfinite(values)
        kept = numpy.clip(values[finite], -EXTREME, EXTREME)
        if not len(kept):
            return cls(1 / 32, 1.0)
        low, centre, high = _quartiles(kept, numpy.ones(len(kept)) if weights is None else weights[finite])
        if low == high:  # most rows hold one value: the others lay the grid
            distinct = numpy.unique(kept)
            low, _, high = _quartiles(distinct, numpy.ones(len(distinct)))
        spread = high / 2 - low / 2
        exponent = math.log2(spread) + 1 if spread > 0 else math.log2(max(1.0, abs(centre))) - 2
        scale = 2.0 ** min(990, max(-990, round(exponent)))
        return cls((math.floor(centre / scale * 16) + 0.5) * (scale / 16), scale)

    def squashed(self, column: Any) -> Any:
        """Return each number between -1 and 1, in order; NaN for an infinity."""
        away = column - self.centre
        return away / (away.abs() + self.scale)

    def cell(self, column: Any) -> Any:
        """Return the cell of each number; NaN for an infinity."""
        share = self.squashed(column) * float(HALF)
        # Spark's floor is a whole number, which has no NaN.
        return database.floor(share.isnan().ifelse(2.0 * HALF, share) if database.on_spark(column) else share)


def _quartiles(values: Vector, weights: Vector) -> tuple[float, float, float]:
    order = numpy.argsort(values, kind="stable")
    ranks = numpy.cumsum(weights[order])
    places = numpy.searchsorted(ranks, ranks[-1] * numpy.array([0.25, 0.5, 0.75]))
    low, middle, high = values[order][numpy.minimum(places, len(values) - 1)]
    return float(low), float(middle), float(high)


@dataclass(frozen=True)
class Cells:
    """A column counted over a grid; one entry an occupied cell, in order: arrays of shape (cells,).

    Attributes:
        place: number of the cell; infinities lie before the first and behind the last.
        count: rows; low, high: least and largest value.
        missing: rows without a value; fractions: rows whose number is not whole.
        atoms: the finite values that hold a share of at least :data:`RARE` and stand out by it from the values around,
            most frequent first, with their rows.
    """

    grid: Grid
    place: Vector
    count: Vector
    low: Vector
    high: Vector
    missing: int
    fractions: int
    atoms: dict[float, int] = field(default_factory=dict)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.count.sum())

    @property
    def range(self) -> tuple[float, float]:
        """Least and largest value; NaN without values."""
        return (float(self.low[0]), float(self.high[-1])) if len(self.place) else (math.nan, math.nan)

    @property
    def single(self) -> NDArray[numpy.bool_]:
        """Which cells hold one value."""
        return numpy.asarray(self.low == self.high)

    @property
    def rest(self) -> Vector:
        """Rows of each cell whose value and so whose order in the cell are not known: 0 where it holds one value."""
        rest = numpy.where(self.single, 0.0, self.count)
        for value, rows in self.atoms.items():
            place = self.holding(value)
            if place is not None and not self.single[place]:
                rest[place] -= rows
        return rest

    @property
    def coarseness(self) -> float:
        """Largest share of the rows in one cell whose order is not known: the error of a rank."""
        return float(self.rest.max() / self.present) if len(self.place) else 0.0

    def holding(self, value: float) -> int | None:
        """Return the index of the cell in whose extent the value lies."""
        place = int(numpy.searchsorted(self.high, value))
        return place if place < len(self.high) and self.low[place] <= value else None

    @property
    def values(self) -> Vector:
        """A value of each cell: the only one, or the middle."""
        with numpy.errstate(invalid="ignore"):
            middle = self.low / 2 + self.high / 2
        return numpy.where(self.single, self.low, middle)

    def beyond(self, low: float, high: float) -> tuple[int, int]:
        """Return the least and largest number of rows whose value is below ``low`` or above ``high``."""
        surely = (self.high < low) | (self.low > high)
        perhaps = (self.low < low) | (self.high > high)
        return int(self.count[surely].sum()), int(self.count[perhaps].sum())

    def moments(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the two numbers between which the mean lies, and those for the sample's standard deviation.

        Each value lies within half its cell's extent of the middle: the mean is off by the mean of those halves at
        most, the deviation by their root mean square (the triangle inequality of the norm). Empty without finite
        numbers, the second also below two of them.
        """
        ends = self.range
        if not (math.isfinite(ends[0]) and max(-ends[0], ends[1]) < FAR):
            return (), ()
        n, half = self.present, (self.high - self.low) / 2
        mean = float(self.count @ self.values / n)
        off = float(self.count @ half / n) + ROUNDING * float(self.count @ numpy.abs(self.values) / n)
        if n < 2:
            return (mean - off, mean + off), ()
        deviation = math.sqrt(float(self.count @ (self.values - mean) ** 2) / (n - 1))
        wide = math.sqrt(float(self.count @ half**2) / (n - 1)) + ROUNDING * max(deviation, abs(ends[0]), abs(ends[1]))
        return (mean - off, mean + off), (max(0.0, deviation - wide), deviation + wide)

    def quantile(self, share: float) -> float:
        """Return a value of the cell that holds the quantile; NaN without values."""
        ranks = numpy.cumsum(self.count)
        if not len(ranks):
            return math.nan
        return float(self.values[min(len(ranks) - 1, int(numpy.searchsorted(ranks, share * ranks[-1])))])


def counted(table: ibis.Table, wanted: Mapping[str, tuple[Any, Grid]]) -> dict[str, Cells]:
    """Return the cells of each column, by the name that ``wanted`` gives to the pair of it and its grid.

    One query a column: in one query for all, their cells would push each other out of the processor's cache. A second
    one only where a cell is full enough to hide a frequent value.
    """
    found = {name: _counted(table, column, grid) for name, (column, grid) in wanted.items()}
    return {name: replace(one, atoms=_atoms(table, wanted[name][0], one)) for name, one in found.items()}


def _counted(table: ibis.Table, column: Any, grid: Grid) -> Cells:
    whole = (database.floor(column) == column).sum()  # a fifth less than counting with a condition, on DuckDB
    cells = table.group_by(cell=grid.cell(column)).aggregate(
        n=table.count(), low=column.min(), high=column.max(), whole=whole
    )
    answer = cells.to_pyarrow()
    place, count, low, high, wholes = (
        answer[key].to_numpy().astype(numpy.float64) for key in ("cell", "n", "low", "high", "whole")
    )
    gone, endless = numpy.isnan(low), numpy.isinf(low) | numpy.isinf(high)
    kept, both = ~gone & ~endless, count[endless].sum()
    ends = numpy.zeros((4, 0))
    if both:
        below = float(table.count(where=column == -math.inf).to_pyarrow().as_py())
        sides = [(-HALF - 1.0, below, -math.inf, -math.inf), (HALF + 1.0, both - below, math.inf, math.inf)]
        ends = numpy.array([side for side in sides if side[1]]).T
    seen = numpy.hstack([numpy.stack([place, count, low, high])[:, kept], ends])
    order = numpy.argsort(seen[0], kind="stable")
    fractions = int(seen[1].sum() - wholes[kept].sum())
    missing = int(count[gone].sum())
    place, count, low, high = seen[:, order]
    return Cells(grid, place, count, low, high, missing, fractions)


def _atoms(table: ibis.Table, column: Any, cells: Cells) -> dict[float, int]:
    if not len(cells.place):
        return {}
    least = max(LEAST, RARE * cells.present)
    full = (cells.count >= least) & numpy.isfinite(cells.low) & numpy.isfinite(cells.high)
    sure, doubt = full & cells.single, full & ~cells.single & (_excess(cells) >= least / 2)
    counts = dict(zip(cells.low[sure].tolist(), cells.count[sure].astype(int).tolist(), strict=True))
    if doubt.any():
        inside = table.select(value=column, cell=cells.grid.cell(column))
        inside = inside.filter(inside["cell"].isin(cells.place[doubt].tolist()))
        groups = inside.group_by("value").aggregate(n=inside.count())
        rows = groups.filter(groups["n"] >= least).to_pyarrow().to_pylist()
        counts |= {float(row["value"]): int(row["n"]) for row in rows}
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST])


def _excess(cells: Cells) -> Vector:
    """Return by how many rows each cell stands out from the emptiest of the two cells on either side of it.

    A cell of a smooth distribution hardly does, however full it is; one that holds a frequent value does by its rows.
    """
    least = cells.count.copy()
    for step in (-2, -1, 1, 2):
        beside = numpy.searchsorted(cells.place, cells.place + step)
        beside = numpy.minimum(beside, len(cells.place) - 1)
        there = cells.place[beside] == cells.place + step
        least = numpy.minimum(least, numpy.where(there, cells.count[beside], 0.0))
    return cells.count - least


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


def laid(table: ibis.Table, columns: Mapping[str, Any]) -> dict[str, Cells]:
    """Return the cells of each column over a grid of its own, laid again, finer, where it turns out too coarse."""
    found: dict[str, Cells] = {}
    grids = _first_grids(table, columns)
    for _ in range(ROUNDS):
        new = counted(table, {name: (columns[name], grid) for name, grid in grids.items()})
        for name, one in new.items():
            if name not in found or one.coarseness < found[name].coarseness:
                found[name] = one
        grids = {name: grid for name, one in new.items() if (grid := _finer(one)) not in (None, one.grid)}
    return found


def _first_grids(table: ibis.Table, columns: Mapping[str, Any]) -> dict[str, Grid]:
    if not columns:
        return {}
    first = {str(place): column for place, column in enumerate(columns.values())}
    rows = table.select(**first).limit(FIRST_ROWS).to_pyarrow()
    values = [rows[place].drop_null().to_numpy().astype(numpy.float64) for place in first]
    return {name: Grid.around(own) for name, own in zip(columns, values, strict=True)}


def _finer(cells: Cells) -> Grid | None:
    if cells.coarseness <= COARSE:
        return None
    rest = cells.rest
    return Grid.around(numpy.concatenate([cells.low, cells.high]), numpy.tile(rest, 2))
