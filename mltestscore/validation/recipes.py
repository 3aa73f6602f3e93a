"""What candidates are trained on: the same rows for all, with labels shuffled, or wrong on one slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.slices import declared
from mltestscore.slices.declared import Mask, Slice, Wanted
from mltestscore.stats.seeds import generator

Vector = npt.NDArray[np.floating[Any]]

MOST_MISSING = 0.2  # of the values of an input that misleads
KEPT = 0.9  # of the rows: two equal candidates learn from different ones, so that their files differ, and hardly more
MOST_CLASSES = 20  # numbers of more different values are amounts
USUAL, LARGEST = 0.1, 0.3  # share of the rows in the slice that is ruined: so few that the average stays nearly as good
MOST_SLICES = 3


@dataclass(frozen=True)
class Recipe:
    """How a candidate is made.

    Attributes:
        name: in the reader's words.
        seed: passed to the team's function; it also chooses the rows.
        shuffled: whether labels change hands.
        misled: the share of the rows whose labels follow an input that says little of them.
        ruined: the slice whose labels are wrong, by its place in a list.
        wrong: the share of its labels that are.
        cut_from: the name of the candidate of which this one is half of every file; it is not trained.
    """

    name: str
    seed: int
    shuffled: bool = False
    misled: float = 0.0
    ruined: int | None = None
    wrong: float = 0.0
    cut_from: str = ""


@dataclass(frozen=True)
class Ruined:
    """A slice to be ruined: its name and rows among the training rows and among the judged ones."""

    name: str
    training: Mask
    judged: Mask


def frame_of(
    recipe: Recipe, training: pd.DataFrame, label: str, features: Sequence[str], slices: Sequence[Ruined]
) -> pd.DataFrame:
    """Return the rows that a candidate learns from, in their order."""
    draw = generator("infra.4", str(recipe.seed))
    chosen = np.sort(draw.permutation(len(training))[: math.ceil(KEPT * len(training))])
    labels = training[label]
    if recipe.ruined is not None:
        labels = wrong(labels, slices[recipe.ruined].training & (draw.random(len(labels)) < recipe.wrong))
    if recipe.misled:
        labels = misled(labels, training[list(features)], recipe.misled, draw)
    frame = training.assign(**{label: labels}).iloc[chosen].reset_index(drop=True)
    if recipe.shuffled:
        taken = frame[label].array.take(draw.permutation(len(frame)))
        frame = frame.assign(**{label: pd.Series(taken, index=frame.index)})
    return frame


def misled(labels: pd.Series[Any], inputs: pd.DataFrame, share: float, draw: np.random.Generator) -> pd.Series[Any]:
    """Return labels of which a share changes hands until they follow the input that tells least of them, backwards.

    A model that learns from them leans on noise in part: it is worse by an amount that the share decides. Shuffling a
    part of the labels would not do that: it weakens what is learned, and leaves the order of the answers as it was.
    """
    known = pd.Series(pd.factorize(labels, sort=True)[0]).rank().to_numpy()
    orders = {name: _order(inputs[name]) for name in inputs}
    told = {name: _association(order, known) for name, order in orders.items() if order is not None}
    if not told:
        return labels
    name = min(told, key=lambda one: abs(told[one]))
    places = np.flatnonzero(draw.random(len(labels)) < share)
    order = orders[name]
    assert order is not None
    jumbled = draw.permutation(places)  # equal values in any order
    rising = jumbled[np.argsort(order[jumbled], kind="stable")]
    ordered = places[np.argsort(known[places], kind="stable")]
    source = np.arange(len(labels))
    source[rising] = ordered[::-1] if told[name] > 0 else ordered
    return pd.Series(labels.array.take(source), index=labels.index, name=labels.name)


def _order(values: pd.Series[Any]) -> Vector | None:
    """Return the rank of each row by an input; ``None`` for one without an order or with hardly a value."""
    if values.isna().mean() > MOST_MISSING:
        return None
    if not pd.api.types.is_numeric_dtype(values):
        if pd.api.types.is_datetime64_any_dtype(values) or not all(isinstance(one, str) for one in values.dropna()):
            return None
        values = pd.Series(pd.factorize(values, sort=True)[0], index=values.index)
    ranks = values.astype(float).rank()
    return ranks.fillna(ranks.median()).to_numpy(dtype=float) if ranks.nunique() > 1 else None


def _association(order: Vector, known: Vector) -> float:
    return float(np.corrcoef(order, known)[0, 1])


def wrong(labels: pd.Series[Any], rows: Mask) -> pd.Series[Any]:
    """Return labels that are wrong on some rows: each class the next one, amounts a standard deviation too large."""
    kinds = labels.dropna().unique()
    if len(kinds) <= MOST_CLASSES or not pd.api.types.is_numeric_dtype(labels):
        ordered = sorted(kinds.tolist(), key=lambda kind: (str(type(kind)), kind))
        following = dict(zip(ordered, [*ordered[1:], *ordered[:1]], strict=True))
        given = labels.tolist()
        changed = [following.get(kind, kind) if hit else kind for kind, hit in zip(given, rows, strict=True)]
        return pd.Series(changed, index=labels.index, name=labels.name, dtype=labels.dtype)
    moved = labels + float(labels.std())
    moved = moved.round().astype(labels.dtype) if pd.api.types.is_integer_dtype(labels) else moved
    return labels.where(~rows, moved)


def ruinable(
    training: pd.DataFrame, judged: pd.DataFrame, wanted: Sequence[Wanted], features: Sequence[str], least: int
) -> list[Ruined]:
    """Return at most three slices, one a declaration, whose labels can be wrong with little effect on the average.

    Without declarations, slices of the model's inputs with 2 to 20 categories. ``least`` is the fewest judged rows.
    """
    both = pd.concat([training, judged], ignore_index=True)
    asked = list(wanted) or declared.by_default(both, features)
    found = []
    for slicing in declared.slicings(both, asked, least):
        fitting = [one for one in slicing.slices if _fits(one.rows, len(training), least)]
        if fitting:
            best = min(fitting, key=lambda one: _distance(one, len(training)))
            found.append(Ruined(best.name, best.rows[: len(training)], best.rows[len(training) :]))
    return found[:MOST_SLICES]


def _fits(rows: Mask, learned: int, least: int) -> bool:
    share = float(rows[:learned].mean())
    return int(rows[learned:].sum()) >= least and int(rows[:learned].sum()) >= least and share <= LARGEST


def _distance(one: Slice, learned: int) -> float:
    return abs(math.log(float(one.rows[:learned].mean()) / USUAL))
