"""Slices held to a limit: one finding each, their coverage, Simpson's reversal, and the picture, worst slice first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mltestscore.declare import Observations
from mltestscore.details import Cell, Series, Table
from mltestscore.finding import at_least, at_most, undecided
from mltestscore.slices.declared import Mask, Slice, Slicing
from mltestscore.slices.losses import Losses
from mltestscore.stats.interval import TwoLevels

LOST = "quality lost on a slice"
DISCOVERED = "quality lost on a discovered slice"
FLOOR = "quality of a slice"
UNJUDGED = "rows in slices too small to judge"
REVERSAL = "slicings in which every slice lost while the record says better"


@dataclass(frozen=True)
class Judge:
    """How slices are judged.

    Attributes:
        losses: of the model and its reference.
        rows: shape (n,), the rows that may judge declared slices.
        least: the fewest rows of a slice.
        limit: the largest harmless loss of quality.
        floor: the least quality of any slice, or ``None``.
        alpha: the level of all accusations together.
    """

    losses: Losses
    rows: Mask
    least: int
    limit: float
    floor: float | None
    alpha: float

    def observations(
        self, slicings: Sequence[Slicing], found: Sequence[Slice], recorded: str, against: str
    ) -> Observations:
        """Yield the findings and the picture."""
        whole = Slice("all rows", "", np.ones(len(self.rows), dtype=bool))
        declared = [whole, *(one for slicing in slicings for one in slicing.slices)]
        judged = [*((LOST, one) for one in declared), *((DISCOVERED, one) for one in found)]
        level = self.alpha / (len(judged) * (1 if self.floor is None else 2))
        short = {id(one): self.losses.too_few(self._rows(name, one), self.least) for name, one in judged}
        gaps = [(one, self.losses.loss_of(self._rows(name, one), level)) for name, one in judged if not short[id(one)]]
        reversed_in = _reversed(slicings, gaps) if recorded else []
        known = {id(one): gap for one, gap in gaps}
        for name, one in judged:
            if why := short[id(one)]:
                yield undecided(name, f"{why}. {one.note}".strip(". "), where=one.name, n_to_settle=self.least)
                continue
            cause = "Simpson's reversal" if one.slicing in reversed_in or (reversed_in and one is whole) else ""
            said = f"against {against}. {one.note}".strip(". ")
            yield at_most(name, known[id(one)], self.limit, where=one.name, note=said, cause=cause)
            if self.floor is not None:
                quality = self.losses.level_of(self._rows(name, one), level)
                yield at_least(FLOOR, quality, self.floor, where=one.name, note=one.note)
        said = f"{recorded}, yet every slice lost: {', '.join(reversed_in)[:200]}" if reversed_in else ""
        yield at_most(REVERSAL, len(reversed_in), 0, n=len(slicings), note=said, advisory=True)
        yield from self._pictures(gaps, slicings)

    def _rows(self, name: str, one: Slice) -> Mask:
        return one.rows & self.rows if name == LOST else one.rows

    def unjudged(self, slicings: Sequence[Slicing], limit: float) -> Observations:
        """Yield for each slicing the share of rows whose slice is too small even with all other small ones.

        More than ``limit`` leaves the slicing undecided: that nobody looked at a slice is no harm shown.
        """
        for one in slicings:
            count = 0 if one.left is None else int(one.left.rows.sum())
            note = "" if one.left is None else one.left.note
            share = count / len(self.rows)
            if share > limit:
                why = f"{share:.0%} of the rows are in values too rare to judge; at most {limit:.0%} may be. {note}"
                yield undecided(UNJUDGED, why.strip(), where=one.name, unit="share")
            else:
                yield at_most(UNJUDGED, share, limit, where=one.name, unit="share", n=len(self.rows), note=note)

    def _pictures(
        self, gaps: Sequence[tuple[Slice, TwoLevels]], slicings: Sequence[Slicing]
    ) -> Iterator[Table | Series]:
        ordered = sorted(gaps, key=lambda one: -one[1].clearing.low)
        columns = ["slice", "rows", self.losses.metric, "of all other rows", "lost", "at least", "at most"]
        lines = []
        for one, gap in ordered:
            rest = ~one.rows & self.rows
            quality = (self.losses.quality(one.rows & self.rows), self.losses.quality(rest))
            ends = (gap.value, gap.clearing.low, gap.clearing.high)
            lines.append([one.name, int(one.rows.sum()), *quality, *ends])
        yield Table("Quality by slice, the largest loss first; bounds at 95%", columns, lines)
        if len(ordered) > 1:
            drawn: dict[str, list[float]] = {"lost": [], "at least": [], "at most": []}
            for _, gap in ordered:
                for line, end in zip(drawn.values(), (gap.value, gap.clearing.low, gap.clearing.high), strict=True):
                    line.append(end)
            lines_drawn: dict[str, Sequence[float]] = {**drawn, "limit": [self.limit] * len(ordered)}
            places = [float(place) for place in range(1, len(ordered) + 1)]
            yield Series("Loss by slice, in the order of the table", "slice", places, lines_drawn, "quality lost")
        if any(slicing.small for slicing in slicings):
            small: list[list[Cell]] = [[name, rows] for slicing in slicings for name, rows in slicing.small]
            yield Table("Slices too small to be judged alone", ["slice", "rows"], small)


def _reversed(slicings: Sequence[Slicing], gaps: Sequence[tuple[Slice, TwoLevels]]) -> list[str]:
    """Return the slicings of two slices at least that are all shown to have lost: the whole cannot have gained."""
    lost = {id(one): gap.clearing.low > 0 for one, gap in gaps}
    return [
        one.name for one in slicings if len(one.slices) > 1 and all(lost.get(id(part), False) for part in one.slices)
    ]
