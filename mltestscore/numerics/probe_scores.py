"""Score rows one may not trust: find the rows that a model refuses, and describe what its scores look like."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model

MOST_CALLS = 200
LEAST_RELATIVE_PRECISION = 1e-6  # of a column's spread: below it, rounding to 32 bits does not change what a value says

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """Scores of the rows that a model takes.

    Attributes:
        accepted: shape (n,), the rows that were scored.
        scores: shape (accepted rows,) or (accepted rows, k).
        message: what the model said of the first row that it refused; empty if it took all.
    """

    accepted: Mask
    scores: npt.NDArray[np.float64]
    message: str

    @property
    def finite(self) -> Mask:
        """Which accepted rows have only finite scores."""
        return np.asarray(np.isfinite(_columns(self.scores)).all(axis=1))

    def outside(self, low: float, high: float) -> Mask:
        """Which accepted rows have a finite score outside of [low, high]; rounding of 1e-9 is forgiven."""
        columns = _columns(self.scores)
        with np.errstate(invalid="ignore"):
            beyond = (columns < low - 1e-9) | (columns > high + 1e-9)
        return np.asarray((beyond & np.isfinite(columns)).any(axis=1))

    def unnormalised(self, tolerance: float) -> Mask:
        """Which accepted rows have finite scores whose sum differs from one by more than ``tolerance``."""
        return np.asarray(self.finite & (np.abs(_columns(self.scores).sum(axis=1) - 1) > tolerance))

    def distinct(self, rows: Mask) -> int:
        """Count the different finite scores among the accepted ones of ``rows``, a mask of shape (n,)."""
        here = self.of(rows)
        return len(np.unique(_columns(here.scores)[here.finite], axis=0))

    def of(self, rows: Mask) -> Scored:
        """Return the same for some of the rows, a mask of shape (n,)."""
        return Scored(self.accepted[rows], self.scores[rows[self.accepted]], self.message)


def score_rows(model: Model, frame: pd.DataFrame) -> Scored:
    """Score the rows; where the model refuses them, search for the refused rows by halves.

    After 200 calls, rows that are still refused together all count as refused. Warnings of the model are silenced: its
    scores count.
    """
    calls_left = MOST_CALLS
    scores: dict[int, npt.NDArray[np.float64]] = {}
    waiting, message = [np.arange(len(frame))], ""
    while waiting:
        places = waiting.pop(0)
        calls_left -= 1
        try:
            found = _quietly(model, frame.iloc[places])
        except InputError as error:
            message = message or str(error)
            if len(places) > 1 and calls_left >= len(waiting) + 2:
                waiting += np.array_split(places, 2)
            continue
        scores |= dict(zip(places.tolist(), found, strict=True))
    accepted = np.isin(np.arange(len(frame)), list(scores))
    return Scored(accepted, np.array([scores[place] for place in sorted(scores)], dtype=np.float64), message)


def by_origin(origins: npt.NDArray[Any], scored: Scored) -> list[list[Any]]:
    """Return one line per origin: its name, rows, refused rows, not finite, least and largest; worst first."""
    lines: list[list[Any]] = []
    for origin in dict.fromkeys(origins.tolist()):
        here = scored.of(origins == origin)
        finite = here.scores[here.finite]
        ends = [float(finite.min()), float(finite.max())] if finite.size else [None, None]
        lines.append([origin, len(here.accepted), int((~here.accepted).sum()), int((~here.finite).sum()), *ends])
    return sorted(lines, key=lambda line: -(line[2] + line[3]))


def most_frequent(origins: npt.NDArray[Any]) -> str:
    """Name the three most frequent origins: the edges that are behind the rows in question."""
    return "; ".join(str(origin)[:80] for origin, _ in Counter(origins.tolist()).most_common(3))


def moved_by_rounding(model: Model, frame: pd.DataFrame, scored: Scored, tolerance: float) -> tuple[int, int]:
    """Count rows whose score moves, or is refused, when inputs are rounded to 32 bits, and the rows compared.

    Args:
        model: the model.
        frame: the rows; columns of 64-bit floats are rounded, unless 32 bits cannot tell their values apart.
        scored: their scores as they are.
        tolerance: the largest harmless move: of a probability, or in standard deviations of a regression's scores.
    """
    rounded = frame.copy()
    for name in frame.columns:
        if frame[name].dtype == np.float64:
            values = frame[name].to_numpy()
            with np.errstate(over="ignore"):
                single = values.astype(np.float32).astype(np.float64)
            held = np.isfinite(values)
            error, spread = np.abs(single - values)[held].max(initial=0.0), values[held].std() if held.any() else 0.0
            if error <= LEAST_RELATIVE_PRECISION * spread:
                rounded[name] = single
    again = score_rows(model, rounded)
    both = again.accepted[scored.accepted]
    before, after = _columns(scored.scores[both]), _columns(again.scores[scored.accepted[again.accepted]])
    finite = before[np.isfinite(before)]
    scale = float(finite.std()) if model.task in ("regression", "ranking") and len(finite) else 1.0
    with np.errstate(invalid="ignore"):
        moved = np.asarray((np.abs(before - after) > tolerance * scale).any(axis=1))
    return int(moved.sum()) + int((~both).sum()), len(both)


@dataclass(frozen=True)
class Served:
    """Counts over a log of served scores.

    Attributes:
        rows: logged rows.
        not_finite: rows whose score is missing, NaN or infinite.
        outside: rows with a finite score outside of [0, 1].
        distinct: different scores.
    """

    rows: int
    not_finite: int
    outside: int
    distinct: int


def served_scores(serving: Dataset) -> Served | None:
    """Count in the log, where it lies; ``None`` where no column holds one number a row as score."""
    name = serving.roles.score
    if not name or not serving.table[name].type().is_numeric():
        return None
    score = serving.table[name].cast("float64")
    finite = score.notnull() & ~score.isnan() & ~score.isinf()
    beyond = (score < -1e-9) | (score > 1 + 1e-9)
    counts = serving.table.aggregate(
        rows=serving.table.count(),
        not_finite=(~finite).sum(),
        outside=(finite & beyond).sum(),
        distinct=score.nunique(),
    )
    (row,) = counts.to_pyarrow().to_pylist()
    return Served(**{key: int(value or 0) for key, value in row.items()})


def _quietly(model: Model, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.predict(frame)


def _columns(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return scores[:, None] if scores.ndim == 1 else scores
