"""Shares of a finite population: what a sample without replacement says of the whole."""

from __future__ import annotations

import numpy
import scipy

from mltestscore.stats.interval import Interval


def finite_share(successes: int, n: int, population: int, alpha: float) -> Interval:
    """Return the share of successes in a population, with exact one-sided bounds, each at the level ``alpha``.

    Args:
        successes: among the drawn, between 0 and n.
        n: members drawn at random without replacement, at least 1.
        population: members in all; where all are drawn, the share is exact.
        alpha: the probability, in (0, 0.5], with which each bound may miss.

    Source: inversion of the hypergeometric test (Katz 1953; Buonaccorsi 1987, The American Statistician 41:215).

    Raises :class:`ValueError` for impossible counts or an impossible level.

    >>> finite_share(28, 30, 30, alpha=0.05).low == 28 / 30
    True
    >>> round(finite_share(28, 30, 90, alpha=0.05).low, 3), round(finite_share(28, 30, 90, alpha=0.05).high, 3)
    (0.833, 0.978)
    """
    if not 0 <= successes <= n <= population or n < 1:
        raise ValueError(f"a share needs 0 ≤ successes ≤ n ≤ population and n ≥ 1, not {successes}, {n}, {population}")
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    possible = numpy.arange(successes, population - (n - successes) + 1)
    so_many = scipy.stats.hypergeom.sf(successes - 1, population, possible, n) > alpha
    so_few = scipy.stats.hypergeom.cdf(successes, population, possible, n) > alpha
    value = successes / n
    low = min(value, float(possible[so_many].min()) / population)
    high = max(value, float(possible[so_few].max()) / population)
    return Interval(value, low, high, n, 1 - alpha, f"hypergeometric, {n} of {population}")
