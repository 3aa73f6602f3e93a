"""By how much the calibration error has grown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
from numpy.random import Generator

from mltestscore.stats.calibration import bins_of, calibration, growth
from mltestscore.stats.interval import CLEAR
from tests.stats.simulations.scene import ACCUSE, Aim, Estimate, Scene

from .rows import ICC, SIZES, Codes, Vector, cluster_sizes

SIGNS = "where nothing was wrong at launch, its signs are noise; `stats.calibration.growth` says what that costs"


def scenes() -> Iterator[Scene]:
    for n in SIZES:
        most = {3_000: 4_000, 30_000: 500}.get(n, 10_000)
        for kind, make in KINDS.items():
            yield Scene("calibration", "growth", f"{kind}, none grown", n, 0.0, windows(make, n, 0.0, 0.0), most=most)
        grown = windows(plain, n, 0.0, 0.05)
        yield Scene("calibration", "growth", "clean, grown by 0.05", n, 0.05, grown, most=most, known=SIGNS)
        before = windows(plain, n, 0.1, 0.1)
        yield Scene("calibration", "growth", "clean, 0.1 before and now", n, 0.0, before, most=most)


def aims() -> Iterator[Aim]:
    for n in (500, 2_000, 20_000):
        for more in (0.0, 0.1, 0.2):
            scene = Scene("calibration", "growth", "clean", n, more, windows(plain, n, 0.0, more), most=2_000)
            yield Aim(scene, f"all scores {more:.1f} too high since launch", 0.05)


Drawn = tuple[Vector, Vector, Codes]
"""Scores, outcomes and clusters."""


def plain(random: Generator, n: int) -> Drawn:
    chances = random.uniform(0.1, 0.7, n)
    return chances, (random.random(n) < chances).astype(float), numpy.arange(n)


def rare(random: Generator, n: int) -> Drawn:
    chances = random.beta(0.5, 20, n)
    return chances, (random.random(n) < chances).astype(float), numpy.arange(n)


def tied(random: Generator, n: int) -> Drawn:
    chances = random.integers(1, 4, n) / 5
    return chances, (random.random(n) < chances).astype(float), numpy.arange(n)


def clustered(random: Generator, n: int) -> Drawn:
    """Days that share a part of their luck, which is no error of calibration."""
    own = cluster_sizes(n)
    luck = numpy.clip(random.normal(0, 0.15 * ICC**0.5, int(own[-1]) + 1), -0.2, 0.2)[own]
    chances = random.uniform(0.25, 0.7, n)
    return chances, (random.random(n) < chances + luck).astype(float), own


def values(random: Generator, n: int) -> Drawn:
    """A regression with heavy tails."""
    answers = random.standard_normal(n)
    return answers, answers + random.standard_t(3, n), numpy.arange(n)


KINDS: dict[str, Callable[[Generator, int], Drawn]] = {
    "clean": plain,
    "rare positives": rare,
    "tied: three scores": tied,
    "clusters of unequal size": clustered,
    "regression, heavy tails": values,
}


def windows(make: Callable[[Generator, int], Drawn], n: int, before: float, now: float):
    """Launch and newest window, of n rows each; all scores are too high by ``before`` and by ``now``."""

    def draw(random: Generator) -> Estimate:
        sides = []
        edges = make(random, 2_000)[0]
        for high in (now, before):
            scores, came, own = make(random, n)
            sides.append(calibration(scores + high - came, bins_of(scores, edges), own))
        both = growth(sides[0], sides[1], ACCUSE)
        return lambda alpha: both.clearing if alpha == CLEAR else both.accusing

    return draw
