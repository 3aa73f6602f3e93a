"""Rows that a PMML document brings along, with the scores of whoever made it: PMML4S must find the same.

``ModelVerification`` is PMML's own way to have two evaluators agree: the maker's (scikit-learn, say, by
``pipeline.verify(rows)`` of sklearn2pmml) and the reader's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.models.native import A_LOADER

Score = Callable[[pd.DataFrame], npt.NDArray[np.float64]]
"""From rows to scores, shape (n,) or (n, classes)."""

MOST_ROWS = 1_000
READ = ("string", "double", "float", "integer")
PRECISION, ZERO = 1e-6, 1e-7
"""The least that may differ, whatever the document says: one adds in 32 bits, the other in 64, in another order."""


def require_agreement(
    model: Element,
    outputs: Sequence[Element],
    kinds: Mapping[str | None, str],
    scores: Mapping[str, int],
    score: Score,
    file: Path,
) -> None:
    """Score the rows of a model's document, and hold the scores to those that it brings along.

    Args:
        model: the document's model.
        outputs: its output fields, which say what stands under which name.
        kinds: field → its data type.
        scores: the value of a class, or the target's name → the place among a row's scores.
        score: scores rows.
        file: for the error.

    Raises :class:`InputError` that names the row, the field and both values.
    """
    fields = _columns(model)
    expected = {name: place for name in fields if (place := _place(name, outputs, scores)) is not None}
    rows = _rows(model, fields)
    given = [name for name in kinds if name in fields and name not in expected]
    if not rows or not expected or not {kinds[name] for name in given} <= set(READ):
        return
    frame = pd.DataFrame({name: [_typed(row.get(name), kinds[name]) for row in rows] for name in given})
    found = score(frame).reshape(len(rows), -1)
    for number, row in enumerate(rows):
        for name, place in expected.items():
            said, ours = row.get(name), float(found[number, place])
            if said is not None and not _close(_number(said, file, name), ours, fields[name]):
                values = ", ".join(f"{one[:40]} = {row.get(one, 'missing')[:25]}" for one in given[:6])
                raise InputError(
                    f"{file}: PMML4S and whoever made the document disagree about row {number + 1} of its "
                    f"ModelVerification ({values}): field {name[:80]!r} is {said[:25]} there, and {ours:.9g} by "
                    f"PMML4S. What serves it may read it either way: write it anew, or {A_LOADER}."
                )


def _columns(model: Element) -> dict[str, Element]:
    return {one.get("field", ""): one for one in model.iterfind("ModelVerification/VerificationFields/*")}


def _rows(model: Element, fields: Mapping[str, Element]) -> list[dict[str, str]]:
    """Return each row's texts by field; a cell that is not there is missing."""
    by_column = {(one.get("column") or name).rpartition(":")[2]: name for name, one in fields.items()}
    found = list(model.iterfind("ModelVerification/InlineTable/row"))[:MOST_ROWS]
    cells = [{by_column[cell.tag]: cell.text for cell in row if cell.tag in by_column} for row in found]
    return [{name: text.strip() for name, text in row.items() if text and text.strip()} for row in cells]


def _place(name: str, outputs: Sequence[Element], scores: Mapping[str, int]) -> int | None:
    """Return where a field's value stands among a row's scores; ``None`` for what is no score of ours."""
    output = next((one for one in outputs if one.get("name") == name), None)
    if output is not None and output.get("feature") == "probability":
        return scores.get(output.get("value", ""))
    return scores.get(name)


def _typed(text: str | None, kind: str) -> float | str | None:
    if kind == "string":
        return text
    try:
        return math.nan if text is None else float(text)
    except ValueError:
        return math.nan


def _number(text: str, file: Path, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"{file}: its ModelVerification has {text[:40]!r} in {name[:80]!r}, where a score belongs."
        ) from None


def _close(expected: float, found: float, field: Element) -> bool:
    """Compare as the specification of PMML does: relative to what is expected, near zero by a threshold."""
    precision, zero = _given(field, "precision", PRECISION), _given(field, "zeroThreshold", ZERO)
    if abs(expected) <= zero:
        return abs(found) <= zero
    return abs(found - expected) <= precision * abs(expected) + ZERO


def _given(field: Element, name: str, least: float) -> float:
    try:
        return max(least, float(field.get(name, "")))
    except ValueError:
        return least
