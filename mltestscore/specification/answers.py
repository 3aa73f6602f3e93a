"""What a model makes of rows that the schema allows: an answer for each, of one shape and type whatever stands by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.specification.dtypes import alike, broken_promise
from mltestscore.specification.memorised import strange
from mltestscore.specification.stepper import Stepper

USUAL = "rows of the training data"
MOST_USUAL = 32
MOST_ALONE = 12  # rows asked for one by one; those at the edges are what an engineer asks for by hand
STEPS = 2
LONGEST = 300


@dataclass
class Answers:
    """What came of asking.

    Attributes:
        asked: rows, and frames stepped on.
        counts: rows by what is wrong with their predictions.
        said: what the first of each was, or where it comes from.
        kind: what predictions are.
        labels: the truth of some rows; empty where a label is no single value.
    """

    kind: str
    labels: pd.Series[Any]
    asked: int = 0
    alone: int = 0
    stepped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    said: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, count: int, said: str) -> None:
        """Count what is wrong."""
        if count:
            self.counts[what] += count
            self.said.setdefault(what, said[:LONGEST])

    def told(self) -> dict[str, Any]:
        """Return what came of asking, as JSON takes it."""
        return {name: value for name, value in vars(self).items() if name != "labels"} | {"counts": dict(self.counts)}


def answers(
    new: Callable[[int], Stepper],
    kind: Callable[[npt.NDArray[Any]], str],
    frames: Sequence[tuple[pd.DataFrame, Sequence[str]]],
    batch: pd.DataFrame,
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """Ask a model of a few steps about each frame, then let a new one step on it.

    Args:
        new: makes a model from a seed.
        kind: tells what predictions are.
        frames: rows with the label, and where each comes from.
        batch: what the model is stepped on before it is asked.
        request: ``seeds``, ``before`` (steps), ``tolerance`` (the largest harmless difference, a share of the spread),
            ``label`` and whether it is a ``single`` value.
    """
    seed = request["seeds"][0]
    stepper = new(seed)
    for _ in range(request["before"]):
        stepper.step(batch)
    labels = batch[request["label"]] if request["label"] and request["single"] else pd.Series(dtype=float)
    found = Answers(kind(stepper.predict(batch.head(MOST_USUAL))), labels)
    for frame, origins in frames:
        _ask(stepper, frame, origins, request["tolerance"], found)
    for frame, origins in frames:
        _step_on(new(seed), frame, origins, found)
    return found.told()


def frames_of(batch: pd.DataFrame, legal: Path, origins: Sequence[str]) -> list[tuple[pd.DataFrame, Sequence[str]]]:
    """Return the rows as they come and, where there are any, those that the schema allows."""
    usual = batch.head(MOST_USUAL)
    frames: list[tuple[pd.DataFrame, Sequence[str]]] = [(usual, [USUAL] * len(usual))]
    return frames + ([(pd.read_parquet(legal), origins)] if origins else [])


def _ask(stepper: Stepper, frame: pd.DataFrame, origins: Sequence[str], tolerance: float, found: Answers) -> None:
    asked = len(stepper.types)
    found.asked += len(frame)
    try:
        whole = stepper.predict(frame)
    except Exception as error:
        refused = [origin for place, origin in enumerate(origins) if _refuses(stepper, frame.iloc[[place]])]
        where = ", ".join(dict.fromkeys(refused)) or "rows together that it takes alone"
        found.note("refused", max(1, len(refused)), f"{type(error).__name__}: {str(error)[:150]}, for {where}")
        return
    if whole.ndim == 0 or len(whole) != len(frame):
        found.note("misshapen", len(frame), f"shape {whole.shape} for {len(frame)} rows")
        return
    wrong = broken_promise(stepper.types[asked][1], whole, found.kind, found.labels)
    if whole.dtype.kind in "fc":
        finite = np.isfinite(whole.reshape(len(whole), -1)).all(axis=1)
        found.note("not finite", int((~finite).sum()), _first(origins, ~finite))
        if found.kind == "probabilities" and finite.any():
            found.note("strange", strange(whole[finite]), f"{whole[finite].min():.4g} to {whole[finite].max():.4g}")
    differs = _differing(whole, stepper.predict(frame), tolerance)
    found.note("random", int(differs.sum()), _first(origins, differs))
    if differs.any():
        _refuses(stepper, frame.iloc[[0]])  # of which type a row alone is can be told all the same
    else:
        _beside_others(stepper, frame, origins, whole, tolerance, found)
    _note_types(stepper.types[asked:], len(frame), wrong, found)


def _note_types(types: Sequence[tuple[int, str]], most: int, wrong: str, found: Answers) -> None:
    """Count the rows whose predictions are of the wrong type, or in some answers of another than in the first."""
    first = types[0][1]
    others = [(rows, name) for rows, name in types if not alike([first, name])]
    if wrong:
        found.note("mistyped", most, wrong)
    elif others:
        rows, name = others[0]
        said = f"{name} for {_rows(rows)}, {first} for {_rows(types[0][0])}"
        found.note("mistyped", min(most, sum(rows for rows, _ in others)), said)


def _rows(count: int) -> str:
    return f"{count} rows" if count != 1 else "one row"


def _beside_others(
    stepper: Stepper,
    frame: pd.DataFrame,
    origins: Sequence[str],
    whole: npt.NDArray[Any],
    tolerance: float,
    found: Answers,
) -> None:
    """Ask for the rows backwards, and for some of them alone."""
    turned = stepper.predict(frame.iloc[::-1].reset_index(drop=True))
    if turned.shape != whole.shape:
        found.note("misshapen", len(frame), f"shape {turned.shape} after {whole.shape}")
        return
    differs = _differing(whole, turned[::-1], tolerance)
    places = np.unique(np.linspace(0, len(frame) - 1, MOST_ALONE).round().astype(int))
    for place in places:
        try:
            alone = stepper.predict(frame.iloc[[place]].reset_index(drop=True))
        except Exception as error:
            found.note("refused", 1, f"{type(error).__name__}: {str(error)[:150]}, for {origins[place]}, alone")
            continue
        if alone.shape != (1, *whole.shape[1:]):
            found.note("misshapen", 1, f"shape {alone.shape} for one row")
            continue
        differs[place] |= _differing(whole, alone, tolerance, place)[0]
    found.alone += len(frame)
    found.note("beside others", int(differs.sum()), _first(origins, differs))


def _step_on(stepper: Stepper, frame: pd.DataFrame, origins: Sequence[str], found: Answers) -> None:
    found.stepped += 1
    try:
        losses = [stepper.step(frame) for _ in range(STEPS)]
    except Exception as error:
        found.note("no step", 1, f"{type(error).__name__}: {str(error)[:200]}, for {origins[0] or USUAL}")
        return
    found.note("no step", int(not np.isfinite(losses).all()), f"losses {losses}")


def _refuses(stepper: Stepper, row: pd.DataFrame) -> bool:
    try:
        stepper.predict(row.reset_index(drop=True))
    except Exception:
        return True
    return False


def _differing(
    whole: npt.NDArray[Any], again: npt.NDArray[Any], tolerance: float, place: int | None = None
) -> npt.NDArray[np.bool_]:
    """Say which rows differ by more than ``tolerance`` of the spread of all predictions; NaN equals NaN."""
    expected = whole if place is None else whole[[place]]
    if expected.shape != again.shape:
        return np.ones(len(expected), dtype=bool)
    if whole.dtype.kind not in "fiub" or again.dtype.kind not in "fiub":
        same_kind = whole.dtype.kind == again.dtype.kind
        return _any(expected != again if same_kind else _as_texts(expected) != _as_texts(again))
    left, right = expected.astype(np.float64), again.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(left - right) > tolerance * spread(whole)
    apart |= np.isnan(left) != np.isnan(right)
    return _any(apart)


def _as_texts(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in values.ravel().tolist()]
    return np.array(texts).reshape(values.shape)


def _any(apart: Any) -> npt.NDArray[np.bool_]:
    """Say in which rows anything is true."""
    cells = np.asarray(apart, dtype=bool)
    return np.array([bool(row.any()) for row in cells.reshape(len(cells), -1)], dtype=bool)


def spread(scores: npt.NDArray[Any]) -> float:
    """Return the range of predictions, their size where they are all the same, else 1.

    >>> spread(np.array([1.0, 3.0])), spread(np.array([2.0, 2.0])), spread(np.array([0.0]))
    (2.0, 2.0, 1.0)
    """
    finite = np.asarray(scores, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return 1.0
    return float(np.ptp(finite)) or float(np.abs(finite).max()) or 1.0


def _first(origins: Sequence[str], wrong: npt.NDArray[np.bool_]) -> str:
    places = np.flatnonzero(wrong)
    return str(origins[places[0]]) if len(places) else ""
