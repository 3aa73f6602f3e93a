"""Features that know the answer: one that alone predicts the label almost perfectly, or that was made from labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.features.groups import as_numbers, as_texts, is_number
from mltestscore.finding import Finding, at_most
from mltestscore.stats.interval import CLEAR, Interval, two_levels
from mltestscore.stats.paired import auc, difference
from mltestscore.stats.proportion import bounds
from mltestscore.stats.seeds import generator

Vector = npt.NDArray[np.float64]

ALONE = "quality of one feature alone"
ENCODED = "features that hold the labels of the rows they describe"

LEAVES = 32
LESSON = 10_000  # training rows that teach one feature: so few leaves gain nothing from more
LEAST_VALUES = 10  # distinct values of a feature below which its group means are too few to tell an encoding by
MOST_DISTINCT = 0.5  # of the rows: values that hardly repeat are no means of groups
AGREEING = 0.95  # of the rows must lie in groups whose mean label is the feature's value
VOTERS, PAIRS = 500, 200  # groups that a line must pass, and how many lines through two of them are tried
MOST_MERGED = 200  # codes that may share one value: far fewer than would make any number a multiple of another
EXACT = 1e-6  # relative: means of 32-bit numbers


@dataclass(frozen=True)
class Sides:
    """Labelled rows of both sides of a split.

    Attributes:
        training: shape (n, …), all rows that were offered where ``whole``.
        learned: shape (n,), labels as class numbers or values.
        holdout: shape (m, …).
        truth: shape (m,), likewise.
        clusters: shape (m,), or ``None``.
        task: of the model.
        whole: whether neither side is a sample.
    """

    training: pd.DataFrame
    learned: npt.NDArray[Any]
    holdout: pd.DataFrame
    truth: npt.NDArray[Any]
    clusters: npt.NDArray[Any] | None
    task: str
    whole: bool


def alone(sides: Sides, features: Sequence[str], limit: float, alpha: float) -> Iterator[Finding]:
    """Yield the best single feature, and every other one not shown to stay below ``limit``.

    The quality of a feature is that of a small tree which knows nothing else, fitted on training, judged on the
    holdout: the AUC for two classes, the share of a constant's errors removed for more, r² for numbers.
    """
    level = alpha / len(features)
    found = {name: _Single(sides, name) for name in features}
    accusing = {name: single.quality(level) for name, single in found.items()}
    best = max(accusing, key=lambda name: accusing[name].value)
    for name, interval in accusing.items():
        if name == best or interval.high > limit:
            both = two_levels(interval, found[name].quality(CLEAR))
            cause = "this feature alone tells the label: it holds the outcome" if both.low > limit else ""
            if name == best or both.high > limit:
                yield at_most(ALONE, both, limit, where=name, cause=cause)


class _Single:
    """What one feature alone tells: a tree, for numbers on what a straight line leaves over."""

    def __init__(self, sides: Sides, name: str) -> None:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        self._sides = sides
        known, self._asked, labels = _single(sides, name)
        leaf = max(5, len(known) // 1000)
        if sides.task == "regression":
            self._line = _line(known[:, 0], labels)
            labels = labels - _along(self._line, known[:, 0])
            kind = DecisionTreeRegressor
        else:
            kind = DecisionTreeClassifier
        self._tree = kind(max_leaf_nodes=LEAVES, min_samples_leaf=leaf, random_state=0).fit(known, labels)

    def quality(self, alpha: float) -> Interval:
        """Return how well it does on the holdout, bounds at ``alpha``."""
        truth, clusters = self._sides.truth, self._sides.clusters
        if self._sides.task == "binary":
            return auc(truth, self._tree.predict_proba(self._asked)[:, 1], alpha, clusters)
        given = np.asarray(self._tree.predict(self._asked))
        if self._sides.task == "regression":
            left = truth - given - _along(self._line, self._asked[:, 0])
            return _variance_removed(left, truth, clusters, alpha)
        return _errors_removed(given != truth, truth, clusters, alpha)


def _line(x: Vector, y: npt.NDArray[Any]) -> tuple[float, float, float]:
    """Slope, offset, and what stands in for a missing value."""
    known = np.isfinite(x)
    if len(np.unique(x[known])) < 2:
        return 0.0, 0.0, 0.0
    middle = float(x[known].mean())
    slope = float(np.cov(x[known], y[known])[0, 1] / x[known].var(ddof=1))
    return slope, float(y[known].mean()) - slope * middle, middle


def _along(line: tuple[float, float, float], x: Vector) -> Vector:
    slope, offset, middle = line
    return slope * np.where(np.isfinite(x), x, middle) + offset


def _variance_removed(
    left: Vector, truth: npt.NDArray[Any], clusters: npt.NDArray[Any] | None, alpha: float
) -> Interval:
    """R²; the variance of the holdout's labels counts as known, or a perfect feature would have a wide interval."""
    scale = float(truth.var())
    squares = difference(left**2 / scale, np.zeros(len(left)), alpha, clusters)
    return replace(squares, value=1 - squares.value, low=1 - squares.high, high=min(1.0, 1 - squares.low))


def _errors_removed(
    wrong: npt.NDArray[np.bool_], truth: npt.NDArray[Any], clusters: npt.NDArray[Any] | None, alpha: float
) -> Interval:
    """The share of a constant's errors that is gone; rows of a cluster count once, and that constant as known."""
    independent = len(wrong) if clusters is None else len(np.unique(clusters))
    share = float(wrong.mean())
    low, high = bounds(share * independent, independent, alpha)
    constant = 1 - float(np.bincount(truth).max()) / len(truth)
    values = [1 - part / constant for part in (share, max(high, share), min(low, share))]
    return Interval(values[0], values[1], values[2], independent, 1 - alpha, "Clopper-Pearson")


