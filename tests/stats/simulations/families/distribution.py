"""Distances of two distributions: Kolmogorov-Smirnov, and the largest difference of a category's share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.random import Generator
from scipy import stats

from mltestscore.stats.cluster import effective_n
from mltestscore.stats.distribution import Counted, category_distance, ks_distance
from tests.stats.simulations.scene import Aim, Estimate, Scene

from . import rows
from .rows import SIZES, Vector

UP = ("above",)  # a distance is never too small
SLOW = {3_000: 2_000, 30_000: 200}
SAME_WINDOW = 2e-6  # the level of one of 250 parts of monitor.3
SHIFT = float(2 * stats.norm.ppf(0.525))  # of a normal value, in standard deviations: a distance of 0.05


def scenes() -> Iterator[Scene]:
    for n in SIZES:
        most = SLOW.get(n, 10_000)
        yield Scene("distribution", "ks_distance", "clean, no distance", n, 0.0, numbers(n, 0.0), most=most, harms=UP)
        yield Scene(
            "distribution", "ks_distance", "clean, distance 0.05", n, 0.05, numbers(n, SHIFT), most=most, harms=UP
        )
        yield Scene("distribution", "ks_distance", "tied: counts", n, 0.0, counts(n), harms=UP)
        yield Scene("distribution", "ks_distance", "clusters, effective rows", n, 0.0, clusters(n), most=most, harms=UP)
        for levels in (2, 20, 200):
            shares = numpy.full(levels, 1 / levels)
            kind = f"{levels} categories, no distance"
            yield Scene("distribution", "category_distance", kind, n, 0.0, categories(n, shares, shares), harms=UP)
        moved = numpy.array([0.48, 0.02, 0.5]), numpy.array([0.46, 0.04, 0.5])
        yield Scene(
            "distribution", "category_distance", "rare, distance 0.02", n, 0.02, categories(n, *moved), harms=UP
        )


def aims() -> Iterator[Aim]:
    """A shift in standard deviations, in one window on both sides, held to a distance of 0.05."""
    for n, most, planned in [(300, 2_000, (0, 0, None)), (2_000, 1_000, (0, 0.57, None)), (20_000, 150, (0, 1, None))]:
        for shift, share in zip((0.1, 0.3, 0.8), planned, strict=True):
            truth = float(2 * stats.norm.cdf(shift / 2) - 1)
            scene = Scene("distribution", "ks_distance", "clean", n, truth, numbers(n, shift), SAME_WINDOW, most)
            yield Aim(scene, f"mean +{shift} sd", 0.05, share)
    for n in (300, 2_000, 20_000):
        for more in (0.0, 0.05, 0.1):
            before, after = numpy.array([0.1, 0.9]), numpy.array([0.1 + more, 0.9 - more])
            draw = categories(n, before, after)
            scene = Scene("distribution", "category_distance", "one category", n, more, draw, SAME_WINDOW)
            yield Aim(scene, f"a category grows by {more:.0%} of all rows", 0.02)


def numbers(n: int, shift: float):
    def draw(random: Generator) -> Estimate:
        a, b = random.standard_normal((2, n))
        return lambda alpha: ks_distance(a, b + shift, alpha)

    return draw


def counts(n: int):
    shares = stats.poisson.pmf(numpy.arange(12), 1.5)
    shares[-1] += 1 - shares.sum()

    def draw(random: Generator) -> Estimate:
        a, b = (Counted(range(12), random.multinomial(n, shares)) for _ in range(2))
        return lambda alpha: ks_distance(a, b, alpha)

    return draw


def clusters(n: int):
    own = rows.cluster_sizes(n)

    def draw(random: Generator) -> Estimate:
        a, b = rows.clustered(random, own), rows.clustered(random, own)
        worth = effective_n(a, own), effective_n(b, own)
        return lambda alpha: ks_distance(a, b, alpha, worth)

    return draw


def categories(n: int, before: Vector, after: Vector):
    names = range(len(before))

    def draw(random: Generator) -> Estimate:
        a, b = (Counted(names, random.multinomial(n, shares)) for shares in (before, after))
        return lambda alpha: category_distance(a, b, alpha)

    return draw
