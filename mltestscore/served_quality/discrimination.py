"""How well served scores tell the classes apart, beside what the model says of the same rows.

Where one class is rare, the best scores explain a hundredth of the variance: scores that reach the wrong rows then cost
less than two points of any mean loss, and nearly all of the order in which rows are served first.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from mltestscore.finding import Finding, at_most, undecided
from mltestscore.served_quality.scored import Scored
from mltestscore.served_quality.verdicts import Limits
from mltestscore.slices.losses import LEAST_CLUSTERS
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.paired import auc_difference

LOST = "discrimination lost between the model and its served scores"
LEAST_OF_CLASS = 50  # rows of either class, as in model.5: below them, intervals are not reliable at these levels


def against_model(window: Scored, rescored: npt.NDArray[np.float64], limits: Limits) -> Finding:
    """Hold the order of the served scores to that of the model's own, by what the labels say of both."""
    note = "in roc_auc, the same rows scored again"
    if np.array_equal(rankdata(window.scores), rankdata(rescored)):
        return at_most(LOST, 0, limits.max_loss, n=len(window), note=f"{note}: in the same order")
    if np.allclose(window.scores, rescored, rtol=0, atol=_rounding(window.scores)):
        return at_most(LOST, 0, limits.max_loss, n=len(window), note=f"{note}: the same but for the log's rounding")
    rarer = int(np.bincount(window.truth, minlength=2).min())
    if rarer < LEAST_OF_CLASS:
        rows = -(-len(window) * LEAST_OF_CLASS // max(1, rarer))
        why = f"the rarer class has {rarer:,} of {len(window):,} rows; at least {LEAST_OF_CLASS} are needed"
        return undecided(LOST, why, n_to_settle=rows)
    clusters = window.dependent
    if (many := len(np.unique(clusters))) < LEAST_CLUSTERS:
        return undecided(LOST, f"{len(window):,} rows lie in {many} clusters; at least {LEAST_CLUSTERS} are needed")
    lost = partial(auc_difference, window.truth, rescored, window.scores, clusters=clusters)
    interval = two_levels(lost(limits.level), lost(CLEAR))
    cause = "served scores do not tell the classes apart as the model's do" if interval.value > limits.max_loss else ""
    return at_most(LOST, interval, limits.max_loss, unit="", note=note, cause=cause)


def _rounding(scores: npt.NDArray[np.float64]) -> float:
    """Return half of the last decimal that a log keeps, of at most six decimals; 0 where it keeps more."""
    kept = (one for one in range(2, 7) if np.allclose(scores, scores.round(one), rtol=0, atol=1e-9))
    return next((0.5 * 10.0**-one + 1e-9 for one in kept), 0.0)
