"""Two means over different rows: Welch's t."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from numpy.random import Generator

from mltestscore.stats.unpaired import mean_difference
from tests.stats.simulations.scene import Aim, Estimate, Scene

from . import rows
from .rows import SIZES, Vector


def scenes() -> Iterator[Scene]:
    for n in (7, *SIZES):
        for kind, make in {"clean": rows.normal, "heavy tails": rows.heavy, "tied": rows.tied}.items():
            yield Scene("unpaired", "mean_difference", f"{kind}, {n} against {n}", n, 0.0, two(make, n, n))
    yield Scene("unpaired", "mean_difference", "few noisy days against many quiet ones", 7, 0.0, two(noisy, 7, 35))
    for n in SIZES:
        yield Scene("unpaired", "mean_difference", "skewed, both sides alike", n, 0.0, two(rows.skewed, n, n))


def aims() -> Iterator[Aim]:
    """Quality of days since launch: a spread of 0.02 from day to day, held to a drop of 0.02."""
    for days in (7, 14, 30):
        for lost in (0.0, 0.04, 0.08):
            scene = Scene("unpaired", "mean_difference", "days", days, lost, two(quality, 35, days, lost))
            yield Aim(scene, f"quality falls by {lost:.2f}, days spread by 0.02", 0.02)


def noisy(random: Generator, n: int) -> Vector:
    return random.normal(0, 3 if n < 10 else 1, n)


def quality(random: Generator, n: int) -> Vector:
    return random.normal(0.8, 0.02, n)


def two(make: Callable[[Generator, int], Vector], n: int, m: int, lost: float = 0.0):
    def draw(random: Generator) -> Estimate:
        a, b = make(random, n), make(random, m) - lost
        return lambda alpha: mean_difference(a, b, alpha)

    return draw
