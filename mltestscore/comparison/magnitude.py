"""Most values of another magnitude than ever: the unit of a column whose tail is so long that no range shows it.

A price in cents for euros stays within the range of prices where the largest is a thousand times the usual one. What
moves is the bulk: most values are more than ten times as large, or as small, as the usual value of the past. Seasons
and growth move it too, so that the past windows must rule them out: see :func:`other_magnitude`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy

from mltestscore.comparison import profile
from mltestscore.comparison.grid import Cells
from mltestscore.comparison.invariants import Now, Part
from mltestscore.comparison.profile import Past, Windows
from mltestscore.inputs.dataset import Dataset

TIMES = 10.0  # one unit for another is mostly 12, 24, 60, 100 or 1,000 times; seasons of one measure hardly are ten
MOST = 0.5  # of the values other than zero, which a quantity that is often absent has many of
SELDOM = 0.1  # of the rows: what is not zero as seldom as that has no usual value
GROWTH = 3.0  # times the largest growth from one window to the next that the past ever saw


def other_magnitude(training: Dataset, past: Past, now: Now, usual: Cells | None, windows: Windows) -> Iterator[Part]:
    """Yield the part of most served values being beyond ten times the usual one, or below a tenth of it, if they are.

    Only of quantities that never were negative, with past windows enough. The limit is half of the values that are
    not zero, or the largest share of such values in any past window and thrice the largest growth of it.
    """
    served = now.cells
    if usual is None or served is None or not windows.enough or past.nameless or past.grows or past.range[0] < 0:
        return
    typical, positive = _usual(usual)
    if not math.isfinite(typical) or positive < max(SELDOM * usual.present, profile.ROWS):
        return
    for factor, words in ((TIMES, f"more than {TIMES:g} times"), (1 / TIMES, f"less than 1/{TIMES:g} of")):
        if _share(served, typical * factor, factor > 1) <= MOST * positive / usual.present:
            continue
        yield from _part(training, past, windows, now.column, (typical, factor, words), MOST * positive / usual.present)


def _part(
    training: Dataset, past: Past, windows: Windows, column: Any, beyond: tuple[float, float, str], least: float
) -> Iterator[Part]:
    typical, factor, words = beyond

    def event(column: Any) -> Any:
        return column > typical * factor if factor > 1 else (column > 0) & (column < typical * factor)

    key = (past.name, typical, factor)
    (shares,) = training.recall(
        ("magnitude", windows), [key], lambda _: [profile.share_by_window(training, past, event, windows)]
    )
    kept = shares[past.rows >= profile.ROWS]
    growth = float(numpy.diff(kept).max(initial=0.0))
    limit = max(least, float(kept.max(initial=0.0)) + GROWTH * growth)
    cause = f"a unit: most are {words} the past's usual {typical:.4g}"
    if limit < 1:
        yield Part("values of another magnitude", past.name, event(column), limit, cause)


def _usual(cells: Cells) -> tuple[float, int]:
    """Return the median of the values above zero, and how many those are."""
    above = cells.values > 0
    counts = numpy.where(above, cells.count, 0.0)
    ranks = numpy.cumsum(counts)
    if not above.any():
        return math.nan, 0
    return float(cells.values[int(numpy.searchsorted(ranks, ranks[-1] / 2))]), int(ranks[-1])


def _share(cells: Cells, end: float, above: bool) -> float:
    values = cells.values
    hit = values > end if above else (values > 0) & (values < end)
    return float(cells.count[hit].sum() / max(1, cells.present))
