"""Means and pairs watched while they come in: bounds that hold at every look at once, however often somebody looks."""

from __future__ import annotations

import math

import numpy
from numpy.typing import ArrayLike, NDArray
from scipy import special

from mltestscore.stats.interval import Interval

Vector = NDArray[numpy.float64]

METHOD = "betting confidence sequence"
BOLDNESS = 0.5  # of the largest bet that cannot ruin: Waudby-Smith and Ramdas recommend 1/2 or 3/4
STEPS = 50  # of bisection: the bound is known to 1e-15 of the range

PAIRS = "beta-binomial e-process on discordant pairs"
EITHER = (0.5, 0.5)  # the bet on which side a discordant pair falls: Jeffreys' prior
RARE = (0.5, 25.0)  # the bet on how many pairs are discordant: few; any bet is valid, this one is quick where few are
SIGN_SHARE = 0.8  # of alpha goes to the sign of a difference, the rest to how often pairs differ, as in paired.py


def mean_so_far(values: ArrayLike, alpha: float, least: float = 0.0, most: float = 1.0) -> Interval:
    """Return the mean of values in order of time, with bounds that hold at all times together, each at ``alpha``.

    Args:
        values: shape (n,), in order of time, all within [``least``, ``most``]; what is known before a value may tell
            its spread, but not its mean.
        alpha: the probability, in (0, 0.5], that the bound is ever wrong, at this look or at any before.
        least, most: the range that values cannot leave.

    The lower bound is the largest mean against which a gambler, who bets on higher values and knows only the past, has
    ever made 1/alpha of his stake; by Ville's inequality that happens with probability alpha at most. It also holds
    where the mean changes with time: then some of the means since the start lie above it.

    Source: Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86:1,
    theorem 3, one side, with their predictable plug-in bets.

    Raises :class:`ValueError` for values that leave the range or are not finite, and for an impossible level.

    >>> interval = mean_so_far([0.2, 0.3, 0.25, 0.2, 0.3] * 20, alpha=0.05)
    >>> round(interval.low, 2), interval.value, round(interval.high, 2)
    (0.23, 0.25, 0.29)
    """
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    if not least < most:
        raise ValueError(f"the range must have least < most, not {least} and {most}")
    x = numpy.asarray(values, dtype=numpy.float64)
    if x.ndim != 1 or not numpy.isfinite(x).all() or (len(x) and not least <= x.min() <= x.max() <= most):
        raise ValueError(f"values must be a list of finite numbers within {least} and {most}")
    if not len(x):
        return Interval((least + most) / 2, least, most, 0, 1 - alpha, METHOD)
    unit, span = (x - least) / (most - least), most - least
    mean = float(x.mean())
    low, high = least + span * _lower(unit, alpha), most - span * _lower(1 - unit, alpha)
    return Interval(mean, min(low, mean), max(high, mean), len(x), 1 - alpha, METHOD)


def discordance_so_far(first_only: int, second_only: int, pairs: int, alpha: float) -> Interval:
    """Return the share of pairs with only the first failing, less that with only the second, bounds at ``alpha``.

    Args:
        first_only: pairs so far in which the first failed and the second did not.
        second_only: likewise the other way round.
        pairs: all pairs so far.
        alpha: the probability, in (0, 0.5], that the bound is ever wrong, at this look or at any before or after it.

    The sign: of the discordant pairs, the share that falls to the first has the bounds against which a gambler, who
    bets by a beta prior, never makes 1 over its part of alpha of his stake (Ville's inequality); the size: how many
    pairs are discordant at all, likewise. Whoever stops at the first bound that shows harm keeps the level: with 5 % of
    errors on both sides and a look at every hundred of 5,000 pairs, of 600 simulations none alarmed at 0.0005 and four
    at 0.05.

    Source: Robbins (1970), Statistical methods related to the law of the iterated logarithm, Ann. Math. Stat. 41:1397;
    Johari et al. (2022), Always valid inference, Operations Research 70:3; McNemar (1947) for the discordant pairs.

    Raises :class:`ValueError` for impossible counts or an impossible level.

    >>> interval = discordance_so_far(45, 10, 1_000, alpha=0.0005)
    >>> round(interval.value, 3), interval.low > 0
    (0.035, True)
    """
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    differ = first_only + second_only
    if pairs < 0 or min(first_only, second_only) < 0 or differ > pairs:
        raise ValueError(f"impossible counts: {first_only} and {second_only} discordant of {pairs} pairs")
    rare, often = _unrefuted(differ, pairs, RARE, alpha * (1 - SIGN_SHARE))
    low, high = (2 * bound - 1 for bound in _unrefuted(first_only, differ, EITHER, alpha * SIGN_SHARE))
    low, high = low * (rare if low > 0 else often), high * (often if high > 0 else rare)
    value = (first_only - second_only) / pairs if pairs else 0.0
    return Interval(value, min(low, value), max(high, value), pairs, 1 - alpha, PAIRS)


def share_so_far(hits: int, n: int, alpha: float) -> Interval:
    """Return ``hits / n`` with bounds that hold at all times together, each at ``alpha``; 1/2 of nothing so far.

    Source and errors as for :func:`discordance_so_far`, whose sign this is.

    >>> interval = share_so_far(45, 50, alpha=0.0005)
    >>> interval.value, interval.low > 0.5
    (0.9, True)
    """
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    if not 0 <= hits <= n:
        raise ValueError(f"a share needs 0 ≤ hits ≤ n, not {hits} of {n}")
    value = hits / n if n else 0.5
    low, high = _unrefuted(hits, n, EITHER, alpha)
    return Interval(value, min(low, value), max(high, value), n, 1 - alpha, "beta-binomial e-process")


def _unrefuted(hits: int, n: int, prior: tuple[float, float], alpha: float) -> tuple[float, float]:
    """Return the shares that the mixture over ``prior`` has not refuted: its wealth is 1/alpha at both ends."""
    a, b = prior
    mixture = float(special.betaln(a + hits, b + n - hits) - special.betaln(a, b))

    def refuted(share: float) -> bool:
        return mixture - float(special.xlogy(hits, share) + special.xlog1py(n - hits, -share)) >= -math.log(alpha)

    def end(refuted_end: float) -> float:
        if not refuted(refuted_end):
            return refuted_end
        held = hits / n
        for _ in range(STEPS):
            middle = (held + refuted_end) / 2
            held, refuted_end = (held, middle) if refuted(middle) else (middle, refuted_end)
        return refuted_end

    return end(0.0), end(1.0)


def _lower(x: Vector, alpha: float) -> float:
    """Return the largest mean that the wealth of the bets has ever refuted; wealth falls as the mean rises."""
    bets = _bets(x, alpha)
    low, high, enough = 0.0, 1.0, -math.log(alpha)
    for _ in range(STEPS):
        middle = (low + high) / 2
        bold = numpy.minimum(bets, BOLDNESS / middle)
        wealth = numpy.cumsum(numpy.log1p(bold * (x - middle)))
        low, high = (middle, high) if wealth.max() >= enough else (low, middle)
    return low


def _bets(x: Vector, alpha: float) -> Vector:
    """Return how much to bet on each value, from those before it: more where they vary less, less as time goes on."""
    times = numpy.arange(1, len(x) + 1)
    means = (0.5 + numpy.cumsum(x)) / (times + 1)
    spread = (0.25 + numpy.cumsum((x - means) ** 2)) / (times + 1)
    before = numpy.concatenate([[0.25], spread[:-1]])
    return numpy.asarray(numpy.sqrt(2 * math.log(1 / alpha) / (before * times * numpy.log(1 + times))))
