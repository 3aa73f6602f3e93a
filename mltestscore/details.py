"""What a check may show besides its findings: typed data, never markup. Reports decide how it looks.

Every size is capped where it is made, because values come from the system under test and end up in one HTML file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

Cell = str | int | float | bool | None

MAX_ROWS = 50
MAX_COLUMNS = 12
MAX_POINTS = 400
MAX_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Table:
    """A small table: at most 50 rows of 12 columns are kept; ``left_out`` counts the rows that are not shown.

    Raises :class:`ValueError` for a row with more or fewer cells than there are columns.

    >>> Table("Rows that differ", ["key", "served"], [[number, 0.5] for number in range(60)]).left_out
    10
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left_out: int = 0
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.title!r}: every row must have {len(self.columns)} cells")
        extra = max(0, len(self.rows) - MAX_ROWS)
        object.__setattr__(self, "left_out", self.left_out + extra)
        object.__setattr__(self, "columns", tuple(self.columns[:MAX_COLUMNS]))
        object.__setattr__(self, "rows", tuple(tuple(row[:MAX_COLUMNS]) for row in self.rows[:MAX_ROWS]))


@dataclass(frozen=True, slots=True)
class Series:
    """One or more lines over a common x (a curve, a trend): at most 400 points, thinned evenly.

    Units stand in the names of the axes. Raises :class:`ValueError` for a line that is not as long as ``x``.

    >>> Series("Latency", "minute", [0, 1, 2], {"p95": [31.0, 33.0, 30.0]}, "ms").lines["p95"]
    (31.0, 33.0, 30.0)
    """

    title: str
    x_name: str
    x: Sequence[float]
    lines: dict[str, Sequence[float]]
    y_name: str = ""
    kind: ClassVar[str] = "series"

    def __post_init__(self) -> None:
        if any(len(line) != len(self.x) for line in self.lines.values()):
            raise ValueError(f"series {self.title!r}: every line must have {len(self.x)} points")
        step = max(1, -(-len(self.x) // MAX_POINTS))
        object.__setattr__(self, "x", tuple(self.x[::step]))
        object.__setattr__(self, "lines", {name: tuple(line[::step]) for name, line in self.lines.items()})


@dataclass(frozen=True, slots=True)
class Histograms:
    """Two distributions over the same bins: shares that sum to one, ``len(edges) == len(left) + 1``, or categories.

    Give ``edges`` for numbers and ``categories`` for names, never both. Raises :class:`ValueError` for both, for
    neither, for sides that have not a share a bin, and for more than 400 bins.

    >>> sides = ("served", [0.5, 0.5], "computed", [0.7, 0.3])
    >>> Histograms("temp", *sides, edges=[0, 10, 20]).edges
    [0, 10, 20]
    >>> Histograms("carrier", *sides, categories=["UA", "AA"]).categories
    ['UA', 'AA']
    """

    title: str
    left_name: str
    left: Sequence[float]
    right_name: str
    right: Sequence[float]
    edges: Sequence[float] = ()
    categories: Sequence[str] = ()
    kind: ClassVar[str] = "histograms"

    def __post_init__(self) -> None:
        bins = len(self.categories) if self.categories else len(self.edges) - 1
        if bool(self.categories) == bool(self.edges) or len(self.left) != bins or len(self.right) != bins:
            raise ValueError(f"histograms {self.title!r}: give edges or categories, and as many shares on each side")
        if bins > MAX_POINTS:
            raise ValueError(f"histograms {self.title!r}: {bins} bins; at most {MAX_POINTS} are shown")


@dataclass(frozen=True, slots=True)
class Text:
    """A short text, such as a difference or a log excerpt; cut at 4,000 characters.

    >>> Text("First row that differs", "served 80.6, computed 27.0").body
    'served 80.6, computed 27.0'
    """

    title: str
    body: str
    kind: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        if len(self.body) > MAX_TEXT:
            object.__setattr__(self, "body", self.body[:MAX_TEXT] + "\n… (cut)")


Detail = Table | Series | Histograms | Text
