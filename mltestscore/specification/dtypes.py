"""Of which type predictions are, as the team's code returns them: what their kind promises, however many are asked for.

Only an array, a tensor or a series has a type of its own. In a list Python's numbers stand for themselves, so that 0
beside 0.5 is no other type.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.specification.memorised import is_number

NUMBERS, TRUTH, TEXTS, OBJECTS = "numbers", "truth values", "texts", "objects"
PYTHONS = {"float64", "int64", NUMBERS}
"""Python's own numbers, and what NumPy makes of them; which it is depends on the values that are asked for."""
FAMILIES = {"f": NUMBERS, "i": NUMBERS, "u": NUMBERS, "b": TRUTH, "U": TEXTS, "S": "bytes", "c": "complex numbers"}


def type_name(found: Any, array: npt.NDArray[Any]) -> str:
    """Return the type of what a model returned; ``array`` is the same as NumPy sees it.

    >>> type_name([0, 1.5], np.array([0, 1.5])), type_name(np.float32([1]), np.float32([1]))
    ('numbers', 'float32')
    >>> mixed = np.array([0.5, None], dtype=object)
    >>> type_name(mixed, mixed)
    'objects (NoneType, float)'
    """
    own = getattr(found, "dtype", None)
    if array.dtype.kind == "O":
        return _of_objects(array, held=own is not None and str(own) == "object")
    family = FAMILIES.get(array.dtype.kind, array.dtype.name)
    return array.dtype.name if own is not None and family == NUMBERS else family


def _of_objects(array: npt.NDArray[Any], *, held: bool) -> str:
    """Return what objects are; fractions that an array holds as ``object`` are no numbers to those who take it."""
    values = array.ravel().tolist()
    for family, kinds in ((TEXTS, str), (TRUTH, bool | np.bool_)):
        if values and all(isinstance(value, kinds) for value in values):
            return family
    plain = all(isinstance(value, int | float | np.number) and isinstance(value, numbers.Real) for value in values)
    if plain:
        return f"{OBJECTS} of numbers" if held else NUMBERS
    return f"{OBJECTS} ({', '.join(sorted({type(value).__name__[:40] for value in values})[:4])})"


def broken_promise(name: str, scores: npt.NDArray[Any], kind: str, labels: pd.Series[Any]) -> str:
    """Return what is wrong with predictions of that type, given what they are; nothing where they may be so.

    Args:
        name: of :func:`type_name`.
        scores: the predictions.
        kind: what they are: probabilities and values are numbers, the former with fractions; scores may be anything.
        labels: the truth of some rows; empty where a label is no single value.

    >>> broken_promise("int64", np.array([0, 1]), "probabilities", pd.Series([0, 1]))
    'int64 where probabilities are meant'
    >>> broken_promise("int64", np.array([0, 1]), "classes", pd.Series([0, 1]))
    ''
    """
    if kind == "scores" or (kind == "values" and not (labels.empty or is_number(labels))):  # times and spans of time
        return ""
    family = NUMBERS if name == NUMBERS or name.startswith(("float", "bfloat", "int", "uint")) else name
    if family == f"{OBJECTS} of numbers" and all(float(value).is_integer() for value in scores.ravel()):
        return ""  # labels of classes, held as they come
    wrong = family.startswith((OBJECTS, FAMILIES["c"]))
    if kind in ("probabilities", "values"):
        wrong |= family != NUMBERS or (kind == "probabilities" and name.startswith(("int", "uint")))
    elif family == TEXTS and not labels.empty and is_number(labels):
        wrong |= _spell_other_numbers(scores, labels)
    return f"{name} where {'numbers' if kind == 'classes' and family == TEXTS else kind} are meant" if wrong else ""


def _spell_other_numbers(scores: npt.NDArray[Any], labels: pd.Series[Any]) -> bool:
    """Say whether texts are numbers, some of which are no label: not the names of classes."""
    try:
        spelled = {float(text) for text in scores.astype(str).ravel()}
    except ValueError:
        return False
    return not spelled <= set(labels.astype(float))


def alike(names: Sequence[str]) -> bool:
    """Say whether answers are of one type; of which kinds objects are depends on the values too.

    >>> alike(["float64", "int64"]), alike(["float32", "float64"])
    (True, False)
    """
    held = {TEXTS, TRUTH, NUMBERS, *(name for name in names if name.startswith(OBJECTS))}
    return len(set(names)) < 2 or set(names) <= PYTHONS or (len(held) > 3 and set(names) <= held)
