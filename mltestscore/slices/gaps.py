"""How differently a model treats a group and everyone else; bounds hold for clustered rows and rare events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from mltestscore.slices.declared import Mask
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels

Vector = npt.NDArray[np.float64]

METHOD = "group against complement, cluster-robust t"
GAP_IN = "gap in "
CALIBRATION = f"{GAP_IN}calibration"


@dataclass(frozen=True)
class Rate:
    """A ratio of sums over rows: what is counted over what it is counted among.

    Attributes:
        name: of the finding about its gap.
        counted: shape (n,).
        among: shape (n,), ones where every row counts.
        share: whether it lies in [0, 1], so that a count of none or all still leaves doubt.
        judged: whether a gap is held to the limit; others are shown only.
    """

    name: str
    counted: Vector
    among: Vector
    share: bool = True
    judged: bool = True

    def of(self, rows: Mask) -> float:
        """Return the ratio over some rows; NaN where it is counted among none."""
        total = float(self.among[rows].sum())
        return float(self.counted[rows].sum()) / total if total else math.nan


def rates_of(task: str, truth: npt.NDArray[Any], scores: Vector, threshold: float) -> list[Rate]:
    """Return what is compared between groups.

    Binary: the true and false positive rates (equalised odds) at ``threshold``, the mean of score minus outcome
    (calibration in the large) and, unjudged, the selection rate. More classes: accuracy, and the mean of the highest
    probability minus being right. Regression: the mean error and the mean absolute error, in standard deviations of
    the labels.
    """
    ones = np.ones(len(truth))
    if task == "regression":
        error = (scores - truth) / (float(np.std(truth)) or 1.0)
        return [Rate(CALIBRATION, error, ones, False), Rate(f"{GAP_IN}mean absolute error", np.abs(error), ones, False)]
    if task == "multiclass":
        right = (scores.argmax(axis=1) == truth).astype(np.float64)
        return [Rate(CALIBRATION, scores.max(axis=1) - right, ones, False), Rate(f"{GAP_IN}accuracy", right, ones)]
    chosen, positive = (scores >= threshold).astype(np.float64), truth.astype(np.float64)
    return [
        Rate(CALIBRATION, scores - positive, ones, False),
        Rate(f"{GAP_IN}true positive rate", chosen * positive, positive),
        Rate(f"{GAP_IN}false positive rate", chosen * (1 - positive), 1 - positive),
        Rate(f"{GAP_IN}selection rate", chosen, ones, judged=False),
    ]


@dataclass(frozen=True)
class Gap:
    """The difference of a rate between a group and all other rows.

    Attributes:
        value: group minus complement.
        errors: shape (G,), what each cluster adds to the estimation error.
        least: the variance that rare events leave at least.
        groups: clusters in the smaller of the two sides, of rows that the rate is counted among.
    """

    value: float
    errors: Vector
    least: float
    groups: int

    def magnitude(self, alpha: float) -> TwoLevels:
        """Return the size of the gap; both signs together are accused at ``alpha``, and each cleared at 95 %."""
        accusing, clearing = (_size(self._interval(level)) for level in (alpha / 2, CLEAR))
        return two_levels(accusing, clearing)

    def beyond(self, other: Gap, alpha: float) -> TwoLevels:
        """Return by how much this gap is larger than another model's on the same rows."""
        errors = math.copysign(1.0, self.value) * self.errors - math.copysign(1.0, other.value) * other.errors
        grown = Gap(abs(self.value) - abs(other.value), errors, 0.0, min(self.groups, other.groups))
        return two_levels(grown._interval(alpha), grown._interval(CLEAR))

    def _interval(self, alpha: float) -> Interval:
        if self.groups < 2:
            return Interval(self.value, -math.inf, math.inf, self.groups, 1 - alpha, METHOD)
        many = len(self.errors)
        error = math.sqrt(max(many / (many - 1) * float((self.errors**2).sum()), self.least))
        reach = float(scipy.stats.t.isf(alpha, self.groups - 1)) * error
        return Interval(self.value, self.value - reach, self.value + reach, self.groups, 1 - alpha, METHOD)


def gap(rate: Rate, group: Mask, clusters: npt.NDArray[np.intp]) -> Gap:
    """Return the gap of a rate between the rows of a group and all others; both must hold rows that it counts among.

    Source: the linearised ratio estimator (Cochran 1977) summed over clusters (Liang and Zeger 1986); the least
    variance of a share is that with one more row of either kind on each side (Agresti and Caffo 2000).
    """
    value, least, errors, sides = 0.0, 0.0, np.zeros(len(group)), []
    for rows, sign in ((group, 1.0), (~group, -1.0)):
        total, level = float(rate.among[rows].sum()), rate.of(rows)
        value += sign * level
        errors[rows] = sign * (rate.counted[rows] - level * rate.among[rows]) / total
        sides.append(len(np.unique(clusters[rows & (rate.among > 0)])))
        if rate.share:
            padded = (float(rate.counted[rows].sum()) + 1) / (total + 2)
            least += padded * (1 - padded) / (total + 2)
    return Gap(value, np.bincount(clusters, weights=errors).astype(np.float64), least, min(sides))


def _size(interval: Interval) -> Interval:
    low = max(0.0, interval.low, -interval.high)
    high = max(-interval.low, interval.high)
    return Interval(abs(interval.value), low, high, interval.n, interval.confidence, interval.method)


def too_small(rates: Sequence[Rate], group: Mask, clusters: npt.NDArray[np.intp], *, rows: int, events: int) -> str:
    """Say why a group, or its complement, cannot be judged, or nothing if it can.

    ``rows`` are the fewest rows of a side, ``events`` the fewest of those that a rate is counted among; a side needs
    ten clusters too.
    """
    for side, whose in ((group, "it has"), (~group, "all others have")):
        if (count := int(side.sum())) < rows:
            return f"{whose} {count:,} rows; at least {rows:,} are needed"
        if (many := len(np.unique(clusters[side]))) < 10:
            return f"{whose} {many} clusters of rows; at least 10 are needed"
        for rate in rates:
            if rate.judged and (found := int((rate.among[side] > 0).sum())) < events:
                return f"{whose} {found:,} rows that the {rate.name} is counted among; at least {events:,} are needed"
    return ""
