"""Kinds of rows, of known mean: clustered, tied, heavy-tailed, skewed."""

from __future__ import annotations

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

Vector = NDArray[numpy.float64]
Codes = NDArray[numpy.intp]

SIZES = (30, 300, 3_000, 30_000)
ICC = 0.2


def normal(random: Generator, n: int) -> Vector:
    return random.standard_normal(n)


def heavy(random: Generator, n: int) -> Vector:
    """Student's t with three degrees of freedom: symmetric, with a variance and no more."""
    return random.standard_t(3, n)


def tied(random: Generator, n: int) -> Vector:
    """Mostly equal, else a whole number away."""
    return random.poisson(0.3, n) - random.poisson(0.3, n).astype(float)


def skewed(random: Generator, n: int) -> Vector:
    """Many small values and a few large ones: lognormal, less its mean."""
    return random.lognormal(0, 1, n) - float(numpy.exp(0.5))


def rare(random: Generator, n: int) -> Vector:
    """One row in fifty differs, always to one side, less its mean."""
    return (random.random(n) < 0.02) * random.exponential(1, n) - 0.02


def cluster_sizes(n: int) -> Codes:
    """The cluster of each of n rows: at least ten clusters, about twenty rows each, of very unequal size.

    The sizes are fixed, as in one data set: the largest holds about seven times the rows of the middle one.
    """
    groups = max(10, n // 20)
    places = (numpy.arange(groups) + 0.5) / groups
    weights = 1 / (1.08 - places)  # from 1 to 12, most of them small
    ends = numpy.round(numpy.cumsum(weights) / weights.sum() * (n - groups)).astype(int)
    sizes = numpy.diff(ends, prepend=0) + 1
    return numpy.repeat(numpy.arange(groups), sizes)


def clustered(random: Generator, clusters: Codes) -> Vector:
    """Normal values of variance 1 whose rows share a fifth of it with their cluster."""
    level = random.standard_normal(int(clusters[-1]) + 1) * ICC**0.5
    return level[clusters] + random.standard_normal(len(clusters)) * (1 - ICC) ** 0.5
