"""Answers and labels as arrays of one form, of the launch and of the serving log, and how good each block of days was.

Rows of one day share its weather, its news and its outages, so that a week of a million rows may say no more than
seven numbers. Quality is therefore measured day by day; that also leaves out what only the mix of days explains, such
as a season with another base rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest, several_labels
from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.served_quality.labels import AT, DAY, LABEL
from mltestscore.several_labels import require_same_labels
from mltestscore.slices.declared import Mask
from mltestscore.stats import ranking
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.quality import loss_of_a_constant, quality
from mltestscore.tasks import JUDGED_TOO
from mltestscore.unstructured import is_array

Codes = npt.NDArray[np.intp]
Vector = npt.NDArray[np.float64]

BLOCK_ROWS = 50  # fewer rows of a day are judged with the next day's
BLOCK_OF_CLASS = 5  # rows of either class that an area under the curve takes at least
BLOCK_QUERIES = 10  # of a ranking, that have an order to find
MOST_BLOCKS = 50  # of rows that have no times: neighbours in the table are taken to be alike


@dataclass(frozen=True)
class Scored:
    """Rows with an answer and, but for an estimate, a label.

    Attributes:
        truth: shape (n,), class numbers, values or grades; of several labels, shape (n, k) of 0 and 1.
        scores: in the shape of :meth:`mltestscore.inputs.model.Model.predict`; a class that was answered without
            probabilities counts as certain.
        days: shape (n,), which rows were served on the same day, or are neighbours where times are not known.
        clusters: shape (n,), the declared clusters, of a ranking its queries, or ``None``.
        frame: shape (n, …), what else is known of the rows.
        timed: whether days are days, in order, and no neighbours.
    """

    truth: npt.NDArray[Any]
    scores: Vector
    days: Codes
    clusters: Codes | None
    frame: pd.DataFrame
    timed: bool = True

    def __len__(self) -> int:
        return len(self.truth)

    def part(self, rows: Mask) -> Scored:
        """Return some of the rows."""
        clusters = None if self.clusters is None else self.clusters[rows]
        kept = self.frame[rows].reset_index(drop=True)
        return Scored(self.truth[rows], self.scores[rows], self.days[rows], clusters, kept, self.timed)

    def of_label(self, place: int) -> Scored:
        """Return the rows with one of several labels, as those of a binary task."""
        return replace(self, truth=self.truth[:, place], scores=self.scores[:, place])

    @property
    def clusterings(self) -> list[Codes]:
        """The ways in which rows may depend on each other, days first; a bound must hold under each."""
        return [codes_of(one) for one in (self.days, self.clusters) if one is not None]

    @property
    def dependent(self) -> Codes:
        """The declared clusters, else blocks of neighbours: for comparisons in which a day's level cancels."""
        return days_of(None, len(self)) if self.clusters is None else codes_of(self.clusters)


