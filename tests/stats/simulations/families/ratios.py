"""Rates of a group against all other rows: events that are rare, groups that are small, clusters of unequal size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.random import Generator

from mltestscore.stats.ratios import gap, mean_gap
from tests.stats.simulations.scene import Estimate, Scene

from . import rows

UNSEEN = "no bound of a mean knows of errors that no row of a small group shows; `stats.ratios` says how often"
SIZES = {400: 5_000, 3_000: 3_000}


def scenes() -> Iterator[Scene]:
    for n, most in SIZES.items():
        for kind, level, part in [("half", 0.5, 0.5), ("one in ten", 0.1, 0.25)]:
            said = f"an error rate of {kind}, {part:.0%} of the rows in the group"
            yield Scene("ratios", "gap", said, n, 0.1, rates(n, level, part), most=most)
        known = UNSEEN if n < 3_000 else ""
        yield Scene("ratios", "gap", "skewed errors of regressions", n, 0.0, skewed(n), most=most, known=known)
        yield Scene("ratios", "gap", "the group in clusters of unequal size", n, 0.0, clustered(n), most=most)
        yield Scene("ratios", "mean_gap", "clusters of unequal size", n, 0.0, mean(n), most=most)


def rates(n: int, level: float, part: float):
    group, ones, own = numpy.arange(n) < part * n, numpy.ones(n), numpy.arange(n)

    def draw(random: Generator) -> Estimate:
        counted = (random.random(n) < numpy.where(group, level + 0.1, level)).astype(float)
        return gap(counted, ones, group, own, True).interval

    return draw


def skewed(n: int):
    group, ones, own = numpy.arange(n) < n / 4, numpy.ones(n), numpy.arange(n)
    return lambda random: gap(rows.skewed(random, n), ones, group, own, False).interval


def clustered(n: int):
    clusters, ones = rows.cluster_sizes(n), numpy.ones(n)
    group = clusters % 2 == 0

    def draw(random: Generator) -> Estimate:
        return gap(rows.clustered(random, clusters), ones, group, clusters, False).interval

    return draw


def mean(n: int):
    clusters = rows.cluster_sizes(n)
    return lambda random: mean_gap(rows.clustered(random, clusters), clusters).interval
