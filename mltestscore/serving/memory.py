"""Memory that a server keeps of every request: a slope that outlier blocks cannot make.

Warm-up, caches that fill and an allocator's steps all look like growth for a while (Machida et al. 2013), so that the
first third of the blocks is left out, and it is told whether the growth is steady to its end and above such steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from mltestscore.stats.interval import CLEAR, Interval

LEAST_POINTS = 5
STEP_BYTES = 2 * 2**20
METHOD = "Theil-Sen, Sen's interval"


@dataclass(frozen=True)
class Growth:
    """How a server's memory went over the measured blocks, without the first third of them.

    Attributes:
        per_request: bytes kept per request, with bounds.
        visible: bytes a request that lift the run above an allocator's steps.
        steady: the last half of them grew at least half as much as the first half.
    """

    per_request: Interval
    visible: float
    steady: bool


def growth(asked: Sequence[int], memory: Sequence[int], alpha: float) -> Growth | None:
    """Return the growth of ``memory`` (bytes) over ``asked`` (requests so far), or ``None`` for too few blocks.

    The lower bound holds at the level ``alpha``, the upper one at 0.05.

    >>> found = growth(range(0, 1000, 100), [50_000_000 + 20_000 * asked for asked in range(0, 1000, 100)], 0.01)
    >>> found.per_request.value, found.steady
    (20000.0, True)
    """
    settled = len(memory) // 3
    x, y = np.asarray(asked[settled:], dtype=float), np.asarray(memory[settled:], dtype=float)
    if len(y) < LEAST_POINTS:
        return None
    slope, _, low, _ = scipy.stats.theilslopes(y, x, 1 - 2 * alpha)
    high = scipy.stats.theilslopes(y, x, 1 - 2 * CLEAR)[3]
    interval = Interval(float(slope), float(min(low, slope)), float(max(high, slope)), len(y), 1 - CLEAR, METHOD)
    middle = len(y) // 2
    steady = y[-1] - y[middle] >= 0.5 * (y[middle] - y[0])
    return Growth(interval, STEP_BYTES / max(1.0, x[-1] - x[0]), bool(steady))
