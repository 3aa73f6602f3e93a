"""An estimate with its uncertainty, and what more data would show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Side = Literal["above", "below"]

CLEAR = 0.05
"""The level at which a single finding rules harm out."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate and its two one-sided confidence bounds.

    Attributes:
        value: the point estimate.
        low: lower bound; the truth lies below it with probability at most ``1 - confidence``.
        high: upper bound, likewise above it.
        n: how many independent observations stand behind it (effective ones, where rows are clustered).
        confidence: of each one-sided bound, in (0, 1]; 1 for a value that was counted and not estimated; where the two
            differ (:class:`TwoLevels`), of the one that shows harm.
        method: the statistical method by name, as the reader will see it.

    Raises :class:`ValueError` for NaN, and for bounds that do not hold the value.

    >>> rate = Interval(0.02, low=0.004, high=0.05, n=120, confidence=0.95, method="Clopper-Pearson")
    >>> rate.n_to_settle(0.01), round(rate.smallest_visible(0.01, "above"), 3)
    (1080, 0.026)
    """

    value: float
    low: float
    high: float
    n: int
    confidence: float
    method: str

    def __post_init__(self) -> None:
        if any(math.isnan(part) for part in (self.value, self.low, self.high)):
            raise ValueError(f"an interval cannot hold NaN: {self.low}, {self.value}, {self.high}; yield undecided(…)")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"an interval must hold its value: {self.low} ≤ {self.value} ≤ {self.high} is false")

    def smallest_visible(self, limit: float, side: Side) -> float | None:
        """Return the value nearest to ``limit`` on the harmful ``side`` that an interval this wide would show as harm.

        ``None`` where the interval has no finite width to reason from.
        """
        reach = self.value - self.low if side == "above" else self.high - self.value
        if not math.isfinite(reach):
            return None
        return limit + reach if side == "above" else limit - reach

    def n_to_settle(self, limit: float) -> int | None:
        """Return the n at which this point estimate would be decided against ``limit``, if widths shrink as 1/√n.

        ``None`` when the estimate lies on the limit (no n decides that) or the width is not finite.
        """
        distance = abs(self.value - limit)
        reach = max(self.high - self.value, self.value - self.low)
        if distance == 0 or self.n == 0 or not math.isfinite(reach):
            return None
        return math.ceil(self.n * max(1.0, (reach / distance) ** 2))


@dataclass(frozen=True, slots=True)
class TwoLevels(Interval):
    """One estimate at two levels: ``accusing`` gives the bound that shows harm, ``clearing`` the one that rules it out.

    ``confidence`` is the accusing one.
    """

    accusing: Interval
    clearing: Interval
    harm: Side

    def smallest_visible(self, limit: float, side: Side) -> float | None:
        """Return what the accusing bound could have shown as harm."""
        return self.accusing.smallest_visible(limit, side)

    def n_to_settle(self, limit: float) -> int | None:
        """Return the n that accuses an estimate beyond the limit, or clears one within."""
        beyond = self.value > limit if self.harm == "above" else self.value < limit
        return (self.accusing if beyond else self.clearing).n_to_settle(limit)


def two_levels(accusing: Interval, clearing: Interval, harm: Side = "above") -> TwoLevels:
    """Join two intervals of one estimate into one for a limit whose harmful side is ``harm``.

    Showing harm must hold against the error budget of the whole run, so its level is divided by the number of findings.
    Ruling it out needs no such division: a check passes only if all its findings pass at once (an intersection-union
    test; Berger 1982, Technometrics 24:295), so each may be judged at the usual level, :data:`CLEAR`.

    >>> accusing = Interval(0.02, 0.0, 0.09, 100, 0.9999, "exact")
    >>> joined = two_levels(accusing, Interval(0.02, 0.004, 0.05, 100, 0.95, "exact"))
    >>> joined.low, joined.high, joined.method
    (0.0, 0.05, 'exact; upper bound at 95%')
    """
    value, bound = accusing.value, "upper" if harm == "above" else "lower"
    low, high = (accusing.low, clearing.high) if harm == "above" else (clearing.low, accusing.high)
    method = f"{accusing.method}; {bound} bound at {clearing.confidence:.0%}"
    return TwoLevels(
        value, min(low, value), max(high, value), accusing.n, accusing.confidence, method, accusing, clearing, harm
    )


def exactly(value: float, n: int) -> Interval:
    """Return the interval of a value that was counted or measured without sampling error, on ``n`` observations.

    Raises :class:`ValueError` for NaN.

    >>> exactly(3, n=100).low
    3.0
    """
    return Interval(float(value), float(value), float(value), int(n), 1.0, "exact count")
