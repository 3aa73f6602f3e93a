"""What blocks of load say of latency, capacity and errors: against declared limits and the previous version."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from mltestscore.finding import Finding, at_most, undecided
from mltestscore.serving.blocks import Arm
from mltestscore.serving.comparison import (
    Levels,
    change,
    neighbours,
    own_noise,
    share_above,
    share_failed,
    slower_than_previous,
    unless_limited,
)

LATENCY = "latency against the previous version"
CAPACITY = "capacity lost against the previous version"
SLOW = "requests slower than declared"
FAILED = "requests without a usable answer"
BEHIND = "answers behind the offered rate"


@dataclass(frozen=True)
class Timing:
    """How times are judged, and after how many pairs of blocks a look is due.

    Attributes:
        limits: percentile → milliseconds that it may take.
        max_errors: share of requests that may fail.
        tolerance: of loss against the previous version.
        pairs: before the first look; half as many before each further one.
        looks: how often it is looked, at most.
        alpha: the probability with which a bound that shows harm may miss, over all looks.
    """

    limits: dict[int, float]
    max_errors: float
    tolerance: float
    pairs: int
    looks: int
    alpha: float

    @property
    def due(self) -> list[int]:
        """After how many pairs it is looked."""
        return [self.pairs + look * math.ceil(self.pairs / 2) for look in range(self.looks)]

    @property
    def levels(self) -> Levels:
        """The levels of each look."""
        return Levels.for_looks(self.looks, self.alpha)

    def enough(self, current: Arm, before: Arm | None) -> bool:
        """Say whether more pairs of blocks would decide nothing more."""
        if len(current.bursts) not in self.due:
            return self._harmed(current, {} if before else self.limits)
        found = [*self._times(current, before), self._errors(current)]
        return all(finding.verdict != "inconclusive" for finding in found)

    def judge(self, current: Arm, before: Arm | None, rate: float, *, declared: bool) -> Iterator[Finding]:
        """Hold times, errors and the ``rate``, if it is a ``declared`` one, to their limits."""
        yield from self._times(current, before)
        yield self._errors(current)
        behind = change([load.offered for load in current.paced], [load.kept_up for load in current.paced], self.levels)
        where = f"{rate:.0f} a second"
        late = at_most(BEHIND, behind, self.tolerance, where=where, unit="share", advisory=not declared)
        yield unless_limited(late, "failed", current)

    def _harmed(self, arm: Arm, limits: dict[int, float]) -> bool:
        """Say whether harm is shown already, so that more load would only cost time."""
        levels = Levels(self.alpha / self.due[-1])
        slow = any(share_above(arm, limit, levels).low > 1 - share / 100 for share, limit in limits.items())
        return slow or share_failed(arm, levels).low > self.max_errors

    def _errors(self, arm: Arm) -> Finding:
        reasons = "; ".join(reason for reason, _ in arm.errors.most_common(2))[:300]
        return at_most(FAILED, share_failed(arm, self.levels), self.max_errors, unit="share", cause=reasons)

    def _times(self, current: Arm, before: Arm | None) -> Iterator[Finding]:
        for share, limit in self.limits.items():
            above = share_above(current, limit, self.levels)
            slow = at_most(SLOW, above, 1 - share / 100, where=f"{limit:g} ms", unit="share")
            yield unless_limited(slow, "failed", current)
        if before is not None:
            yield from self._against(current, before)
        elif not self.limits:
            yield undecided(
                LATENCY, "there is neither a previous version nor a limit; offer previous_command or declare p95_ms"
            )

    def _against(self, current: Arm, before: Arm) -> Iterator[Finding]:
        slower_than = partial(slower_than_previous, most=self.tolerance, levels=self.levels)
        for share, where in ((50, "median"), (95, "95th percentile")):
            times = current.percentile(share), before.percentile(share)
            wobble = own_noise([*current.halves(share), *before.halves(share)], self.levels.clear)
            slower = slower_than(LATENCY, where, *times, wobble=wobble)
            yield unless_limited(slower, "passed", current)
        lost = before.capacities, current.capacities
        wobble = own_noise(neighbours(*lost), self.levels.clear)
        yield slower_than(CAPACITY, "burst", *lost, wobble=wobble)
