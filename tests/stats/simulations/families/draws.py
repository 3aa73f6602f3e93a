"""A few trainings: whether a further one is of their kind, and how far they spread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
from numpy.random import Generator

from mltestscore.stats.draws import beyond, deviation
from tests.stats.simulations.scene import Aim, Estimate, Scene

DRAWS = (5, 8, 30)
TAILS = "the tails of what is drawn are heavier than those of normal draws; `stats.draws` says by how much"
ALPHA = 0.0001
"""The level of infra.1 for one of its three findings."""

Draw = Callable[[Generator, int], numpy.ndarray]


def normal(random: Generator, n: int) -> numpy.ndarray:
    return random.normal(size=n)


def heavy(random: Generator, n: int) -> numpy.ndarray:
    """Student's t with 3 degrees of freedom, of variance 1."""
    return random.standard_t(3, n) / 3**0.5


def flat(random: Generator, n: int) -> numpy.ndarray:
    return random.uniform(-(3**0.5), 3**0.5, n)


def scenes() -> Iterator[Scene]:
    for n in DRAWS:
        for kind, draw, known in (("clean", normal, ""), ("heavy tails", heavy, TAILS), ("flat", flat, "")):
            yield Scene("draws", "beyond", kind, n, 0.0, further(draw, n), known=known)
            yield Scene("draws", "deviation", kind, n, 1.0, spread(draw, n), harms=("above",), known=known)


def aims() -> Iterator[Aim]:
    """Accuracies of retrainings that spread by a share of the limit of a point, and a model that lacks some points."""
    for n in DRAWS:
        for share in (0.3, 1.0, 3.0):
            scene = Scene("draws", "deviation", "clean", n, share, spread(normal, n, share), ALPHA)
            yield Aim(scene, f"{n} trainings, deviation {share:g} of the limit", 1.0)
        for gap in (0.0, 3.0, 10.0):
            scene = Scene("draws", "beyond", "clean", n, gap, further(normal, n, gap), ALPHA)
            yield Aim(scene, f"{n} trainings, a model {gap:g} deviations beyond, 4 tolerated", 4.0)


def further(draw: Draw, n: int, gap: float = 0.0):
    def estimated(random: Generator) -> Estimate:
        values, one = draw(random, n), float(draw(random, 1)[0]) + gap
        return lambda alpha: beyond(one, values, alpha)

    return estimated


def spread(draw: Draw, n: int, scale: float = 1.0):
    def estimated(random: Generator) -> Estimate:
        values = scale * draw(random, n)
        return lambda alpha: deviation(values, alpha)

    return estimated
