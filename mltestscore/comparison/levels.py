"""Intervals that accuse at one level and clear at another, so that a verdict is careful on both sides.

Accusing is corrected for the number of comparisons: one false alarm among hundreds of features discredits a check.
Clearing needs no correction: a check passes only if every comparison does (an intersection-union test, Berger 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

from mltestscore.stats.interval import Interval, Side
from mltestscore.stats.proportion import Proportion, bounds

CLEAR = 0.05


@dataclass(frozen=True, slots=True)
class TwoLevels(Interval):
    """One estimate: the lower bound of ``accusing`` and the upper bound of ``clearing``."""

    accusing: Interval
    clearing: Interval

    def smallest_visible(self, limit: float, side: Side) -> float | None:
        """Return what the accusing bound could have shown as harm."""
        return self.accusing.smallest_visible(limit, side)

    def n_to_settle(self, limit: float) -> int | None:
        """Return the n that accuses an estimate above the limit, or clears one below."""
        return (self.accusing if self.value > limit else self.clearing).n_to_settle(limit)


def two_levels(accusing: Interval, clearing: Interval) -> TwoLevels:
    """Join two intervals of one estimate, at two levels, into one for an upper limit."""
    method = f"{accusing.method}; upper bound at {clearing.confidence:.0%}"
    low, high = min(accusing.low, accusing.value), max(clearing.high, accusing.value)
    return TwoLevels(accusing.value, low, high, accusing.n, accusing.confidence, method, accusing, clearing)


def rate(count: float, n: float, alpha: float, *, design_effect: float = 1.0, clear: float = CLEAR) -> TwoLevels:
    """Return ``count / n`` with a lower bound at ``alpha`` and an upper one at ``clear``, both exact.

    ``design_effect`` divides the rows where they come in clusters (see :mod:`mltestscore.stats.cluster`).

    Raises :class:`ValueError` for no rows or an impossible count.

    >>> interval = rate(0, 8000, 1e-5)
    >>> interval.low, round(interval.high, 5)
    (0.0, 0.00037)
    """
    if not 0 <= count <= n or n <= 0:
        raise ValueError(f"a rate needs 0 ≤ count ≤ n and rows, not {count} of {n}")
    return two_levels(_proportion(count, n, alpha, design_effect), _proportion(count, n, clear, design_effect))


def _proportion(count: float, n: float, alpha: float, design_effect: float) -> Proportion:
    value, effective = count / n, max(1.0, n / design_effect)
    low, high = bounds(value * effective, effective, alpha)
    method = "Clopper-Pearson" if design_effect <= 1 else f"Clopper-Pearson, design effect {design_effect:.1f}"
    return Proportion(value, min(low, value), max(high, value), int(effective), 1 - alpha, method, int(count))
