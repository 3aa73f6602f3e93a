"""Paired blocks on one machine: exact signed-rank bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy
from numpy.random import Generator

from mltestscore.stats.blocks import block_ratio
from tests.stats.simulations.scene import Aim, Estimate, Scene

from .rows import Vector

SPREAD = 0.03


def scenes() -> Iterator[Scene]:
    for k in (12, 20, 30, 300):
        for kind, make in KINDS.items():
            most = 10_000 if k < 300 else 600
            yield Scene("blocks", "block_ratio", kind, k, 0.05, blocks(make, k, math.log(1.05)), most=most)


def aims() -> Iterator[Aim]:
    """Slower by so much, in blocks that spread by so much, held to 5 %: the table that the method was chosen by."""
    for (k, spread), planned in PLANNED.items():
        for slower, share in zip(SLOWER, planned, strict=True):
            draw = blocks(heavy, k, math.log1p(slower), spread)
            scene = Scene("blocks", "block_ratio", f"heavy tails, blocks spread by {spread:.0%}", k, slower, draw)
            yield Aim(scene, f"{slower:.0%} slower, blocks spread by {spread:.0%}", 0.05, share)


SLOWER = (0.0, 0.05, 0.10, 0.15, 0.25, 0.50)
PLANNED = {
    (12, 0.01): (0, 0, 0.96, 1, 1, 1),
    (12, 0.03): (0, 0, 0.39, 0.86, 0.97, 0.99),
    (20, 0.03): (0, 0.003, 0.74, 0.99, 1, 1),
    (20, 0.08): (0, 0, 0.06, 0.44, 0.93, 1),
    (30, 0.03): (0, 0, 0.97, 1, 1, 1),
    (30, 0.08): (0, 0, 0.12, 0.77, 1, 1),
}


def normal(random: Generator, k: int) -> Vector:
    return random.standard_normal(k)


def heavy(random: Generator, k: int) -> Vector:
    return random.standard_t(3, k) / math.sqrt(3)


def tied(random: Generator, k: int) -> Vector:
    """A clock that counts in steps as coarse as a third of the spread."""
    return numpy.round(random.standard_normal(k) * 3) / 3


def two_skewed(random: Generator, k: int) -> Vector:
    """Medians of latency with a long tail on both sides of the ratio, now and then stalled."""
    stalls = random.random((2, k)) < 0.1
    arms = random.exponential(1, (2, k)) + 5 * stalls
    return arms[1] - arms[0]


KINDS: dict[str, Callable[[Generator, int], Vector]] = {
    "clean": normal,
    "heavy tails": heavy,
    "tied: a coarse clock": tied,
    "skewed on both sides": two_skewed,
}


def blocks(make: Callable[[Generator, int], Vector], k: int, centre: float, spread: float = SPREAD):
    def draw(random: Generator) -> Estimate:
        ratios = centre + spread * make(random, k)
        return lambda alpha: block_ratio(ratios, alpha)

    return draw
