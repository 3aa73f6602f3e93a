"""An estimate with its uncertainty, and what more data would show."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

Side = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate and its two one-sided confidence bounds.

    Attributes:
        value: the point estimate.
        low: lower bound; the truth lies below it with probability at most ``1 - confidence``.
        high: upper bound, likewise above it.
        n: how many independent observations stand behind it (effective ones, where rows are clustered).
        confidence: of each one-sided bound, in (0, 1]; 1 for a value that was counted and not estimated; where the two
            differ (:func:`at_two_levels`), of the one that shows harm.
        method: the statistical method by name, as the reader will see it.
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


def at_two_levels(strict: Interval, usual: Interval, harm: Side) -> Interval:
    """Return the estimate with the bound that shows harm from ``strict``, and the one that rules it out from ``usual``.

    Showing harm must hold against the error budget of the whole run, so its level is divided by the number of findings.
    Ruling it out needs no such division: a check passes only if all its findings pass at once (an intersection-union
    test; Berger 1982, Technometrics 24:295), so each may be judged at the usual level.

    >>> strict = Interval(0.02, 0.0, 0.09, 100, 0.9999, "exact")
    >>> at_two_levels(strict, Interval(0.02, 0.004, 0.05, 100, 0.95, "exact"), "above")
    Interval(value=0.02, low=0.0, high=0.05, n=100, confidence=0.9999, method='exact; harm ruled out at 95 %')
    """
    method = f"{strict.method}; harm ruled out at {100 * usual.confidence:.4g} %"
    if harm == "above":
        return replace(strict, high=max(usual.high, strict.value), method=method)
    return replace(strict, low=min(usual.low, strict.value), method=method)


def exactly(value: float, n: int) -> Interval:
    """Return the interval of a value that was counted or measured without sampling error.

    >>> exactly(3, n=100).low
    3.0
    """
    return Interval(float(value), float(value), float(value), int(n), 1.0, "exact count")
