"""How much a server carries: the rate is raised by steps until it falls behind, and the step is found again and again.

At each rate blocks of an open-loop schedule are sent, and each is sustained or not: the server keeps up, within its
budget of latency and errors. A rate is above the knee where more than half of its blocks are not sustained, below where
fewer are; both are shown by exact bounds on that share, so that neither one hiccup nor a lucky block moves the knee.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.serving.blocks import Served
from mltestscore.serving.comparison import Levels
from mltestscore.serving.load import Arrivals, Load, schedule
from mltestscore.stats.interval import CLEAR, Interval
from mltestscore.stats.proportion import bounds

HALF = 0.5
RATIO = 1.1
COARSE = 4
"""Steps of :data:`RATIO` that the climb takes at once, until a block breaks."""
LOOKS = (6, 9)
"""Blocks at a rate after which its share is looked at: six that agree decide, and so do eight of nine."""
BLOCK_SECONDS, MOST_BLOCK_SECONDS = 0.4, 4.0
BLOCK_REQUESTS, MOST_BLOCK_REQUESTS = 60, 20_000
MOST_RATE = 50_000.0
OPEN = ""
"""What a rate shows that neither is sustained nor breaks in most blocks."""


@dataclass(frozen=True)
class Budget:
    """What a block must keep to be sustained.

    Attributes:
        behind: how far answers may fall behind, as a share of the rate.
        p95_ms: the 95th percentile of the latency; ``None``: any.
        errors: the share of requests without a usable answer.
    """

    behind: float
    p95_ms: float | None
    errors: float

    def broken_by(self, load: Load) -> str:
        """Return what breaks in the block, or empty."""
        if load.failed > max(1.0, self.errors * load.requests):
            return "answers fail"
        if behind(load) > self.behind:
            return "falls behind"
        if self.p95_ms is not None and float(np.percentile(load.latencies_ms, 95)) > self.p95_ms:
            return "slower than declared"
        return ""


def behind(load: Load) -> float:
    """Return the share of the offered rate by which answers fall behind: how much slower they come than requests go.

    The middles of the first and the last third of all answers, in the order in which they come, lie as far apart as
    those of the requests where a server keeps up, however long it takes for each and whichever it answers first. One
    slow answer at the end does not move them.
    """
    third = max(1, load.requests // 3)
    went, came = np.sort(load.intended_s), np.sort(load.intended_s + load.latencies_ms / 1000)
    apart, answered = (float(np.median(one[-third:]) - np.median(one[:third])) for one in (went, came))
    return max(0.0, 1 - apart / answered) if answered > 0 else 0.0


@dataclass
class Step:
    """One rate, and what each of its blocks came to.

    Attributes:
        loads: the blocks that tell of the server.
        broken: what broke in each of them, or empty.
        limited: why blocks told of the generator instead.
        last: whether the last block broke, whoever's fault it was.
    """

    rate: float
    loads: list[Load] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    limited: list[str] = field(default_factory=list)
    last: bool = False

    def share(self, levels: Levels) -> Interval:
        """Return the share of blocks that broke."""
        n, broken = len(self.loads), sum(map(bool, self.broken))
        low, high = bounds(broken, n, levels.accuse)[0], bounds(broken, n, levels.clear)[1]
        method = f"Clopper-Pearson; lower bound at {1 - levels.accuse:.2%}"
        return Interval(broken / n, low, high, n, 1 - levels.clear, method)

    def shows(self, levels: Levels) -> str:
        """Return ``"sustained"``, ``"broken"``, or empty where the blocks so far leave it open."""
        if not self.loads:
            return OPEN
        share = self.share(levels)
        return "broken" if share.low > HALF else "sustained" if share.high < HALF else OPEN

    @property
    def reason(self) -> str:
        """What broke most often."""
        why = Counter(filter(None, self.broken)).most_common(1)
        return why[0][0] if why else ""


@dataclass
class Stairs:
    """Rates tried on one server; each is remembered, so that none is measured twice."""

    served: Served
    frame: pd.DataFrame
    budget: Budget
    rng: np.random.Generator
    arrivals: Arrivals = "poisson"
    until: float = math.inf
    """When to stop, on the clock of :func:`time.monotonic`."""
    steps: dict[float, Step] = field(default_factory=dict)

    def block(self, rate: float) -> Step:
        """Send one more block at a rate."""
        step = self.steps.setdefault(rate, Step(rate))
        seconds = min(MOST_BLOCK_SECONDS, max(BLOCK_SECONDS, BLOCK_REQUESTS / rate))
        seconds = min(seconds, MOST_BLOCK_REQUESTS / rate)
        intended = schedule(rate, seconds, int(self.rng.integers(2**63)), self.arrivals)
        try:
            load = self.served.send(self.frame, intended)
        except InputError as error:
            raise InputError(f"{error}\nIt was being asked {rate:.0f} times a second.") from error
        broken = self.budget.broken_by(load)
        step.last = bool(broken)
        if broken and (doubt := load.generator_limited or load.crowded):  # both only make a server look worse
            step.limited.append(doubt)
        else:
            step.loads.append(load)
            step.broken.append(broken)
        return step

    def decide(self, rate: float, levels: Levels, looks: Sequence[int] = LOOKS) -> str:
        """Send blocks until the rate is shown to be sustained or broken, as far as the looks and the time go."""
        step = self.steps.setdefault(rate, Step(rate))
        for most in looks:
            while len(step.loads) < most and len(step.limited) < looks[0] / 2 and not self.over:
                self.block(rate)
            if len(step.loads) >= looks[0] and (found := step.shows(levels)):
                return found
        return OPEN

    def gives_way(self, rate: float) -> bool:
        """Send a block at a rate, and another if that one breaks: say whether both do, or the generator."""
        return self.block(rate).last and self.block(rate).last

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.until


@dataclass(frozen=True)
class Knee:
    """Between which rates a server begins to break, each bound at 95 %; 0 and infinity where none was found."""

    low: float
    high: float


def climb(stairs: Stairs, start: float) -> Knee:
    """Raise the rate by steps from ``start`` until the server breaks, and narrow down where; see :class:`Stairs`.

    The bounds come to within a step of :data:`RATIO` of each other, as far as noise and time allow.
    """
    levels = Levels.for_looks(len(LOOKS), CLEAR)

    def rate(number: int) -> float:
        return start * RATIO**number

    def first(numbers: Iterable[int], wanted: str) -> int | None:
        return next((one for one in numbers if stairs.decide(rate(one), levels) == wanted), None)

    top = 0
    while rate(top) < MOST_RATE and not stairs.over and not stairs.gives_way(rate(top)):
        top += COARSE
    low = first(range(top - COARSE, top - 5 * COARSE, -COARSE), "sustained")
    reached = rate(top) in stairs.steps and not stairs.steps[rate(top)].limited
    high = first(range(top, top + 2 * COARSE, 2), "broken") if reached else None
    if low is not None and high is not None:
        low, high = (  # the rates between that show neither belong to both
            _boundary(low, high, lambda number: stairs.decide(rate(number), levels) == "sustained")[0],
            _boundary(low, high, lambda number: stairs.decide(rate(number), levels) != "broken")[1],
        )
    return Knee(0.0 if low is None else rate(low), math.inf if high is None else rate(high))


def _boundary(low: int, high: int, holds: Callable[[int], bool]) -> tuple[int, int]:
    """Return the neighbours between which ``holds`` ends, by halving."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high
