"""Quality without labels, estimated from calibrated probabilities: a proxy, blind to a world that has changed.

A probability says how often an answer is right; if the probabilities held at launch still hold, the mean of them says
how good the answers are (confidence-based performance estimation). They stop holding when the same inputs begin to
mean something else, and then the estimate goes on saying that all is well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore import contest
from mltestscore.declare import Observations
from mltestscore.errors import NotOffered
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.served_quality.alike import of_days
from mltestscore.served_quality.labels import DAY
from mltestscore.served_quality.scored import BLOCK_ROWS, Codes, answered, answers, days_of, launch_rows, seconds
from mltestscore.served_quality.verdicts import LEAST_DAYS, Limits, days_apart, too_few_days
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.paired import difference
from mltestscore.stats.ratios import mean_gap

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

Vector = npt.NDArray[np.float64]

ESTIMATED = "estimated quality lost since launch"
ESTIMATED_MODEL = "estimated quality lost between the model and its served scores"
ESTIMATED_BIAS = "estimated prediction bias"
NOTE = "without labels, from the probabilities that held at launch"
UNFORESEEN = {
    "multilabel": "quality is estimated without them for one answer a row only",
    "ranking": "an order that was served says nothing of how good it is",
    "regression": "a number that was predicted says nothing of its error",
}


@dataclass(frozen=True)
class Unlabelled:
    """Served rows of the newest window.

    Attributes:
        scores: what was served, in the shape of the model's.
        chances: shape (n,) or (n, k), the calibrated probabilities of the model for the same rows.
        own: the model's own scores of the rows, or ``None`` where the log does not hold its inputs.
        days: shape (n,).
        clusters: shape (n,), or ``None``.
    """

    scores: Vector
    chances: Vector
    own: Vector | None
    days: Codes
    clusters: Codes | None


def observations(
    model: Model, serving: Dataset, holdout: Dataset, days: float, most: int, limits: Limits
) -> Observations:
    """Yield what can be said of the newest window without labels; every finding is a proxy.

    Raises :class:`NotOffered` for answers that carry no probability, for several labels, and for a log from which
    neither a probability nor the model's inputs can be read.
    """
    if why := UNFORESEEN.get(model.task):
        raise NotOffered("outcomes", f"offer the late labels: {why}")
    known = launch_rows(model, holdout, most)
    hold = _isotonic(known.scores, known.truth)
    launch = Unlabelled(answered(known.scores, model.task), hold(known.scores), known.scores, known.days, None)
    classes = contest.classes_of(model.classes, known.frame[holdout.roles.label])
    now = _window(model, serving, classes, hold, days, most)
    for finding in _findings(now, launch, replace(limits, level=limits.level / 3), timed=known.timed):
        yield replace(finding, proxy=True)


def _findings(now: Unlabelled, launch: Unlabelled, limits: Limits, *, timed: bool) -> list[Finding]:
    after, before = _by_day(now, now.scores), _by_day(launch, launch.scores)
    if why := too_few_days(after, before):
        return [undecided(ESTIMATED, why, n_to_settle=LEAST_DAYS)]
    lasting = of_days(after, before, timed=timed)
    found = [at_most(ESTIMATED, days_apart(before, after, limits.level, lasting), limits.max_drop, note=NOTE)]
    if now.own is None:
        return found
    clusters = days_of(None, len(now.scores)) if now.clusters is None else now.clusters
    lost, nothing = _expected_loss(now), np.zeros(len(now.scores))
    accusing, clearing = (difference(lost, nothing, level, clusters) for level in (limits.level, CLEAR))
    found.append(at_most(ESTIMATED_MODEL, two_levels(accusing, clearing), limits.max_loss, note=NOTE))
    if now.chances.ndim == 1:
        own, its = (mean_gap(one.scores - one.chances, codes_of(one.days)) for one in (now, launch))
        size = replace(own, lasting=of_days(own.errors, its.errors, timed=timed)).magnitude(limits.level)
        size = replace(size, method="mean over rows, robust to days (t)")
        found.append(at_most(ESTIMATED_BIAS, size, limits.max_bias, unit="share", note=NOTE))
    return found


def _expected_loss(now: Unlabelled) -> Vector:
    """Return what each row is expected to lose against the model's own score: Brier skill, or accuracy of classes."""
    assert now.own is not None  # the caller has seen to it
    if now.chances.ndim == 2:
        return np.asarray((now.chances * (answered(now.own, "multiclass") - now.scores)).sum(axis=1))
    mean = float(now.chances.mean())
    return np.asarray(((now.scores - now.chances) ** 2 - (now.own - now.chances) ** 2) / (mean * (1 - mean)))


def _window(model: Model, serving: Dataset, classes: Any, hold: Any, days: float, most: int) -> Unlabelled:
    roles = serving.roles
    if not roles.score:
        raise NotOffered("the score column of serving", "name it with score = … under [tool.mltestscore.data.serving]")
    inputs = list(model.features) if set(model.features) <= set(serving.columns) else []
    if not inputs and model.task == "multiclass":
        raise NotOffered(
            "outcomes", "offer the late labels, or log the model's inputs with the class that was answered"
        )
    kept = [*inputs, roles.score, *filter(None, [roles.time, roles.cluster])]
    frame = serving.sample(most).frame(dict.fromkeys(kept)).dropna(subset=[roles.score])
    times = seconds(frame[roles.time]) if roles.time else None
    if times is not None:
        recent = times > np.nanmax(times) - days * DAY
        frame, times = frame[recent], times[recent]
    served = answers(frame[roles.score], model, classes, serving.name)
    own = model.predict(frame[inputs].reset_index(drop=True)) if inputs else None
    chances = hold(served if own is None else own)
    clusters = codes_of(frame[roles.cluster].to_numpy()) if roles.cluster else None
    return Unlabelled(served, chances, own, days_of(times, len(frame)), clusters)


def _isotonic(scores: Vector, truth: npt.NDArray[Any]) -> Any:
    """Return the map from a score to how often it came true at launch; of many classes, one map for all."""
    from sklearn.isotonic import IsotonicRegression

    came = truth if scores.ndim == 1 else np.eye(scores.shape[1])[truth]
    learned = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores.ravel(), came.ravel())
    return lambda given: np.asarray(learned.predict(given.ravel()).reshape(given.shape), dtype=np.float64)


def _by_day(rows: Unlabelled, scores: Vector) -> Vector:
    """Return the estimated quality of each day with rows enough: area under the curve, or accuracy of many classes."""
    found = []
    for day in np.unique(rows.days):
        inside = rows.days == day
        if inside.sum() < BLOCK_ROWS:
            continue
        chances = rows.chances[inside]
        if chances.ndim == 2:
            found.append(float((chances * scores[inside]).sum(axis=1).mean()))
        elif 0 < chances.mean() < 1:
            found.append(expected_area(scores[inside], chances))
    return np.array(found, dtype=np.float64)


def expected_area(scores: Vector, chances: Vector) -> float:
    """Return the expected area under the ROC curve if each row is positive with its own chance, independently.

    Ratio of the expectations over pairs of different rows; ties count one half.

    >>> round(expected_area(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 0.0, 1.0, 1.0])), 3)
    1.0
    """
    places = np.unique(scores, return_inverse=True)[1].reshape(-1)
    negative = np.bincount(places, weights=1 - chances)
    below = np.cumsum(negative) - negative / 2
    itself = chances * (1 - chances)
    won = float((chances * below[places]).sum() - itself.sum() / 2)
    return won / float(chances.sum() * (1 - chances).sum() - itself.sum())
