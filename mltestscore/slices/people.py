"""Groups of people in labelled rows, what fairlearn counts for each, and how well their scores are calibrated."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.details import MAX_ROWS, Cell, Series, Table
from mltestscore.errors import NotOffered
from mltestscore.slices.declared import Mask
from mltestscore.slices.gaps import GAP_IN, Rate
from mltestscore.slices.values import Labels, labels_of

MOST_GROUPS = 20
OTHERS = "any other"
BINS, LEAST_IN_BIN = 5, 20
REMEDY = "pip install 'mltestscore[fairness]'"


@dataclass(frozen=True)
class Attribute:
    """One protected attribute of labelled rows.

    Attributes:
        name: its column.
        labels: shape (n,), the group of each row; missing values are a group.
        groups: the names, the most common first; of two groups only the rarer, since either tells the other.
    """

    name: str
    labels: Labels
    groups: tuple[str, ...]

    @property
    def compared(self) -> tuple[str, ...]:
        """The groups that are held against all other rows; none where all rows are of one."""
        return self.groups if len(set(self.labels)) > 1 else ()

    def rows(self, group: str) -> Mask:
        """Return which rows belong to a group."""
        return np.asarray(self.labels == group, dtype=bool)


def attribute(values: pd.Series[Any]) -> Attribute:
    """Return the groups of a column: its 20 most common values, and all others together; numbers in quarters."""
    labels = labels_of(values)
    common = list(pd.Series(labels).value_counts().index)
    if len(common) > MOST_GROUPS:
        labels[~np.isin(labels, common[:MOST_GROUPS])] = OTHERS
        common = [*common[:MOST_GROUPS], OTHERS]
    return Attribute(str(values.name), labels, tuple(common[1:] if len(common) == 2 else common))


def counted(one: Attribute, task: str, truth: npt.NDArray[Any], scores: npt.NDArray[Any], threshold: float) -> Table:
    """Return fairlearn's metrics for each group, those that are too small to be judged included.

    Raises :class:`NotOffered` where fairlearn is not installed.
    """
    names, lines = _as_fairlearn_counts(one, task, truth, scores, threshold)
    return Table(f"Groups of {one.name[:80]}, as fairlearn counts them", ["group", "rows", *names], lines)


def counted_labels(
    one: Attribute, names: Sequence[object], truth: npt.NDArray[Any], scores: npt.NDArray[Any], threshold: float
) -> Table:
    """Return the same for each of several labels, the commonest first, as many as a table shows.

    Errors as for :func:`counted`.
    """
    lines: list[list[Cell]] = []
    columns: list[str] = []
    groups = len(set(one.labels))
    shown = np.argsort(-truth.sum(axis=0), kind="stable")[: max(1, MAX_ROWS // groups)].tolist()
    for place in shown:
        columns, found = _as_fairlearn_counts(one, "binary", truth[:, place], scores[:, place], threshold)
        lines += [[group, f"{names[place]!s:.60}", *numbers] for group, *numbers in found]
    title, head = f"Groups of {one.name[:80]}, as fairlearn counts them", ["group", "label", "rows", *columns]
    return Table(title, head, lines, left_out=(len(names) - len(shown)) * groups)


def counted_rates(one: Attribute, rates: Sequence[Rate]) -> Table:
    """Return the rates of a ranking for each group, those that are too small to be judged included."""
    sizes = pd.Series(one.labels).value_counts()
    lines: list[list[Cell]] = [
        [str(group), int(count), *(_finite(rate.of(one.rows(str(group)))) for rate in rates)]
        for group, count in sizes.items()
    ]
    names = [rate.name.removeprefix(GAP_IN) for rate in rates]
    return Table(f"Groups of {one.name[:80]}", ["group", "rows", *names], lines)


def _as_fairlearn_counts(
    one: Attribute, task: str, truth: npt.NDArray[Any], scores: npt.NDArray[Any], threshold: float
) -> tuple[list[str], list[list[Cell]]]:
    try:
        from fairlearn import metrics
    except ImportError:
        raise NotOffered("fairlearn", REMEDY) from None
    from sklearn.metrics import accuracy_score, mean_absolute_error

    if task == "regression":
        wanted = {"mean absolute error": mean_absolute_error, "mean prediction": metrics.mean_prediction}
        answers = scores
    elif task == "multiclass":
        wanted, answers = {"accuracy": accuracy_score}, scores.argmax(axis=1)
    else:
        wanted = {
            "selection rate": metrics.selection_rate,
            "true positive rate": metrics.true_positive_rate,
            "false positive rate": metrics.false_positive_rate,
        }
        answers = (scores >= threshold).astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a group without positives has no true positive rate; the table shows none
        frame = metrics.MetricFrame(
            metrics={"rows": metrics.count, **wanted}, y_true=truth, y_pred=answers, sensitive_features=one.labels
        ).by_group.sort_values("rows", ascending=False)
    return list(wanted), [
        [str(name), int(line["rows"]), *(_finite(float(line[metric])) for metric in wanted)]
        for name, line in frame.iterrows()
    ]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def calibration_curves(
    one: Attribute, groups: Sequence[str], truth: npt.NDArray[Any], scores: npt.NDArray[Any]
) -> Iterator[Series]:
    """Yield the share of positives by score for each group with twenty rows in each fifth of all scores."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, scores, side="right")
    many = len(edges) + 1
    lines: dict[str, Sequence[float]] = {}
    for group in groups:
        rows = one.rows(group)
        count = np.bincount(bins[rows], minlength=many)
        if count.min() >= LEAST_IN_BIN:
            lines[group] = (np.bincount(bins[rows], weights=truth[rows], minlength=many) / count).tolist()
    if lines and np.bincount(bins, minlength=many).min():
        middle = (np.bincount(bins, weights=scores, minlength=many) / np.bincount(bins, minlength=many)).tolist()
        yield Series(f"Calibration by {one.name[:80]}", "mean score", middle, lines, "share of positives")
