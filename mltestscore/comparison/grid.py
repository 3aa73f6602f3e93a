"""Numbers counted cell by cell: what ranks, extremes and repeated values are read from.

A cell is the floor of ``u / (|u| + 1)`` with ``u = (x - centre) / scale``, times :data:`HALF`: plain SQL on every
engine, fine where most values lie and ever coarser far out, so that no value lies beyond the grid. Two tables counted
over one grid add up cell by cell. A rank is known to within the rows of one cell, which is the error that
:meth:`Cells.coarseness` states; a cell whose least value is its largest holds one value and has no error.
:mod:`mltestscore.comparison.cells` counts them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy
from numpy.typing import NDArray

from mltestscore.inputs import database

Vector = NDArray[numpy.float64]

HALF = 4_096  # cells on each side of the centre: at most 0.05 % of a normal, uniform, log-normal or Cauchy column each
RARE = (
    0.0005  # half of the smallest share that any comparison tolerates: values as frequent as that are counted exactly
)
LEAST = 4  # rows: fewer of one value show nothing, however small the table
MOST = 1_000  # values listed
FAR = 1e100  # beyond it, squares would overflow
ROUNDING = 1e-9  # of the numbers: what sums in another order may differ by
EDGE = 4e-12  # of the numbers: where a cell ends in floating point, nine times what rounding moves it by
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
        """Return the cell of each number; for an infinity NULL, NaN or a place off the grid, as the database has it."""
        share = self.squashed(column) * float(HALF)
        if database.on_spark(column):  # its floor is a whole number, which has no NaN
            share = share.isnan().ifelse(2.0 * HALF, share)
        return database.small_integer(database.floor(share))

    def extents(self, places: Vector) -> tuple[Vector, Vector]:
        """Return between which numbers the values of each cell surely lie; none of them may be the outermost."""
        edges = numpy.stack([places, places + 1]) / HALF
        low, high = self.centre + self.scale * edges / (1 - numpy.abs(edges))
        slack = EDGE * (numpy.maximum(numpy.abs(low), numpy.abs(high)) + abs(self.centre) + self.scale)
        return low - slack, high + slack


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
        count: rows; low, high: least and largest value, or the ends of the cell where only its rows were counted.
        missing: rows without a value; fractions: rows whose number is not whole.
        exact: whether ``low`` and ``high`` are values, not ends of cells.
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
    exact: bool = True
    atoms: dict[float, int] = field(default_factory=dict)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.count.sum())

    @property
    def range(self) -> tuple[float, float]:
        """Least and largest value, to within a cell where they are not exact; NaN without values."""
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

    @property
    def excess(self) -> Vector:
        """By how many rows each cell stands out from the emptiest of the two cells on either side of it.

        A cell of a smooth distribution hardly does, however full it is; one that holds a frequent value does by its
        rows.
        """
        least = self.count.copy()
        for step in (-2, -1, 1, 2):
            beside = numpy.searchsorted(self.place, self.place + step)
            beside = numpy.minimum(beside, len(self.place) - 1)
            there = self.place[beside] == self.place + step
            least = numpy.minimum(least, numpy.where(there, self.count[beside], 0.0))
        return self.count - least

    @property
    def hiding(self) -> NDArray[numpy.bool_]:
        """Which cells may hold a frequent value between others."""
        least = max(LEAST, RARE * self.present)
        return numpy.asarray((self.count >= least) & ~self.single & (self.excess >= least / 2))

    def quantile(self, share: float) -> float:
        """Return a value of the cell that holds the quantile; NaN without values."""
        ranks = numpy.cumsum(self.count)
        if not len(ranks):
            return math.nan
        return float(self.values[min(len(ranks) - 1, int(numpy.searchsorted(ranks, share * ranks[-1])))])
