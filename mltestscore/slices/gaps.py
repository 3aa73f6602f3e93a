"""How differently a model treats a group and everyone else; bounds hold for clustered rows and rare events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.slices.declared import Mask
from mltestscore.stats import ratios
from mltestscore.stats.ratios import Gap

Vector = npt.NDArray[np.float64]

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
