"""A fair contest between a model and baselines: a quarter of the labelled rows chooses, the rest judges."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.dependence import stretches
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.several_labels import indicators, names_of
from mltestscore.stats import ranking
from mltestscore.stats.dates import widened
from mltestscore.stats.interval import Interval
from mltestscore.stats.quality import advantage, gained_by_row, quality
from mltestscore.stats.seeds import generator, seed_of
from mltestscore.tasks import JUDGED_TOO, require_one_answer
from mltestscore.unstructured import as_texts, is_array

if TYPE_CHECKING:
    from mltestscore.baselines import Baseline
    from mltestscore.inputs.model import Model

Scores = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CHOOSING = 4  # one row, key, cluster or stretch of time in four chooses: choosing needs fewer rows than judging
STRETCHES = 48  # of time, each of which chooses or judges as a whole


@dataclass(frozen=True)
class TooFew:
    """Why a contest cannot be judged, and the number of holdout rows that would do (``None`` if more do not help)."""

    reason: str
    rows_wanted: int | None = None


@dataclass(frozen=True)
class Contest:
    """Scores of several models on the same labelled rows.

    Attributes:
        metric: one of :data:`mltestscore.stats.quality.METRICS`.
        truth: shape (n,), class numbers from 0, or values.
        scores: by the name of the model, each in the shape of :meth:`mltestscore.inputs.model.Model.predict`.
        judged: shape (n,), the rows that judge; the others choose.
        clusters: shape (n,), or ``None`` where rows are independent.
        dates: whether clusters are dates in order of time, which may be alike and are too few to tell.
    """

    metric: str
    truth: npt.NDArray[Any]
    scores: dict[str, Scores]
    judged: Mask
    clusters: npt.NDArray[Any] | None
    dates: bool = False

    def quality(self, name: str) -> float:
        """Return the metric of a model on the judged rows."""
        return self._quality(name, self.judged)

    @property
    def orders(self) -> int | None:
        """How many judged queries have rows of different grades; ``None`` where no ranking is judged."""
        if self.metric not in ranking.METRICS or self.clusters is None:
            return None
        return int(ranking.answerable(self.truth[self.judged], self.clusters[self.judged]).sum())

    def best(self, names: Sequence[str]) -> str:
        """Return the name of the model that is best on the choosing rows; the first of equals."""
        return max(names, key=lambda name: self._quality(name, ~self.judged))

    def _quality(self, name: str, rows: Mask) -> float:
        clusters = None if self.clusters is None else self.clusters[rows]
        return quality(self.metric, self.truth[rows], self.scores[name][rows], clusters)

    def advantage(self, ours: str, theirs: str, alpha: float) -> Interval:
        """Return by how much the metric of one model exceeds another's on the judged rows, bounds at ``alpha``."""
        rows = self.judged
        clusters = None if self.clusters is None else self.clusters[rows]
        truth, scores = self.truth[rows], (self.scores[ours][rows], self.scores[theirs][rows])
        found = advantage(self.metric, truth, *scores, alpha, clusters)
        if clusters is None or not self.dates:
            return found
        place = np.unique(clusters, return_inverse=True)[1].reshape(-1)
        gained = np.bincount(place, gained_by_row(self.metric, truth, *scores)) / np.bincount(place)
        return widened(found, gained, alpha)


class Lesson:
    """Labelled training rows, and the baselines that learned from them.

    Attributes:
        classes: in the order of the scores; empty for regression.
        labels: shape (n,), class numbers from 0, or values.
    """

    def __init__(
        self, training: Dataset, features: Sequence[str], classes: Sequence[object], task: str, rows: int, median: bool
    ) -> None:
        self._frame = labelled(training, features, rows)
        self._features, self._task, self._median = features, task, median
        column = self._frame[training.roles.label]
        self.classes = classes_of(classes, column)
        self.labels = encoded(column, task, self.classes, training.name, also=JUDGED_TOO)

    @cached_property
    def baselines(self) -> tuple[Baseline, ...]:
        """Fit the baselines."""
        from mltestscore.baselines import fit_baselines

        return fit_baselines(
            self._frame,
            self._features,
            self.labels,
            task=self._task,
            classes=len(self.classes),
            median=self._median,
        )


# Faults that are planted on the model meet the same training rows again: their baselines need no second fit.
lesson = lru_cache(maxsize=1)(Lesson)


def labelled(dataset: Dataset, features: Sequence[str], rows: int) -> pd.DataFrame:
    """Return at most ``rows`` rows that have a label: the features, the label, key, cluster and time.

    Raises :class:`NotOffered` when no label column is declared, :class:`InputError` when a feature is missing.
    """
    roles = dataset.roles
    if not roles.label:
        table = f"[tool.mltestscore.data.{dataset.name}]"
        raise NotOffered(f"the label column of {dataset.name}", f"name it with label = … under {table}")
    columns = dict.fromkeys([*features, roles.label, *roles.key, *filter(None, [roles.cluster, roles.time])])
    dataset.require(*columns)
    frame = dataset.sample(rows).frame(columns)
    return frame[frame[roles.label].notna()].reset_index(drop=True)


def labelled_scores(model: Model, dataset: Dataset, frame: pd.DataFrame, rows: int) -> Scores:
    """Return the scores of ``frame``, which is ``labelled(dataset, …, rows)``; a model on file is asked once a run."""
    if not model.digest:
        return model.predict(frame)
    key = (model.digest, model.features)
    return dataset.sample(rows).recall("scores of labelled rows", [key], lambda _: [model.predict(frame)])[0]