def _single(sides: Sides, name: str) -> tuple[Vector, Vector, npt.NDArray[Any]]:
    """One feature of training and holdout rows as a column of numbers, and the training labels, of 10,000 rows.

    A category counts as its mean label in training; one that training has not is missing.
    """
    some = slice(None, None, max(1, len(sides.training) // LESSON))
    known, asked, labels = sides.training[name], sides.holdout[name], sides.learned[some]
    if is_number(known):
        seen = as_numbers(known.iloc[some])
        middle = np.nanmedian(seen) if np.isfinite(seen).any() else 0.0  # a tree sees 32 bits: too few for a time
        return (seen - middle)[:, None], (as_numbers(asked) - middle)[:, None], labels
    codes, found = pd.factorize(as_texts(known))
    means = np.bincount(codes, weights=sides.learned) / np.bincount(codes)
    places = pd.Index(found).get_indexer(pd.Index(as_texts(asked)))
    return means[codes][some, None], np.where(places >= 0, means[places], np.nan)[:, None], labels


@dataclass(frozen=True)
class Encoding:
    """A feature whose values are mean labels of the rows that carry them.

    Attributes:
        feature: its name.
        rows: the rows whose labels it holds: ``"training and holdout"``, ``"holdout"`` or ``"training"``.
    """

    feature: str
    rows: str


def encodings(sides: Sides, features: Sequence[str]) -> list[Encoding]:
    """Return the features that are exact mean labels, smoothed or not, of groups of the rows that they describe.

    For a target encoding that was fitted on the very rows, the labels of all rows with the value v sum to
    ``v * count + weight * (v - mean)`` for one weight and one mean; means from other rows, or out of fold, do not.
    Rows that are not at hand hide it, and so does noise that was added to it; smoothed means of very few rows share so
    many values by chance that they stay hidden too.
    """
    if sides.task == "multiclass" or not sides.whole:
        return []
    found = []
    for name in features:
        if not is_number(sides.training[name]):
            continue
        parts = {
            "training": (as_numbers(sides.training[name]), sides.learned),
            "holdout": (as_numbers(sides.holdout[name]), sides.truth),
        }
        both = [np.concatenate(side) for side in zip(*parts.values(), strict=True)]
        for rows, (values, labels) in {"training and holdout": both, **parts}.items():
            if is_encoding(values, labels.astype(np.float64)):
                found.append(Encoding(name, rows))
                break
    return found


def encoded(sides: Sides, features: Sequence[str], gap: float, alpha: float) -> Finding:
    """Count the features that hold the holdout's labels, and those whose own training labels make them look better.

    An encoding of the training rows alone is common, and harmless where its groups are large: it counts only where its
    AUC on training exceeds that on the holdout by more than ``gap``, shown at ``alpha``. For numbers that is not told.
    """
    found = encodings(sides, features)
    leaks = [one for one in found if one.rows != "training" or _flattered(sides, one.feature, alpha) > gap]
    cause = "; ".join(f"{one.feature}: mean labels of the rows of {one.rows}" for one in leaks)
    seen = "" if sides.whole else "not visible on a sample of the rows"
    return at_most(ENCODED, len(leaks), 0, n=len(features), cause=cause[:300], note=seen)


def _flattered(sides: Sides, name: str, alpha: float) -> float:
    """By how much the AUC of a feature on training exceeds that on the holdout at least; 0 for other tasks."""
    if sides.task != "binary":
        return 0.0
    learned, asked = as_numbers(sides.training[name]), as_numbers(sides.holdout[name])
    here, there = np.isfinite(learned), np.isfinite(asked)
    clusters = None if sides.clusters is None else sides.clusters[there]
    first = auc(sides.learned[here], learned[here], alpha / 2)
    return first.low - auc(sides.truth[there], asked[there], alpha / 2, clusters).high


def is_encoding(values: Vector, labels: Vector) -> bool:
    """Say whether ``values`` are mean labels of the rows that share them; see :func:`encodings`."""
    known = np.isfinite(values)
    values, labels = values[known], labels[known]
    if not len(values) or values.min() < labels.min() or values.max() > labels.max():
        return False
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if not LEAST_VALUES <= len(distinct) <= MOST_DISTINCT * len(values):
        return False
    sums = np.bincount(codes.reshape(-1), weights=labels)
    excess = sums - distinct * counts
    size = np.abs(labels).max() * counts
    if counts[np.abs(excess) <= EXACT * size].sum() >= AGREEING * len(values):
        return True
    return _smoothed(distinct, counts, excess, size)


def _smoothed(distinct: Vector, counts: npt.NDArray[Any], excess: Vector, size: Vector) -> bool:
    """Say whether the excess is one straight line in the value: a prior of some weight, the same for every group.

    Groups that share a value by chance, k of them, lie k times as high. The line is drawn through two groups each time.
    """
    some = np.unique(np.linspace(0, len(distinct) - 1, VOTERS).astype(int))
    v, e, size, counts = distinct[some], excess[some], size[some], counts[some]
    for first, second in generator("pairs of groups").integers(len(v), size=(PAIRS, 2)):
        if first == second:
            continue
        weight = (e[second] - e[first]) / (v[second] - v[first])
        line = e[first] + weight * (v - v[first])
        folds = np.maximum(1.0, np.round(np.divide(e, line, out=np.ones_like(e), where=np.abs(line) > EXACT)))
        agreeing = (folds <= MOST_MERGED) & (np.abs(e - folds * line) <= 10 * EXACT * (size + np.abs(line)))
        if weight > 0 and counts[agreeing].sum() >= AGREEING * counts.sum():
            return True
    return False
