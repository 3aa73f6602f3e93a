"""One situation of known truth, simulated many times: how often bounds miss it and verdicts are wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator
from scipy import stats

from mltestscore.finding import Verdict, at_least, at_most
from mltestscore.stats.interval import CLEAR, Interval, Side, two_levels
from mltestscore.stats.seeds import generator

Estimate = Callable[[float], Interval]
"""From a level to the interval of one simulated sample at it: what a check calls twice."""

ACCUSE = 0.0005
"""The level at which most checks accuse (their option ``alpha``)."""

SIMULATIONS = 10_000
POINT = 0.01
STRAY = 1e-4
"""A count is called too high where chance alone gives it less often than so: some 1,000 counts are judged at once."""


@dataclass(frozen=True)
class Scene:
    """Rows of one kind, and the truth about them.

    Attributes:
        family: the module of ``mltestscore.stats``.
        method: the function that is tried.
        rows: what the rows are like.
        n: rows, days, blocks or pairs.
        truth: what the interval should hold.
        draw: from a generator to one sample's estimate.
        alpha: the level that accuses.
        most: simulations in a whole run: fewer where they are slow.
        harms: the sides of a limit on which harm may lie.
        known: why bounds miss more often than stated, as the docstring of ``method`` says too; empty: they must not.
    """

    family: str
    method: str
    rows: str
    n: int
    truth: float
    draw: Callable[[Generator], Estimate]
    alpha: float = ACCUSE
    most: int = SIMULATIONS
    harms: tuple[Side, ...] = ("above", "below")
    known: str = ""

    @property
    def name(self) -> str:
        """What tells it from all other scenes."""
        return f"{self.family}: {self.method}: {self.rows}: {self.n}"

    def random(self) -> Generator:
        """Return the generator of this scene: the same in every run."""
        return generator("simulations", self.name)


@dataclass(frozen=True)
class Coverage:
    """How often, of ``runs``, something was wrong.

    Attributes:
        below: the truth lies below the lower bound at 5 %.
        above: it lies above the upper bound at 5 %.
        failed: a limit at the truth, which is sound, was said to be broken: with harm above, with harm below.
        passed: a truth just beyond the limit was passed: with harm above, with harm below.
    """

    runs: int
    below: int
    above: int
    failed: tuple[int, int]
    passed: tuple[int, int]

    @property
    def covered(self) -> float:
        """The share of intervals of two bounds at 5 % that hold the truth; 0.9 is promised."""
        return 1 - (self.below + self.above) / self.runs

    def wrong(self, scene: Scene) -> list[str]:
        """Say what happened more often than promised, beyond what chance explains."""
        sides = [side for side, harm in enumerate(("above", "below")) if harm in scene.harms]
        found = []
        if self.below + self.above > most_by_chance(self.runs, 2 * CLEAR + POINT):
            found.append("covers too little")
        if max(self.failed[side] for side in sides) > most_by_chance(self.runs, scene.alpha):
            found.append("fails too often")
        if max(self.passed[side] for side in sides) > most_by_chance(self.runs, CLEAR + POINT):
            found.append("passes too often")
        return found


@dataclass(frozen=True)
class Aim:
    """An effect and the limit that it is held to.

    Attributes:
        scene: its truth is the effect.
        effect: in words.
        limit: what is tolerated; harm is above.
        planned: the share failed that the research for the checks computed or measured, or ``None``.
    """

    scene: Scene
    effect: str
    limit: float
    planned: float | None = None


def most_by_chance(runs: int, share: float) -> int:
    """Return the largest count that is no sign of more than ``share``."""
    return int(stats.binom.isf(STRAY, runs, share))


def simulate(scene: Scene, simulations: int = SIMULATIONS) -> Coverage:
    """Draw the scene's rows so many times, or as many fewer as ``scene.most`` is below a whole run's."""
    random, runs = scene.random(), _share(scene, simulations)
    below = above = 0
    failed, passed = [0, 0], [0, 0]
    for _ in range(runs):
        accusing, clearing = _two(scene.draw(random), scene.alpha)
        below += scene.truth < clearing.low - _rounding(clearing.low)
        above += scene.truth > clearing.high + _rounding(clearing.high)
        for side, harm in enumerate(("above", "below")):
            failed[side] += _judged(accusing, clearing, scene.truth, harm, tolerated=True) == "failed"
            passed[side] += _judged(accusing, clearing, scene.truth, harm, tolerated=False) == "passed"
    return Coverage(runs, below, above, (failed[0], failed[1]), (passed[0], passed[1]))


def verdicts(aim: Aim, simulations: int = SIMULATIONS) -> dict[str, float]:
    """Return the share of each verdict on the scene, harm being above the aim's limit."""
    random, runs = aim.scene.random(), _share(aim.scene, simulations)
    counts = dict.fromkeys(("failed", "inconclusive", "passed"), 0)
    for _ in range(runs):
        accusing, clearing = _two(aim.scene.draw(random), aim.scene.alpha)
        counts[_judged(accusing, clearing, aim.limit, "above", tolerated=True)] += 1
    return {verdict: count / runs for verdict, count in counts.items()} | {"runs": runs}


def _share(scene: Scene, simulations: int) -> int:
    return max(1, scene.most * simulations // SIMULATIONS)


def _two(estimate: Estimate, alpha: float) -> tuple[Interval, Interval]:
    return _plain(estimate(alpha)), _plain(estimate(CLEAR))


def _plain(found: Interval) -> Interval:
    """The same bounds without a plan of how many rows would settle it, which is no part of a verdict and slow."""
    return Interval(found.value, found.low, found.high, found.n, found.confidence, found.method)


def _judged(accusing: Interval, clearing: Interval, limit: float, harm: Side, *, tolerated: bool) -> Verdict:
    """Judge as checks do, by a limit that is just broken, or just not: rounding shall not decide which."""
    joined, slack = two_levels(accusing, clearing, harm), _rounding(limit)
    if harm == "above":
        return at_most("", joined, limit + slack if tolerated else limit - slack).verdict
    return at_least("", joined, limit - slack if tolerated else limit + slack).verdict


def _rounding(value: float) -> float:
    return 1e-12 * max(1.0, abs(value)) if math.isfinite(value) else 0.0