def judged_rows(frame: pd.DataFrame, dataset: Dataset, *texts: str, one_in: int = CHOOSING) -> Mask:
    """Return which rows of ``frame``, taken from ``dataset``, are judged; the others, one in ``one_in``, choose.

    Rows of one cluster, of one stretch of time or of one key stay together: their side is a draw, or a hash of it.
    Without any, rows are drawn by position. ``texts`` and the data's digest seed all.
    """
    seeds = ("contest", *texts, dataset.digest)
    times = None if dataset.roles.cluster else stretches(frame, dataset, STRETCHES)
    if times is not None and (many := int(times.max(initial=0)) + 1) >= 2 * one_in:
        return np.asarray(generator(*seeds).permutation(many)[times] >= many // one_in)
    columns = [dataset.roles.cluster] if dataset.roles.cluster else list(dataset.roles.key)
    if not columns:
        return generator(*seeds).random(len(frame)) >= 1 / one_in
    labels = reduce(lambda left, right: left + "\x1f" + right, (as_texts(frame[name]) for name in columns))
    salt = hashlib.sha256(str(seed_of(*seeds)).encode()).hexdigest()[:16]
    return np.asarray(pd.util.hash_array(labels.to_numpy(dtype=object), hash_key=salt) % one_in != 0)


def clusters_of(frame: pd.DataFrame, dataset: Dataset) -> npt.NDArray[Any] | None:
    """Return the cluster of each row of ``frame``, or ``None`` where the dataset declares none."""
    return frame[dataset.roles.cluster].to_numpy() if dataset.roles.cluster else None


def queries_of(frame: pd.DataFrame, dataset: Dataset) -> npt.NDArray[Any]:
    """Return the query of each row of a ranking: its cluster. Raises :class:`NotOffered` where none is declared."""
    found = clusters_of(frame, dataset)
    if found is None:
        table = f"[tool.mltestscore.data.{dataset.name}]"
        raise NotOffered(f"the query of each row of {dataset.name}", f"name its column with cluster = … under {table}")
    return found


def classes_of(declared: Sequence[object], labels: pd.Series[Any]) -> tuple[object, ...]:
    """Return the classes in the order of the scores: as the model declares them, else the sorted training labels."""
    return tuple(declared) or (names_of(labels) if is_array(labels) else tuple(sorted(labels.unique().tolist())))


def encoded(
    labels: pd.Series[Any], task: str, classes: Sequence[object], where: str, also: Collection[str] = ()
) -> npt.NDArray[Any]:
    """Return labels as class numbers from 0 (1, 1.0 and True are one class), or as values for regression.

    Raises :class:`InputError` that names ``where`` for a label that is not among the classes, or not a number, and
    :class:`NotOffered` for a model with several answers a row, or an order of rows, unless ``also`` names its task.
    """
    require_one_answer(task, also=also)
    if task == "multilabel":
        return indicators(labels, classes, where)
    if task in ("regression", "ranking"):
        values = pd.to_numeric(labels, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        if not np.isfinite(values).all():
            odd = labels[~np.isfinite(values)].iloc[0]
            raise InputError(f"{where} holds the label {odd!r:.80}; a {task} needs finite numbers.")
        if task == "ranking" and values.min(initial=0.0) < 0:
            raise InputError(f"{where} holds the label {values.min():g}; the grades of a ranking are 0 or more.")
        return np.asarray(values)
    numbers = {label: number for number, label in enumerate(classes)}
    codes, found = pd.factorize(labels)
    unknown = [label for label in found.tolist() if label not in numbers]
    if unknown:
        raise InputError(
            f"{where} holds the label {unknown[0]!r}, which is not among the model's classes {list(classes)[:10]!r}. "
            "Are both of the same system, and is the label column the right one?"
        )
    return np.array([numbers[label] for label in found.tolist()], dtype=np.int64)[codes]


def too_few(
    truth: npt.NDArray[Any], judged: Mask, learned: npt.NDArray[Any], task: str, *, rows: int, per_class: int
) -> TooFew | None:
    """Say why the labelled rows do not allow a contest, or ``None`` if they do.

    Args:
        truth: labels of the holdout rows, encoded.
        judged: which of them are judged.
        learned: labels of the training rows, encoded.
        task: as of the model.
        rows: the fewest judged rows.
        per_class: the fewest judged rows of each of two classes.
    """
    if len(np.unique(learned)) < 2:
        return TooFew(f"all {len(learned):,} training labels are the same, so nothing simple can be learned from them")
    if (count := int(judged.sum())) < rows:
        return TooFew(
            f"{count:,} labelled holdout rows are judged; at least {rows:,} are needed",
            math.ceil(rows * CHOOSING / (CHOOSING - 1)),
        )
    if any(len(np.unique(part)) < 2 for part in (truth[judged], truth[~judged])):
        return TooFew("labels do not vary among the holdout rows that choose or judge, so no model stands out")
    if task == "binary" and (rarest := int(np.bincount(truth[judged]).min())) < per_class:
        wanted = math.ceil(len(truth) * per_class / rarest * 1.2)  # a fifth more: shares vary by chance
        return TooFew(f"the rarer class has {rarest:,} judged rows; at least {per_class:,} are needed", wanted)
    return None
