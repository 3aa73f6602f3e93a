"""A lost sign: absolute values where numbers of both signs were, which no range shows where the tails are long.

Fewer negative numbers alone prove nothing: seasons, growth and the mix of customers move them. What a lost sign leaves
as it was is the size of the numbers, whatever their sign; what moves a quantity moves its size as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy

from mltestscore.comparison import profile
from mltestscore.comparison.grid import Cells, Vector
from mltestscore.comparison.invariants import Now, Part
from mltestscore.comparison.profile import Past, Windows
from mltestscore.inputs.dataset import Dataset

LEAST = 0.05  # of the rows of each past window: a sign that is rarer may stay away, as refunds do for a week
LEFT = 0.1  # of the least share that the sign ever had: moved by two deviations, a normal column keeps that much …
ALIKE = 0.15  # … and the sizes lie 0.6 apart by then (Kolmogorov-Smirnov); 100 rows alike differ by 0.15 in one of 40
APART = 2 * ALIKE  # from the sizes of the sign that is left: without windows, a batch of that sign alone is as likely
MUST = 0.75  # of the least share is what the interval must rule out, so that few rows or clusters accuse nobody


def lost_sign(training: Dataset, past: Past, now: Now, usual: Cells | None, windows: Windows) -> Iterator[Part]:
    """Yield the part of one sign being hardly there any more while the sizes of the numbers are as they were."""
    served = now.cells
    if usual is None or served is None or past.nameless or past.grows or served.present < profile.ROWS:
        return
    for sign, word in ((-1.0, "negative"), (1.0, "positive")):
        before, left = (_share(one, sign) for one in (usual, served))
        if before < LEAST or left >= LEFT * before or _distance(usual, served) > ALIKE:
            continue
        if _share(served, -sign) - _share(usual, -sign) < MUST * (before - left):
            continue  # they became zero, as where a flag is not set, or are missing
        least, words = _least(training, past, sign, windows)
        if not least:
            continue
        unsure = not windows.enough and _distance(_of_sign(usual, -sign), served) < APART
        cause = f"absolute values: {left:.2%} of the numbers are {word}, {before:.2%} in the past{words}"
        cause += "; or all rows are of one kind: declare the time of training, so that its windows can tell" * unsure
        event = now.column >= 0 if sign < 0 else now.column <= 0
        yield Part("numbers that lost their sign", past.name, event, 1 - MUST * least, cause, unsure=unsure)


def _least(training: Dataset, past: Past, sign: float, windows: Windows) -> tuple[float, str]:
    """Return the least share of rows that the sign ever had, in words too; 0 where that is no ground to accuse."""

    def event(column: Any) -> Any:
        return column * sign > 0

    (shares,) = training.recall(
        ("sign", windows), [(past.name, sign)], lambda _: [profile.share_by_window(training, past, event, windows)]
    )
    if not windows.enough:
        return float((shares * past.rows).sum() / past.rows.sum()), ""
    least = float(shares[past.rows >= profile.ROWS].min())
    words = f", at least {least:.2%} in each of {windows.count} past {windows.name}"
    return (least, words) if least >= LEAST else (0.0, "")


def _distance(one: Cells, other: Cells) -> float:
    """Return the Kolmogorov-Smirnov distance of the absolute values, to within the rows of a cell."""
    (sizes, ranks), (their_sizes, their_ranks) = _sizes(one), _sizes(other)
    ends = numpy.concatenate([sizes, their_sizes])
    ours, theirs = (
        numpy.concatenate([[0.0], ranks])[numpy.searchsorted(places, ends, side="right")]
        for places, ranks in ((sizes, ranks), (their_sizes, their_ranks))
    )
    return float(numpy.abs(ours - theirs).max(initial=0.0))


def _share(cells: Cells, sign: float) -> float:
    return float(cells.count[sign * cells.values > 0].sum()) / max(1, cells.present)


def _of_sign(cells: Cells, sign: float) -> Cells:
    kept = sign * cells.values >= 0
    return replace(cells, place=cells.place[kept], count=cells.count[kept], low=cells.low[kept], high=cells.high[kept])


def _sizes(cells: Cells) -> tuple[Vector, Vector]:
    """Return the absolute values of the cells in order, and the share of rows up to each."""
    sizes = numpy.abs(cells.values)
    order = numpy.argsort(sizes, kind="stable")
    return sizes[order], numpy.cumsum(cells.count[order]) / max(1, cells.present)
