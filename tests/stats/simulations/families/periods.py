"""Rows in order of time whose errors last: the mean difference over periods of time that are read from the rows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy
from numpy.random import Generator
from scipy.signal import lfilter

from mltestscore.stats.interval import Interval
from mltestscore.stats.paired import auc_difference, difference
from mltestscore.stats.periods import few, periods
from tests.stats.simulations.scene import Estimate, Scene

SHORT = "fewer than 100 moments show too little of a weak likeness; `stats.periods` says so"


def scenes() -> Iterator[Scene]:
    for n, most in ((30, 5_000), (60, 5_000), (300, 10_000), (3_000, 3_000)):
        for memory in (0.0, 0.3, 0.6, 0.9):
            known = SHORT if n < 100 and memory else ""
            kind = f"errors remember {memory:.0%} of the last"
            yield Scene("periods", "difference", kind, n, 0.0, lasting(n, memory), most=most, known=known)
    for n in (300, 3_000):
        yield Scene(
            "periods", "difference", "forecasts for 24 moments ahead overlap", n, 0.0, overlapping(n), most=3_000
        )
        yield Scene("periods", "difference", "eight series, alike at one time", 8 * n, 0.0, series(n), most=2_000)
        draw = ranked(n)
        yield Scene("periods", "auc_difference", "errors remember 60% of the last", n, 0.0, draw, most=1_000)


def remembering(random: Generator, n: int, memory: float, many: int = 1) -> numpy.ndarray:
    """A stationary first-order autoregression, shape (many, n)."""
    return lfilter([1], [1, -memory], random.standard_normal((many, n + 200)))[:, 200:]


def judged(values: numpy.ndarray, times: numpy.ndarray, longer_than: float = 0.0) -> Estimate:
    """As model.5 judges a forecast: undecided where periods are few."""
    together, nothing = periods(times, values, longer_than), numpy.zeros(len(values))
    if few(together):
        return undecided
    return lambda alpha: difference(values, nothing, alpha, together)


def undecided(alpha: float) -> Interval:
    return Interval(0.0, -math.inf, math.inf, 0, 1 - alpha, "too few periods")


def lasting(n: int, memory: float):
    return lambda random: judged(remembering(random, n, memory)[0], numpy.arange(n))


def overlapping(n: int):
    def draw(random: Generator) -> Estimate:
        values = numpy.convolve(random.standard_normal(n + 23), numpy.ones(24), "valid")
        return judged(values, numpy.arange(n), 24.0)

    return draw


def series(n: int):
    times = numpy.tile(numpy.arange(n), 8)

    def draw(random: Generator) -> Estimate:
        own, shared = remembering(random, n, 0.3, 8), remembering(random, n, 0.6)
        return judged((own + shared).ravel(), times)

    return draw


def ranked(n: int):
    """Two classifiers of events that come and go, equally wrong."""

    def draw(random: Generator) -> Estimate:
        level, a, b = remembering(random, n, 0.6, 3)
        y = (level > 0.3).astype(int)
        chances = [1 / (1 + numpy.exp(-(level - 0.3 + one))) for one in (a, b)]
        together = periods(numpy.arange(n), (chances[0] - y) ** 2 - (chances[1] - y) ** 2)
        if few(together) or len(set(y.tolist())) < 2:
            return undecided
        return lambda alpha: auc_difference(y, chances[0], chances[1], alpha, together)

    return draw
