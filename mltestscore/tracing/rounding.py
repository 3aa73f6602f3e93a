"""Scores that were served for values which the log holds rounded: near a threshold a tree answers them otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.tracing import judged
from mltestscore.tracing.rows import Rows
from mltestscore.tracing.trace import number, plain

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

TOGETHER = 5  # inputs of one row that may lie at a threshold at once: 3⁵ rows are scored
SIDES = (-1.0, 0.0, 1.0)


def explained(model: Model, rows: Rows, places: Sequence[int], tolerance: float) -> set[int]:
    """Return which rows got a score that the model gives for values that the log rounds to those which it holds.

    Every value stands for all that are half a step away or nearer. One input at a time is moved so far; those that
    move the score are then moved in all combinations.
    """
    names = [name for name in model.features if name in rows.rounding]
    if not names or not places:
        return set()
    found = set()
    for place in places:
        row = rows.frame.iloc[[place]]
        halves = {name: _half(row[name].iloc[0], *rows.rounding[name]) for name in names}
        singles = [{name: side * half} for name, half in halves.items() if half for side in (-1.0, 1.0)]
        if not singles:
            continue
        scores = np.asarray(model.predict(_moved(row, [{}, *singles])))
        apart = np.abs(scores[1:] - scores[0]).reshape(len(singles), -1).max(axis=1, initial=0.0)
        moving = {next(iter(one)): abs(next(iter(one.values()))) for one, by in zip(singles, apart, strict=True) if by}
        chosen = sorted(moving, key=lambda name: -rows.rounding[name][0])[:TOGETHER]
        combined = [
            {name: side * moving[name] for name, side in zip(chosen, sides, strict=True)}
            for sides in product(SIDES, repeat=len(chosen))
        ]
        scores = np.asarray(model.predict(_moved(row, combined)))
        if chosen and any(_served(one, rows, place, model.classes, tolerance) for one in scores):
            found.add(place)
    return found


def _half(value: Any, absolute: float, relative: float) -> float:
    known = number(plain(value))
    return 0.0 if known is None or not np.isfinite(known) else max(absolute, relative * abs(known))


def _moved(row: pd.DataFrame, moves: Sequence[dict[str, float]]) -> pd.DataFrame:
    """Return the row once a move, its values moved by so much."""
    made = row.loc[row.index.repeat(len(moves))].reset_index(drop=True)
    for name in {name for move in moves for name in move}:
        by = np.array([move.get(name, 0.0) for move in moves])
        made[name] = made[name].to_numpy(dtype=np.float64) + by
    return made


def _served(
    scores: npt.NDArray[np.float64], rows: Rows, place: int, classes: Sequence[object], tolerance: float
) -> bool:
    assert rows.served is not None  # only such rows are asked about
    given = rows.served[place]
    if np.size(scores) > 1:
        best = int(np.argmax(scores))
        return judged.same(plain(classes[best] if classes else best), plain(given))
    wanted = number(plain(given))
    room = tolerance + rows.precision
    return wanted is not None and bool(np.isclose(float(np.ravel(scores)[0]), wanted, rtol=tolerance, atol=room))
