"""Two versions measured in paired blocks on one noisy machine: the ratio between them, without a variance estimate.

Each block gives one log ratio (candidate over baseline) of what was measured in it, for example of two medians of
latency measured next to each other in random order. Bounds are exact for any continuous symmetric noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy
from numpy.typing import NDArray

from mltestscore.stats.interval import Interval

METHOD = "Hodges-Lehmann, exact Wilcoxon signed-rank"


@dataclass(frozen=True, slots=True)
class BlockRatio(Interval):
    """A relative change (ratio minus one) estimated from ``n`` blocks; too few blocks leave its bounds open."""

    def n_to_settle(self, limit: float) -> int | None:
        """Return the number of blocks that would decide this estimate against ``limit``; never below the minimum K."""
        least = minimum_blocks(1 - self.confidence)
        if self.n < least:
            return least
        settled = Interval.n_to_settle(self, limit)
        return None if settled is None else max(least, settled)


def minimum_blocks(alpha: float) -> int:
    """Return the fewest blocks whose one-sided bound at the level ``alpha`` is finite: the least K with 2⁻ᴷ ≤ alpha.

    >>> minimum_blocks(0.0005), minimum_blocks(0.0002)
    (11, 13)
    """
    if not 0 < alpha < 1:
        raise ValueError(f"the level alpha must lie between 0 and 1, not {alpha}")
    # 1 - confidence carries a rounding error of 1e-16: a level of exactly 2⁻ᴷ must not ask for one block more.
    return max(1, math.ceil(-math.log2(alpha) - 1e-9))


def block_ratio(log_ratios: Sequence[float], alpha: float) -> BlockRatio:
    """Return the relative change (ratio minus one) over paired blocks, with one-sided bounds each at ``alpha``.

    Args:
        log_ratios: shape (K,), natural logarithms of candidate over baseline, one per block; finite.
        alpha: the probability, in (0, 0.5], with which each bound may miss.

    With fewer than :func:`minimum_blocks` blocks both bounds are infinite; with none the value is 0 and n is 0.

    Source: Hodges and Lehmann (1963); the bounds are order statistics of the Walsh averages at the exact quantiles of
    the signed-rank distribution.

    Raises :class:`ValueError` for ratios that are not finite or an impossible level.

    >>> interval = block_ratio([0.10, 0.11, 0.09, 0.10, 0.12, 0.08], alpha=0.05)
    >>> round(interval.value, 3), round(interval.low, 3), round(interval.high, 3)
    (0.105, 0.094, 0.116)
    """
    value, low, high = _signed_rank(log_ratios, alpha)
    lower = -math.inf if math.isinf(low) else math.expm1(low)  # not -1: an open bound must not look like a width
    return BlockRatio(math.expm1(value), lower, math.expm1(high), len(log_ratios), 1 - alpha, METHOD)


def noise(log_ratios_aa: Sequence[float], alpha: float) -> float:
    """Return the half width that one version against itself leaves, as a relative change; infinite for few blocks.

    The A/A guard: where it exceeds the tolerance, this machine cannot decide this tolerance. Arguments and errors as
    for :func:`block_ratio`.

    >>> noise([0.0, 0.01], alpha=0.0005)
    inf
    """
    _, low, high = _signed_rank(log_ratios_aa, alpha)
    return math.inf if math.isinf(high) else math.expm1((high - low) / 2)


def _signed_rank(log_ratios: Sequence[float], alpha: float) -> tuple[float, float, float]:
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    x = numpy.asarray(log_ratios, dtype=numpy.float64)
    if x.ndim != 1 or not numpy.isfinite(x).all():
        raise ValueError("log ratios must be a list of finite numbers; a block that measured 0 has no logarithm")
    if len(x) == 0:
        return 0.0, -math.inf, math.inf
    first, second = numpy.triu_indices(len(x))
    walsh = numpy.sort((x[first] + x[second]) / 2)
    value = float(numpy.median(walsh))
    rank = int(numpy.searchsorted(_cumulative(len(x)), alpha * (1 + 1e-12), side="right"))
    if rank == 0:
        return value, -math.inf, math.inf
    # P(T ≤ rank - 1) ≤ alpha, so the rank-th Walsh average from each end bounds the centre.
    return value, min(value, float(walsh[rank - 1])), max(value, float(walsh[-rank]))


@lru_cache(maxsize=64)
def _cumulative(k: int) -> NDArray[numpy.float64]:
    """P(T ≤ t) for the signed-rank statistic T of k blocks, t = 0 … k(k+1)/2; adding rank by rank is exact."""
    mass = numpy.zeros(k * (k + 1) // 2 + 1)
    mass[0] = 1.0
    for rank in range(1, k + 1):
        shifted = numpy.zeros_like(mass)
        shifted[rank:] = mass[: len(mass) - rank]
        mass = (mass + shifted) / 2
    return numpy.cumsum(mass)
