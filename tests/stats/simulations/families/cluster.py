"""Shares of clustered rows: exact bounds on rows that the design effect has made fewer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.random import Generator

from mltestscore.comparison.levels import rate
from mltestscore.stats.cluster import design_effect, effective_n
from mltestscore.stats.interval import CLEAR, Interval
from mltestscore.stats.proportion import bounds
from tests.stats.simulations.scene import ACCUSE, Estimate, Scene

from .rows import ICC, SIZES, cluster_sizes

RARE = "rare in few clusters, a share shows too little of how clusters differ; `stats.cluster` says by how much"


def scenes() -> Iterator[Scene]:
    for n in SIZES:
        for share in (0.3, 0.02):
            kind, most = f"clusters of unequal size, share {share:.0%}", 10_000 if n < 3_000 else 2_000
            for method, make in (("design_effect", shares), ("effective_n", effective)):
                known = RARE if share < 0.1 else ""
                draw = make(n, share)
                yield Scene("cluster", method, kind, n, share, draw, most=most, harms=("above",), known=known)


def shares(n: int, share: float):
    """As monitor.2 and monitor.3 judge shares of clustered rows."""
    clusters = cluster_sizes(n)
    sizes = numpy.bincount(clusters).astype(float)

    def draw(random: Generator) -> Estimate:
        hits = beta_binomial(random, sizes, share)
        squares = float((sizes**2).sum()), float((hits**2).sum()), float((sizes * hits).sum())
        effect = design_effect(len(sizes), n, float(hits.sum()), *squares)
        both = rate(hits.sum(), n, ACCUSE, design_effect=effect)
        return lambda alpha: both.clearing if alpha == CLEAR else both.accusing

    return draw


def effective(n: int, share: float):
    """As monitor.6 judges the share of slow requests."""
    clusters = cluster_sizes(n)
    sizes = numpy.bincount(clusters).astype(float)

    def draw(random: Generator) -> Estimate:
        hits = beta_binomial(random, sizes, share)
        places = numpy.arange(n) - numpy.repeat(numpy.cumsum(sizes) - sizes, sizes.astype(int))
        above = (places < hits[clusters]).astype(float)
        value = float(above.mean())
        worth = effective_n(above, clusters) if 0 < value < 1 else float(n)

        def estimate(alpha: float) -> Interval:
            low, high = bounds(value * worth, worth, alpha)
            return Interval(value, min(low, value), max(high, value), int(worth), 1 - alpha, "effective n")

        return estimate

    return draw


def beta_binomial(random: Generator, sizes: numpy.ndarray, share: float) -> numpy.ndarray:
    """Hits of each cluster; rows of one cluster have the correlation ICC."""
    weight = (1 - ICC) / ICC
    levels = random.beta(share * weight, (1 - share) * weight, len(sizes))
    return random.binomial(sizes.astype(int), levels).astype(float)
