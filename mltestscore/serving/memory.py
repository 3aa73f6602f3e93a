"""Memory that a server keeps of every request: a slope that outlier blocks cannot make, and when it shows a leak.

Warm-up, caches that fill and an allocator's steps all look like growth for a while (Machida et al. 2013), so that a
short run shows a leak only if the growth is steady to its end, well above an allocator's steps, and either absent from
the previous version in the same blocks, or half of what the server had held at the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from mltestscore.finding import Finding, at_most, undecided
from mltestscore.serving.blocks import Arm
from mltestscore.stats.interval import CLEAR, Interval

LEAST_POINTS = 5
STEP_BYTES = 2 * 2**20
GREW_BY_HALF = 0.5
MEBIBYTE = 2**20
MEMORY = "resident memory"
KEPT = "memory kept of every request"
METHOD = "Theil-Sen, Sen's interval"


@dataclass(frozen=True)
class Growth:
    """How a server's memory went over the measured blocks, without the first third of them.

    Attributes:
        per_request: bytes kept per request, with bounds.
        visible: bytes a request that lift the run above an allocator's steps.
        steady: the last half of them grew at least half as much as the first half.
        share: what was gained in the whole run, as a share of the memory at its start.
    """

    per_request: Interval
    visible: float
    steady: bool
    share: float

    def shows_leak(self, previous: Growth | None) -> bool:
        """Whether the growth is a leak, and one that the previous version (if measured) does not have."""
        if not self.steady or self.per_request.low <= self.visible:
            return False
        if previous is None:
            return self.share >= GREW_BY_HALF
        return self.per_request.low > previous.per_request.high


def growth(asked: Sequence[int], memory: Sequence[int], alpha: float) -> Growth | None:
    """Return the growth of ``memory`` (bytes) over ``asked`` (requests so far), or ``None`` for too few blocks.

    The lower bound holds at the level ``alpha``, the upper one at 0.05.

    >>> found = growth(range(0, 1000, 100), [50_000_000 + 20_000 * asked for asked in range(0, 1000, 100)], 0.01)
    >>> found.per_request.value, found.steady, found.shows_leak(None)
    (20000.0, True, False)
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
    return Growth(
        interval, STEP_BYTES / max(1.0, x[-1] - x[0]), bool(steady), float((memory[-1] - memory[0]) / max(1, memory[0]))
    )


def judge_memory(current: Arm, before: Arm | None, memory_mb: float | None, alpha: float) -> Iterator[Finding]:
    """Hold resident memory to its limit in MiB, if there is one, and show what is kept of every request.

    The growth counts only where it shows a leak (:meth:`Growth.shows_leak`); else it is advisory.
    """
    if not current.memory:
        if memory_mb is not None:
            yield undecided(MEMORY, "the server is not our process; offer its command instead of a url", unit="MiB")
        return
    if memory_mb is not None:
        yield at_most(MEMORY, max(current.memory) / MEBIBYTE, memory_mb, unit="MiB", n=len(current.memory))
    found = growth(current.asked, current.memory, alpha)
    if found is not None:
        leak = found.shows_leak(growth(before.asked, before.memory, alpha) if before else None)
        note = "" if leak else "a short run shows no leak; warm-up and filling caches look like growth"
        yield at_most(KEPT, found.per_request, found.visible, unit="bytes", note=note, advisory=not leak)
