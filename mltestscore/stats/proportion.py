"""Proportions: exact bounds at any n, and the n that an answer needs.

Beta and binomial tails come from ``scipy.special``, which ``scipy.stats`` asks too: the same numbers, and importing
only the first saves every run half a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import special

from mltestscore.stats.interval import Interval, Side

POWER = 0.9
MOST_ROWS = 10**12


@dataclass(frozen=True, slots=True)
class Proportion(Interval):
    """A proportion ``successes / n`` with exact one-sided Clopper-Pearson bounds; planning is exact binomial too."""

    successes: int

    def smallest_visible(self, limit: float, side: Side) -> float | None:
        """Return the true proportion nearest to ``limit`` that n rows show as beyond it with probability 0.9.

        ``None`` where no proportion on that side could be shown with this n.

        >>> round(proportion(0, 1000, alpha=1e-5).smallest_visible(0.001, "above"), 4)
        0.013
        """
        if side == "below":
            mirrored = _smallest_above(1 - limit, self.n, 1 - self.confidence)
            return None if mirrored is None else 1 - mirrored
        return _smallest_above(limit, self.n, 1 - self.confidence)

    def n_to_settle(self, limit: float) -> int | None:
        """Return the n that decides a true proportion equal to this estimate against ``limit`` with probability 0.9.

        Found by bisection on the exact binomial power. ``None`` when the estimate lies on the limit, or beyond 10¹².

        >>> proportion(0, 100, alpha=0.05).n_to_settle(0.01)
        299
        """
        if not 0 <= limit <= 1:
            return self.n
        alpha, value = 1 - self.confidence, self.value
        high = max(1, self.n)
        while not _decides(high, value, limit, alpha):
            high *= 2
            if value == limit or high > MOST_ROWS:
                return None
        low = max(0, self.n - 1)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _decides(middle, value, limit, alpha) else (middle, high)
        return high


def proportion(successes: int, n: int, alpha: float) -> Proportion:
    """Return ``successes / n`` with exact one-sided bounds, each at the level ``alpha``.

    Args:
        successes: a count between 0 and n.
        n: independent trials, at least 1.
        alpha: the probability, in (0, 0.5], with which each bound may miss.

    Source: Clopper and Pearson (1934), beta quantiles.

    Raises :class:`ValueError` for no trials, an impossible count or an impossible level.

    >>> interval = proportion(0, 100, alpha=0.05)
    >>> interval.low, round(interval.high, 4)
    (0.0, 0.0295)
    """
    if n < 1:
        raise ValueError("a proportion of no rows is not defined; yield undecided(…) instead")
    if not 0 <= successes <= n:
        raise ValueError(f"a proportion needs 0 ≤ successes ≤ n, not {successes} of {n}")
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    value = successes / n
    low, high = bounds(successes, n, alpha)
    return Proportion(value, min(low, value), max(high, value), int(n), 1 - alpha, "Clopper-Pearson", int(successes))


def bounds(successes: float, n: float, alpha: float) -> tuple[float, float]:
    """Return the two one-sided Clopper-Pearson bounds of one share; see :func:`share_bounds`.

    >>> bounds(3, 3, 0.05)[1]
    1.0
    """
    low, high = share_bounds(numpy.array([successes], dtype=numpy.float64), n, alpha)
    return float(low[0]), float(high[0])


def share_bounds(
    successes: NDArray[numpy.float64], n: float, alpha: float
) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Return the one-sided Clopper-Pearson bounds of many shares of n, each at ``alpha``: two arrays of shape (k,).

    Counts may be fractions, of effective rows.
    """
    some, not_all = successes > 0, successes < n
    low, high = numpy.zeros(len(successes)), numpy.ones(len(successes))
    low[some] = special.betaincinv(successes[some], n - successes[some] + 1, alpha)
    high[not_all] = special.betainccinv(successes[not_all] + 1, n - successes[not_all], alpha)
    return low, high


def _critical_count(limit: float, n: int, alpha: float) -> int:
    """The smallest count of n whose lower bound exceeds the limit; n + 1 where there is none."""
    if limit < 0:
        return 0
    if limit >= 1:
        return n + 1
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _at_least(middle, n, limit) <= alpha else (middle, high)
    return high


def _at_least(count: int, n: int, share: float) -> float:
    """The probability that ``count`` or more of n independent rows are among the share."""
    if count <= 0:
        return 1.0
    return float(special.betainc(count, n - count + 1, share)) if count <= n else 0.0


def _smallest_above(limit: float, n: int, alpha: float) -> float | None:
    count = _critical_count(limit, n, alpha)
    if count > n:
        return None
    return limit if count == 0 else float(special.betaincinv(count, n - count + 1, POWER))


def _decides(n: int, value: float, limit: float, alpha: float) -> bool:
    if value > limit:
        return _at_least(_critical_count(limit, n, alpha), n, value) >= POWER
    return _at_least(_critical_count(1 - limit, n, alpha), n, 1 - value) >= POWER


def wilson(successes: int, n: int, alpha: float) -> Interval:
    """Return ``successes / n`` with one-sided score bounds, each at about ``alpha``: narrower than the exact ones.

    Source: Wilson (1927); recommended by Brown, Cai and DasGupta (2001), Statistical Science 16:101. The exact bounds
    of :func:`proportion` hold at any level; these are for ruling harm out at the usual one, about which they waver with
    the counts that n makes possible: of twelve rows, up to 11 % (tests/stats/coverage.md).

    Raises :class:`ValueError` as :func:`proportion` does.

    >>> interval = wilson(13, 15, alpha=0.05)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.666, 0.955)
    """
    value, z = proportion(successes, n, alpha).value, -float(special.ndtri(alpha))
    centre, reach = value + z * z / (2 * n), z * ((value * (1 - value) + z * z / (4 * n)) / n) ** 0.5
    low, high = ((centre + side * reach) / (1 + z * z / n) for side in (-1, 1))
    return Interval(value, max(0.0, min(low, value)), min(1.0, max(high, value)), int(n), 1 - alpha, "Wilson")
