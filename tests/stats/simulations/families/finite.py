"""Shares of a finite population: hypergeometric bounds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from numpy.random import Generator

from mltestscore.stats.finite import finite_share
from mltestscore.stats.interval import Interval
from tests.stats.simulations.scene import Aim, Estimate, Scene

DRAWN = ((30, 40), (30, 90), (300, 900))
"""Mutants tried, of how many: more than some hundreds are never tried."""


def scenes() -> Iterator[Scene]:
    for n, population in DRAWN:
        for share in (0.5, 0.8, 0.99):
            noticed = round(population * share)
            kind = f"{n} of {population}, {share:.0%} noticed"
            yield Scene("finite", "finite_share", kind, n, noticed / population, sampled(noticed, population, n))


def aims() -> Iterator[Aim]:
    """Mutants that survive, held to a fifth (data.7 asks the same of those that are noticed)."""
    for n, population in DRAWN:
        for survive in (0.0, 0.1, 0.5, 0.8):
            left = round(population * survive)
            draw = sampled(left, population, n)
            scene = Scene("finite", "finite_share", f"{n} of {population}", n, left / population, draw, 0.0001)
            yield Aim(scene, f"{survive:.0%} of {population} mutants survive, {n} are tried", 0.2)


@lru_cache(maxsize=10_000)
def bounded(hits: int, n: int, population: int, alpha: float) -> Interval:
    return finite_share(hits, n, population, alpha)


def sampled(good: int, population: int, n: int):
    def draw(random: Generator) -> Estimate:
        hits = int(random.hypergeometric(good, population - good, n))
        return lambda alpha: bounded(hits, n, population, alpha)

    return draw
