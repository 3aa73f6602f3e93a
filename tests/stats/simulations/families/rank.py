"""Kendall's tau-b between what was measured offline and online."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
from numpy.random import Generator
from scipy import stats

from mltestscore.stats import rank
from mltestscore.stats.rank import Kendall, kendall
from tests.stats.simulations.scene import Aim, Estimate, Scene

from .rows import Vector

PAIRS = {10: 6_000, 30: 5_000, 300: 2_000}
"""Experiments, and simulations: nobody has 3,000."""

LOW = ("below",)  # an order that is too much alike is no harm

Two = tuple[Vector, Vector]
ENDS = numpy.array([-1.5, -0.5, 0.5, 1.5])


def scenes() -> Iterator[Scene]:
    for n, most in PAIRS.items():
        for tau in (0.0, 0.2, 0.6):
            draw = pairs(lambda random, n, tau=tau: normal(random, n, tau), n)
            yield Scene("rank", "kendall", f"clean, tau {tau}", n, tau, draw, most=most, harms=LOW)
        for kind, make in {"heavy tails": heavy, "a few agree, others do not": mixed}.items():
            draw = pairs(lambda random, n, make=make: make(random, n, 0.2), n)
            yield Scene("rank", "kendall", f"{kind}, tau 0.2", n, 0.2, draw, most=most, harms=LOW)
        yield Scene(
            "rank", "kendall", "tied: five levels", n, tau_of_levels(0.3), tied_pairs(n, 0.3), most=most, harms=LOW
        )


def aims() -> Iterator[Aim]:
    """The disorder, minus tau, held to -0.2: a tau below 0.2 is harm, as in model.2."""
    for n in (12, 30, 100):
        for tau in (0.9, 0.6, 0.0, -0.3):
            draw = pairs(lambda random, n, tau=tau: normal(random, n, -tau), n)
            scene = Scene("rank", "kendall", "clean", n, -tau, draw, alpha=0.00025, most=500)
            yield Aim(scene, f"tau {tau} (fails below 0.2)", -0.2)


def normal(random: Generator, n: int, tau: float) -> Two:
    r = numpy.sin(numpy.pi * tau / 2)
    x, e = random.standard_normal((2, n))
    return x, r * x + numpy.sqrt(1 - r * r) * e


def heavy(random: Generator, n: int, tau: float) -> Two:
    x, y = normal(random, n, tau)
    width = numpy.abs(random.standard_normal(n))
    return x / width, y / width


def mixed(random: Generator, n: int, tau: float) -> Two:
    x = random.standard_normal(n)
    return x, numpy.where(random.random(n) < (1 + tau) / 2, x, -x)


def pairs(make: Callable[[Generator, int], Two], n: int):
    def draw(random: Generator) -> Estimate:
        return kendall(*make(random, n)).interval

    return draw


def tied_pairs(n: int, tau: float):
    """Without p, whose 9,999 permutations the bounds do not need."""

    def draw(random: Generator) -> Estimate:
        while True:
            x, y = (numpy.searchsorted(ENDS, side).astype(float) for side in normal(random, n, tau))
            if len(set(x)) > 1 and len(set(y)) > 1:
                break
        found = float(stats.kendalltau(x, y, method="asymptotic").statistic)
        return Kendall(found, n, 0.5, False, rank._variance(x, y, found)).interval

    return draw


def tau_of_levels(tau: float) -> float:
    """The true tau-b of normal pairs that are told apart in five levels only."""
    r = float(numpy.sin(numpy.pi * tau / 2))
    ends = numpy.array([-9.0, *ENDS, 9.0])
    both = stats.multivariate_normal([0, 0], [[1, r], [r, 1]])
    below = numpy.array([[both.cdf([a, b]) for b in ends] for a in ends])
    cells = numpy.diff(numpy.diff(below, axis=0), axis=1)
    signs = numpy.sign(numpy.subtract.outer(numpy.arange(5), numpy.arange(5)))
    excess = float(numpy.einsum("ij,kl,ik,jl", cells, cells, signs, signs))
    untied = [1 - float((side**2).sum()) for side in (cells.sum(0), cells.sum(1))]
    return excess / (untied[0] * untied[1]) ** 0.5
