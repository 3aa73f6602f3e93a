"""How differently a model treats a group and everyone else; bounds hold for clustered rows and rare events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.slices.declared import Mask
from mltestscore.stats import ranking, ratios
from mltestscore.stats.ratios import Gap

Vector = npt.NDArray[np.float64]

GAP_IN = "gap in "
CALIBRATION = f"{GAP_IN}calibration"
PAIRWISE = "pairwise accuracy"


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


def rates_of_labels(truth: npt.NDArray[Any], scores: Vector, threshold: float) -> list[Rate]:
    """Return the rates of a binary task over several labels at once, shape (n, k): each label of a row is an answer."""
    each = [rates_of("binary", *pair, threshold) for pair in zip(truth.T, scores.T, strict=True)]
    return [
        replace(one[0], counted=sum(rate.counted for rate in one), among=sum(rate.among for rate in one))
        for one in zip(*each, strict=True)
    ]


def rates_of_queries(
    truth: npt.NDArray[Any], scores: Vector, queries: npt.NDArray[np.intp], *, whole: bool
) -> list[Rate]:
    """Return what is compared between groups of a ranking, whose rows lie in ``queries``.

    Judged is how often a row is placed above one of a lower grade in its query, a row of each grade held to the mean
    of that grade: it depends neither on the length of queries nor on how many of a group's rows are relevant. Shown
    are, of ``whole`` queries, NDCG, which depends on both, and of rows their exposure, which depends on their grades.
    """
    share, grade = ranking.pairwise(truth, scores, queries), ranking.levels(truth)
    known = np.isfinite(share)
    found = np.where(known, share, 0.0)
    count = np.bincount(grade[known], minlength=int(grade.max(initial=0)) + 1)
    usual = np.bincount(grade[known], weights=found[known], minlength=len(count)) / np.maximum(count, 1)
    overall = float(found[known].mean()) if known.any() else 0.0
    held = np.where(known, found - usual[grade] + overall, 0.0)
    rates = [Rate(f"{GAP_IN}{PAIRWISE}", held, known.astype(np.float64), False)]
    if whole:
        first = np.unique(queries, return_index=True)[1][ranking.answerable(truth, queries)]
        counted, among = np.zeros(len(truth)), np.zeros(len(truth))
        counted[first], among[first] = ranking.qualities("ndcg", truth, scores, queries), 1.0
        return [*rates, Rate(f"{GAP_IN}ndcg", counted, among, judged=False)]
    shown = ranking.exposure(scores, queries)
    return [*rates, Rate(f"{GAP_IN}exposure", shown, np.ones(len(shown)), False, judged=False)]


def gap(rate: Rate, group: Mask, clusters: npt.NDArray[np.intp]) -> Gap:
    """Return the gap of a rate between the rows of a group and all others; both must hold rows that it counts among."""
    return ratios.gap(rate.counted, rate.among, group, clusters, rate.share)


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
