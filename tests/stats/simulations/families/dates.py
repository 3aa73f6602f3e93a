"""Rows of few dates whose errors last: the mean difference over dates that are taken to be alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.random import Generator

from mltestscore.stats.dates import widened
from mltestscore.stats.paired import auc_difference, auc_gains, difference
from tests.stats.simulations.scene import Estimate, Scene

from .periods import remembering

SHORT = "few dates show too little of a likeness that lasts as long as they do; `stats.dates` says how often"
ROWS = 20  # of a date


def scenes() -> Iterator[Scene]:
    for n in (2, 3, 5, 9, 15, 20, 30, 59):
        for memory in (0.0, 0.3, 0.6, 0.9):
            known = SHORT if memory > 0.3 else ""
            said = f"dates remember {memory:.0%} of the last"
            yield Scene("dates", "widened difference", said, n, 0.0, lasting(n, memory), known=known)
    for n in (5, 20):
        said = "dates remember 60% of the last, of unequal size"
        yield Scene("dates", "widened difference", said, n, 0.0, lasting(n, 0.6, unequal=True), most=5_000, known=SHORT)
        said = "dates remember 60% of the last"
        yield Scene("dates", "widened auc_difference", said, n, 0.0, ranked(n, 0.6), most=2_000, known=SHORT)


def lasting(n: int, memory: float, *, unequal: bool = False):
    sizes = numpy.tile([ROWS // 2, ROWS, 2 * ROWS], n)[:n] if unequal else numpy.full(n, ROWS)
    date = numpy.repeat(numpy.arange(n), sizes)

    def draw(random: Generator) -> Estimate:
        values = remembering(random, n, memory)[0][date] + random.normal(size=len(date))
        means = numpy.bincount(date, values) / sizes
        return lambda alpha: widened(difference(values, numpy.zeros(len(date)), alpha, date), means, alpha)

    return draw


def ranked(n: int, memory: float):
    """Two classifiers, equally wrong, each for days on end."""
    date = numpy.repeat(numpy.arange(n), 5 * ROWS)

    def draw(random: Generator) -> Estimate:
        level = random.normal(size=len(date))
        y = (level + random.logistic(size=len(date)) > 0).astype(int)
        own = remembering(random, n, memory, 2) * (1 - memory**2) ** 0.5
        a, b = (1 / (1 + numpy.exp(-level * numpy.exp(0.5 * one[date]) - random.normal(size=len(date)))) for one in own)
        gains = numpy.bincount(date, auc_gains(y, a, b)) / (5 * ROWS)
        return lambda alpha: widened(auc_difference(y, a, b, alpha, date), gains, alpha)

    return draw
