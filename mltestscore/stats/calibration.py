"""How far scores are from what comes true, bin by bin, and whether that has grown; noise is not counted as error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import special

from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.persistence import Persistence

Vector = NDArray[numpy.float64]
Codes = NDArray[numpy.intp]

METHOD = "expected calibration error, cross-fitted signs, cluster-robust t"
BINS = 10


@dataclass(frozen=True)
class Calibration:
    """The expected calibration error of some rows: the mean, over rows, of the size of their bin's mean error.

    Attributes:
        debiased: each half of the clusters takes the sign of a bin from the other half, so that noise cancels; on
            average never above the truth.
        plain: the sum of sizes as they are; on average never below the truth.
        errors: shape (G,), what each cluster adds to the estimation error.
    """

    debiased: float
    plain: float
    errors: Vector

    @property
    def variance(self) -> float:
        """The variance of the estimate, cluster-robust."""
        many = len(self.errors)
        return many / (many - 1) * float((self.errors**2).sum()) if many > 1 else math.inf


def bins_of(scores: Vector, reference: Vector) -> Codes:
    """Return the bin of each score among ten of about equal size in ``reference``, shape (n,)."""
    edges = numpy.unique(numpy.quantile(reference, numpy.linspace(0, 1, BINS + 1)[1:-1]))
    return numpy.searchsorted(edges, scores, side="right")


def calibration(errors: Vector, bins: Codes, clusters: Codes) -> Calibration:
    """Return the expected calibration error.

    Args:
        errors: shape (n,), score minus outcome, finite.
        bins: shape (n,), from :func:`bins_of`.
        clusters: shape (n,), the cluster of each row, 0 … G-1; every second one belongs to the same half.

    Source: the sign of a bin from other rows makes the sum linear, so that its expectation is at most the true error
    (sample splitting, as in Chernozhukov et al. 2018); the plain sum is biased upwards (Kumar, Liang and Ma 2019).

    >>> rng = numpy.random.default_rng(0)
    >>> scores = rng.random(4000)
    >>> found = calibration(scores - (rng.random(4000) < scores), bins_of(scores, scores), numpy.arange(4000))
    >>> abs(found.debiased) < 0.01 < found.plain
    True
    """
    half = clusters % 2
    cells = numpy.bincount(bins * 2 + half, weights=errors, minlength=2 * (int(bins.max()) + 1)).reshape(-1, 2)
    signs = numpy.where(cells[:, ::-1] >= 0, 1.0, -1.0)
    signed = signs[bins, half] * errors
    mean = float(signed.mean())
    parts = numpy.bincount(clusters, weights=(signed - mean) / len(signed)).astype(numpy.float64)
    return Calibration(mean, float(numpy.abs(cells.sum(axis=1)).sum()) / len(errors), parts)


def growth(now: Calibration, before: Calibration, alpha: float, lasting: Persistence | None = None) -> TwoLevels:
    """Return by how much the error has grown: a lower bound at ``alpha`` that shows it, an upper one that rules it out.

    The lower bound starts from the estimates that flatter the growth least, the upper one from those that flatter it
    most; the degrees of freedom are those of the side with fewer clusters. ``lasting``: for how long clusters stay
    alike that are numbered in order of time.

    Both hold with room to spare where the calibration error stays what it was. Where it was nil at launch, the signs of
    the launch are noise, which both halves share, and which adds up to a quarter to the spread that is seen: a growth
    just beyond the limit is then ruled out in 7 %, not 5 % (tests/stats/coverage.md).
    """
    few = min(len(now.errors), len(before.errors))
    value = now.debiased - before.debiased

    def reach(level: float) -> float:
        if few < 2 or (lasting is not None and lasting.left(few, level) <= 1):
            return math.inf
        freedom = few - 1.0 if lasting is None else lasting.freedom(few)
        each = (1.0 if lasting is None else lasting.widening(len(side.errors), level) for side in (now, before))
        wide = sum(side.variance * factor for side, factor in zip((now, before), each, strict=True))
        return float(special.stdtrit(freedom, 1 - level)) * math.sqrt(wide)

    ends = (now.debiased - before.plain, now.plain - before.debiased)
    accusing, clearing = (
        Interval(
            value,
            min(value, ends[0] - reach(level)),
            max(value, ends[1] + reach(level)),
            few,
            1 - level,
            METHOD,
        )
        for level in (alpha, CLEAR)
    )
    return two_levels(accusing, clearing)