def days_of(times: npt.NDArray[Any] | None, rows: int) -> Codes:
    """Return the day of each row, UTC; equal runs of neighbours where there are no ``times`` (seconds since 1970)."""
    if times is None:
        return np.asarray(np.arange(rows) * MOST_BLOCKS // max(1, rows), dtype=np.intp)
    return codes_of(np.floor(times / DAY))


def seconds(times: pd.Series[Any]) -> Vector:
    """Return times as seconds since 1970, UTC; NaN for what is no time."""
    stamps = pd.to_datetime(times, utc=True, errors="coerce")
    return np.asarray((stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(dtype=np.float64))


def launch_rows(model: Model, holdout: Dataset, most: int, names: Sequence[object] = ()) -> Scored:
    """Return labelled rows of the holdout as the model scores them: how good it was when it was launched.

    ``names``: of several labels, in the order of the scores.

    Raises :class:`NotOffered` where no label column is declared, or no query of a ranking.
    """
    if model.task == "ranking":
        contest.queries_of(holdout.frame(limit=1), holdout)
        holdout = holdout.sample(most, together=True)
    time = holdout.roles.time
    frame = contest.labelled(holdout, [*model.features, *filter(None, [time])], most)
    scores = contest.labelled_scores(model, holdout, frame, most)
    label = frame[holdout.roles.label]
    classes = names or contest.classes_of(model.classes, label)
    truth = contest.encoded(label, model.task, classes, holdout.name, JUDGED_TOO)
    require_same_labels(truth, scores, holdout.name)
    times = seconds(frame[time]) if time else None
    clusters = contest.clusters_of(frame, holdout)
    codes = None if clusters is None else codes_of(clusters)
    days = _whole(days_of(times, len(frame)), codes, model.task)
    return Scored(truth, scores, days, codes, frame, times is not None).part(_finite(scores))


def answered(scores: Vector, task: str) -> Vector:
    """Return a model's scores as a log holds them: of more than two classes, the one that is answered."""
    return np.asarray(np.eye(scores.shape[1])[scores.argmax(axis=1)]) if task == "multiclass" else scores


def _finite(scores: Vector) -> Mask:
    return np.asarray(np.isfinite(scores).all(axis=tuple(range(1, scores.ndim))))


def _whole(days: Codes, clusters: Codes | None, task: str) -> Codes:
    """Return the day of each row; all rows of a ranking's query are of the day of its first."""
    if task != "ranking" or clusters is None or not len(days):
        return days
    first = np.full(int(clusters.max()) + 1, len(days))
    np.minimum.at(first, clusters, days)
    return codes_of(first[clusters])


def served_rows(
    frame: pd.DataFrame, model: Model, serving: Dataset, labels: str, names: Sequence[object] = ()
) -> Scored:
    """Return the rows of :func:`mltestscore.served_quality.labels.rows` that have a score and a label.

    ``labels`` names the dataset of the labels, for messages; ``names``: of several labels, in the order of the scores.
    """
    both = frame[frame[serving.roles.score].notna() & frame[LABEL].notna()].reset_index(drop=True)
    classes = names or contest.classes_of(model.classes, both[LABEL])
    scores = answers(both[serving.roles.score], model, classes, serving.name)
    finite = _finite(scores)
    kept, scores = both[finite].reset_index(drop=True), scores[finite]
    truth = contest.encoded(_plain(kept[LABEL], classes), model.task, classes, labels, JUDGED_TOO)
    times = kept[AT].to_numpy(dtype=np.float64) if AT in kept else None
    cluster = serving.roles.cluster
    clusters = codes_of(kept[cluster].to_numpy()) if cluster else None
    days = _whole(days_of(times, len(kept)), clusters, model.task)
    return Scored(truth, scores, days, clusters, kept, times is not None)


def answers(served: pd.Series[Any], model: Model, classes: Sequence[object], where: str) -> Vector:
    """Return the served scores in the shape of the model's; of more than two classes only the one answered counts.

    A log of more than two classes holds that class, or a list of their probabilities, of which it is the largest.

    Raises :class:`InputError` for a probability outside [0, 1] or a class that the model has not.
    """
    if model.task == "multiclass" and is_array(served):
        shares = several_labels.chances(served, len(classes), where)
        return np.where(_finite(shares)[:, None], answered(shares, model.task), np.nan)
    if model.task == "multiclass":
        column = f"the score column of {where} (with more than two classes, the class that was answered)"
        chosen = contest.encoded(_plain(served, classes), model.task, classes, column)
        return np.asarray(np.eye(len(classes))[chosen], dtype=np.float64)
    if model.task == "multilabel":
        return several_labels.chances(served, len(classes), where)
    scores = pd.to_numeric(served, errors="coerce").to_numpy(dtype=np.float64)
    known = scores[np.isfinite(scores)]
    if model.task == "binary" and len(known) and not 0 <= known.min() <= known.max() <= 1:
        odd = known.min() if known.min() < 0 else known.max()
        raise InputError(
            f"The score column of {where} holds {odd:.6g}; expected the probability of the positive class, from 0 to "
            "1. Log the probability that was served, not a rank or a percentage."
        )
    return scores


def _plain(labels: pd.Series[Any], classes: Sequence[object]) -> pd.Series[Any]:
    """Return labels as the model names its classes: a join gives whole numbers back as floats."""
    numbers = all(isinstance(one, int | float | bool | np.number | np.bool_) for one in classes)
    return pd.to_numeric(labels) if numbers and labels.dtype == object else labels


def blocks(rows: Scored, metric: str) -> list[Codes]:
    """Return the rows of each block of whole days on which the metric can be taken, in order of time."""
    found: list[Codes] = []
    waiting = np.empty(0, dtype=np.intp)
    order = np.argsort(rows.days, kind="stable")
    ends = np.flatnonzero(np.diff(rows.days[order])) + 1
    for day in np.split(order, ends):
        waiting = np.concatenate([waiting, day])
        if _enough(rows, waiting, metric):
            found.append(waiting)
            waiting = np.empty(0, dtype=np.intp)
    if len(waiting) and found:
        found[-1] = np.concatenate([found[-1], waiting])
    return found


def _enough(rows: Scored, part: Codes, metric: str) -> bool:
    truth = rows.truth[part]
    if metric in ranking.METRICS and rows.clusters is not None:
        return int(ranking.answerable(truth, rows.clusters[part]).sum()) >= BLOCK_QUERIES
    if len(truth) < BLOCK_ROWS:
        return False
    if metric == "roc_auc":
        return bool(np.bincount(truth, minlength=2).min() >= BLOCK_OF_CLASS)
    return bool((truth != truth[0]).any())


def block_qualities(rows: Scored, metric: str, scores: Vector | None = None) -> Vector:
    """Return the metric of each block, in order of time; ``scores`` take the place of the served ones."""
    given = rows.scores if scores is None else scores
    queries = rows.clusters if metric in ranking.METRICS else None
    return np.array(
        [
            quality(metric, rows.truth[one], given[one], None if queries is None else queries[one])
            for one in blocks(rows, metric)
        ],
        dtype=np.float64,
    )


def errors(rows: Scored, task: str, scale: float) -> Vector:
    """Return answer minus outcome of each row: in probability, or in standard deviations ``scale`` for regression.

    Of more than two classes, 0 where the answer was right and 1 where it was not.
    """
    if task == "multiclass":
        return np.asarray(rows.scores.argmax(axis=1) != rows.truth, dtype=np.float64)
    return np.asarray((rows.scores - rows.truth) / (scale if task == "regression" else 1.0), dtype=np.float64)


def varies(rows: Scored, metric: str) -> bool:
    """Say whether the labels of the rows differ, without which no metric tells good from bad."""
    if metric in ranking.METRICS and rows.clusters is not None:
        return bool(ranking.answerable(rows.truth, rows.clusters).any())
    try:
        loss_of_a_constant("r2" if metric in ("r2", "d2_absolute_error") else "d2_brier_score", rows.truth)
    except ValueError:
        return False
    return True
