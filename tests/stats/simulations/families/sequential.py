"""A mean looked at every day: the bound at the last day holds the worst of all looks before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
from numpy.random import Generator

from mltestscore.stats.sequential import mean_so_far
from tests.stats.simulations.scene import Aim, Estimate, Scene

from .rows import Vector

MOST = {30: 4_000, 300: 3_000, 3_000: 600}
"""Days, and simulations: 30,000 days are a lifetime."""


def scenes() -> Iterator[Scene]:
    for days, most in MOST.items():
        for kind, (mean, make) in KINDS.items():
            said = f"{kind}, all looks together"
            yield Scene("sequential", "mean_so_far", said, days, mean, watched(make, days), most=most)


def aims() -> Iterator[Aim]:
    """One minus the quality of each day, held to 0.02 above the launch's 0.2; days spread by 0.04."""
    for days in (30, 90, 300):
        for lost in (0.0, 0.04, 0.08, 0.16):
            draw = watched(lambda random, n, lost=lost: random.normal(0.2 + lost, 0.04, n).clip(0, 1), days)
            scene = Scene("sequential", "mean_so_far", "days", days, 0.2 + lost, draw, most=1_000)
            yield Aim(scene, f"quality falls by {lost:.2f}, days spread by 0.04", 0.22)


KINDS: dict[str, tuple[float, Callable[[Generator, int], Vector]]] = {
    "clean": (0.8, lambda random, n: random.beta(160, 40, n)),
    "skewed": (0.2, lambda random, n: random.beta(2, 8, n)),
    "tied: all or nothing": (0.5, lambda random, n: (random.random(n) < 0.5).astype(float)),
    "rare: one day in fifty": (0.02, lambda random, n: (random.random(n) < 0.02).astype(float)),
    "louder with time": (0.5, lambda random, n: 0.5 + numpy.linspace(0.01, 0.49, n) * (2 * random.random(n) - 1)),
}


def watched(make: Callable[[Generator, int], Vector], days: int):
    def draw(random: Generator) -> Estimate:
        values = make(random, days)
        return lambda alpha: mean_so_far(values, alpha)

    return draw
