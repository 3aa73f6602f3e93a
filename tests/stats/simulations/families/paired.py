"""Two models on the same rows: McNemar's exact bounds, the t interval, DeLong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy
from numpy.random import Generator
from scipy import stats

from mltestscore.stats.interval import Interval
from mltestscore.stats.paired import auc, auc_difference, difference
from tests.stats.simulations.scene import Aim, Estimate, Scene

from . import rows
from .rows import SIZES, Vector

MEANS = {30_000: 3_000}
SLOW = {3_000: 2_000, 30_000: 300}
UNSEEN = "no bound of a mean knows of large losses that no row shows; `stats.paired.difference` says from which n on"
UNSEEN_AT = {"skewed": (30, 300), "one row in fifty differs": (30, 300)}


def scenes() -> Iterator[Scene]:
    for n in SIZES:
        for wins, losses in [(0.1, 0.1), (0.03, 0.02), (0.005, 0.005)]:
            kind = f"0/1, models differ in {wins + losses:.0%}"
            yield Scene("paired", "difference", kind, n, wins - losses, signs(n, wins, losses))
        for kind, make in KINDS.items():
            known = UNSEEN if n in UNSEEN_AT.get(kind, ()) else ""
            yield Scene("paired", "difference", kind, n, 0.0, gaps(make, n), most=MEANS.get(n, 10_000), known=known)
        draw = clustered_gaps(n)
        yield Scene("paired", "difference", "clusters of unequal size", n, 0.0, draw, most=MEANS.get(n, 10_000))
    for n in SIZES:
        for kind, positives, apart, levels in [
            ("clean", 0.5, 1.0, 0),
            ("tied: five levels", 0.5, 1.0, 5),
            ("5 % positive", 0.05, 1.0, 0),
            ("5 % positive, ranked nearly right", 0.05, 3.0, 0),
            ("half positive, ranked nearly right", 0.5, 3.0, 0),
        ]:
            if n * positives >= 3:
                draw = ranked(n, round(n * positives), apart, levels)
                most = SLOW.get(n, 10_000)
                yield Scene("paired", "auc", kind, n, area(apart, levels), draw, most=most)
        draw = ranked_clusters(n)
        truth = float(stats.norm.cdf(2**-0.5))
        yield Scene("paired", "auc", "clusters of unequal size", n, truth, draw, most=SLOW.get(n, 10_000))
    for n in SIZES:
        for kind, positives, apart in [
            ("clean", 0.5, 1.5),
            ("5 % positive", 0.05, 1.5),
            ("5 % positive, ranked nearly right", 0.05, 4.0),
        ]:
            if n * positives >= 3:
                draw = two_ranked(n, round(n * positives), apart)
                yield Scene("paired", "auc_difference", kind, n, 0.0, draw, most=SLOW.get(n, 10_000))


KINDS: dict[str, Callable[[Generator, int], Vector]] = {
    "clean": rows.normal,
    "heavy tails": rows.heavy,
    "tied": rows.tied,
    "skewed": rows.skewed,
    "one row in fifty differs": rows.rare,
}


def aims() -> Iterator[Aim]:
    """Non-inferiority of a model by 0/1 losses: differing rows, margin, and the power that was planned."""
    for differ, margin, n in [(0.05, 0.01, 10_450), (0.05, 0.02, 2_610), (0.02, 0.01, 4_180)]:
        for lost in (0.0, 2 * margin):
            wins = (differ + lost) / 2
            scene = Scene("paired", "difference", "0/1", n, lost, signs(n, wins, differ - wins))
            said = f"{lost:.0%} more errors, models differ in {differ:.0%}"
            yield Aim(scene, said, margin, 0.9 if lost else None)


@lru_cache(maxsize=200_000)
def signed(wins: int, losses: int, n: int, alpha: float) -> Interval:
    a, b = numpy.zeros(n), numpy.zeros(n)
    a[:wins] = 1
    b[wins : wins + losses] = 1
    return difference(a, b, alpha)


def signs(n: int, wins: float, losses: float):
    def draw(random: Generator) -> Estimate:
        one, other, _ = random.multinomial(n, [wins, losses, 1 - wins - losses])
        return lambda alpha: signed(int(one), int(other), n, alpha)

    return draw


def gaps(make: Callable[[Generator, int], Vector], n: int):
    nothing = numpy.zeros(n)

    def draw(random: Generator) -> Estimate:
        values = make(random, n)
        return lambda alpha: difference(values, nothing, alpha)

    return draw


def clustered_gaps(n: int):
    clusters, nothing = rows.cluster_sizes(n), numpy.zeros(n)

    def draw(random: Generator) -> Estimate:
        values = rows.clustered(random, clusters)
        return lambda alpha: difference(values, nothing, alpha, clusters)

    return draw


def ranked(n: int, positives: int, apart: float, levels: int):
    y = numpy.arange(n) < positives

    def draw(random: Generator) -> Estimate:
        scores = random.standard_normal(n) + apart * y
        if levels:
            scores = numpy.searchsorted(edges(apart, levels), scores)
        return lambda alpha: auc(y, scores, alpha)

    return draw


def ranked_clusters(n: int):
    clusters = rows.cluster_sizes(n)

    def draw(random: Generator) -> Estimate:
        y = random.random(n) < 0.3
        y[0], y[-1] = True, False
        scores = rows.clustered(random, clusters) + y
        return lambda alpha: auc(y, scores, alpha, clusters)

    return draw


def two_ranked(n: int, positives: int, apart: float):
    y = numpy.arange(n) < positives

    def draw(random: Generator) -> Estimate:
        shared = random.standard_normal(n) + apart * y
        a, b = shared + random.standard_normal((2, n))
        return lambda alpha: auc_difference(y, a, b, alpha)

    return draw


def edges(apart: float, levels: int) -> Vector:
    return numpy.linspace(-1, 1 + apart, levels - 1)


def area(apart: float, levels: int) -> float:
    """The true area under the curve, ties counting one half."""
    if not levels:
        return float(stats.norm.cdf(apart / 2**0.5))
    ends = numpy.concatenate([[-numpy.inf], edges(apart, levels), [numpy.inf]])
    low, high = (numpy.diff(stats.norm.cdf(ends - shift)) for shift in (0.0, apart))
    return float(high @ (numpy.cumsum(low) - low / 2))
