"""Shares with bounds at two levels, of rows that may come in clusters."""

from __future__ import annotations

from mltestscore.stats.interval import CLEAR, TwoLevels, two_levels
from mltestscore.stats.proportion import Proportion, bounds


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
