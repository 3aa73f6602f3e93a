"""How a model treats rows: the rates by which groups are compared, of one answer a row, several labels or an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.inputs.model import Model
from mltestscore.slices.gaps import Rate, rates_of, rates_of_labels, rates_of_queries
from mltestscore.slices.people import Attribute

Vector = npt.NDArray[np.float64]
Columns = list[int]

MOST_LABELS = 20
"""Of several labels, those with the most positive rows, which are judged one by one; all others count together."""


@dataclass(frozen=True)
class People:
    """Labelled rows with their groups and the scores of the model and of the version before.

    Attributes:
        truth: shape (n,), or (n, k) of 0 and 1 for several labels.
        previous: scores of the version before; ``None`` where there is none that reads these rows.
        clusters: shape (n,), each row its own where rows are independent; of a ranking, the queries.
        names: of several labels, in the order of the scores.
    """

    model: Model
    frame: pd.DataFrame
    truth: npt.NDArray[Any]
    scores: Vector
    previous: Vector | None
    clusters: npt.NDArray[np.intp]
    attributes: tuple[Attribute, ...]
    names: tuple[object, ...] = ()
    seed: str = field(default="")

    @property
    def without_score(self) -> int:
        """How many rows have a score that is not finite, of either version."""
        both = [self.scores] if self.previous is None else [self.scores, self.previous]
        finite = [np.isfinite(scores.reshape(len(self.truth), -1)).all(axis=1) for scores in both]
        return int((~np.logical_and.reduce(finite)).sum())


@dataclass(frozen=True)
class Kind:
    """Rates that stand and fall together: a group with too few rows for one of them is not judged by any.

    Attributes:
        label: which of several labels they are of; empty where a row has one answer.
        now: of the model.
        before: of the version before, in the same order; ``None`` where there is none.
    """

    label: str
    now: Sequence[Rate]
    before: Sequence[Rate] | None

    def named(self, where: str) -> str:
        """Return a group's name with that of the label."""
        return f"{where}, {self.label}" if self.label else where


def kinds(people: People, one: Attribute, threshold: float, chosen: frozenset[str]) -> list[Kind]:
    """Return the rates by which the groups of an attribute are compared; those that are ``chosen`` are judged."""
    whole = people.model.task == "ranking" and agree(one.labels, people.clusters)

    def rates(scores: Vector | None, columns: Columns) -> list[Rate] | None:
        if scores is None:
            return None
        found = _rates(people, scores, columns, threshold, whole=whole)
        return [replace(rate, judged=rate.name in chosen) for rate in found]

    return [
        Kind(label, rates(people.scores, columns) or [], rates(people.previous, columns))
        for label, columns in _parts(people).items()
    ]


def _rates(people: People, scores: Vector, columns: Columns, threshold: float, *, whole: bool) -> list[Rate]:
    task = people.model.task
    if task == "ranking":
        return rates_of_queries(people.truth, scores, people.clusters, whole=whole)
    if task == "multilabel":
        return rates_of_labels(people.truth[:, columns], scores[:, columns], threshold)
    return rates_of(task, people.truth, scores, threshold)


def _parts(people: People) -> dict[str, Columns]:
    """Return the labels that are judged together, by the name of their finding; nothing named for one answer a row."""
    if people.model.task != "multilabel":
        return {"": []}
    common = np.argsort(-people.truth.sum(axis=0), kind="stable").tolist()
    parts: dict[str, Columns] = {f"label {people.names[place]!s:.60}": [place] for place in common[:MOST_LABELS]}
    if rare := common[MOST_LABELS:]:
        parts[f"{len(rare)} rarer labels together"] = rare
    return parts


def agree(values: npt.NDArray[Any], queries: npt.NDArray[np.intp]) -> bool:
    """Say whether all rows of each query have the same value, shape (n,) like ``queries``; lists never do.

    >>> agree(np.array(["a", "a", "b"]), np.array([0, 0, 1])), agree(np.array(["a", "b"]), np.array([0, 0]))
    (True, False)
    """
    try:
        codes = pd.factorize(values, use_na_sentinel=False)[0]
    except TypeError:  # lists and arrays
        return False
    return len(np.unique(queries)) == len(np.unique(np.stack([queries, codes]), axis=1).T)
