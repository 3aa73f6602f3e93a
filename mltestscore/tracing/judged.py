"""What is held against traces: where they end, which features they show, what lies between."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.tracing.rows import Rows
from mltestscore.tracing.trace import Plain, Trace, Value, number, plain

Derived = Mapping[str, Sequence[str]]


def ends_in(trace: Trace, score: Any, tolerance: float, rounded: float = 0.0) -> bool:
    """Say whether the last step holds a score: one number, one a class, or of several classes the largest.

    Numbers may differ by ``tolerance`` of their size, of one where they are smaller, and by ``rounded`` besides.
    """
    wanted, found = np.ravel(np.asarray(score, dtype=float)), np.array(trace.last)
    if len(found) == 2 and len(wanted) == 1:
        found = found[1:]  # of two classes the second's
    if len(found) == 1 and len(wanted) > 1:
        wanted = wanted[[int(np.argmax(wanted))]]
    return len(found) == len(wanted) and bool(
        np.allclose(found, wanted, rtol=tolerance, atol=tolerance + rounded, equal_nan=True)
    )


def astray(traces: Sequence[Trace], scores: npt.NDArray[Any], tolerance: float) -> list[int]:
    """Return the rows whose trace does not end in their score."""
    return [place for place, trace in enumerate(traces) if not ends_in(trace, scores[place], tolerance)]


def answers(
    trace: Trace, served: Any, own: Any, classes: Sequence[object], tolerance: float, rounded: float = 0.0
) -> bool:
    """Say whether a trace ends in what was served: a score, with more than two classes the class, or a score a label.

    A trace that ends in one number for several classes is taken for the model's ``own`` scores.
    """
    if np.ndim(served):
        return ends_in(trace, served, tolerance, rounded)
    known = np.ravel(np.asarray(own, dtype=float))
    if len(known) > 1:
        best = int(np.argmax(trace.last if len(trace.last) == len(known) else known))
        return same(plain(classes[best] if classes else best), plain(served))
    wanted = number(plain(served))
    return wanted is not None and ends_in(trace, wanted, tolerance, rounded)


def not_shown(traces: Sequence[Trace], rows: pd.DataFrame, features: Sequence[str], derived: Derived) -> list[str]:
    """Return the features that most traces do not show, of the rows in which they have a value that is not zero.

    A name shows a feature when it contains its name as words of its own (``num__age``, ``carrier_AA``), a longer
    feature's name first, or is declared to derive from it.
    """
    shown_by = names_shown(features, derived)
    shown = [set().union(*map(shown_by, texts(trace))) for trace in traces]
    missing = []
    for name in features:
        held = [place for place in range(len(traces)) if holds(rows[name].iloc[place])]
        seen = sum(name in shown[place] for place in held)
        if held and 2 * seen < len(held):
            missing.append(name)
    return missing


def texts(trace: Trace) -> set[str]:
    """Return the names of all steps and values."""
    return {one.name for one in trace.values} | {step.name for step in trace.steps}


def names_shown(features: Sequence[str], derived: Derived) -> Callable[[str], frozenset[str]]:
    """Return what tells the features that a name in a trace shows."""
    pattern, known = _pattern(features), frozenset(features)

    @cache
    def shown(text: str) -> frozenset[str]:
        if text in known:
            return frozenset({text, *derived.get(text, ())})
        found = (features[int(str(match.lastgroup)[1:])] for match in pattern.finditer(text))
        return frozenset({*found, *derived.get(text, ())})

    return shown


def _pattern(features: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of all names, the longest first, none of them inside a longer word."""
    places = sorted(range(len(features)), key=lambda place: -len(features[place]))
    either = "|".join(f"(?P<f{place}>{re.escape(features[place])})" for place in places)
    return re.compile(f"(?<![^\\W_])(?:{either})(?![^\\W_])", re.IGNORECASE)


def holds(value: Any) -> bool:
    """Say whether a feature has a value here that is not zero."""
    found = plain(value) if np.ndim(value) == 0 else True
    return found not in (None, "", 0, False) and found == found


def between(trace: Trace, row: Mapping[str, Any]) -> tuple[tuple[str, Plain], ...]:
    """Return what a trace shows besides the row's own values and its last step."""
    if not trace.steps:
        return ()
    values = [one for step in trace.steps[:-1] for one in step.values]
    return tuple((one.name, one.value) for one in values if not _is_input(one, row))


def _is_input(value: Value, row: Mapping[str, Any]) -> bool:
    return value.name in row and same(value.value, plain(row[value.name]) if np.ndim(row[value.name]) == 0 else None)


def same(one: Plain, other: Plain) -> bool:
    """Say whether two values are the same to a reader: numbers to six digits, missing however written."""
    first, second = number(one), number(other)
    if first is not None and second is not None:
        return bool(np.isclose(first, second, rtol=1e-5, atol=1e-9, equal_nan=True))
    gone = (None, "", "nan", "NaN", "None")
    return str(one) == str(other) or (_gone(one, gone) and _gone(other, gone))


def _gone(value: Plain, words: Sequence[object]) -> bool:
    return value in words or value != value


def other_values(trace: Trace, row: Mapping[str, Any]) -> list[str]:
    """Return in words which inputs a trace shows with another value than the row's, and nowhere with the row's."""
    by_name: dict[str, list[Plain]] = {}
    for one in trace.values:
        if one.name in row and np.ndim(row[one.name]) == 0:
            by_name.setdefault(one.name, []).append(one.value)
    return [
        f"{name} is {values[0]!r:.40}, in the row {plain(row[name])!r:.40}"
        for name, values in by_name.items()
        if not any(same(value, plain(row[name])) for value in values)
    ]


def records(rows: Rows) -> list[dict[str, Any]]:
    """Return the rows as mappings."""
    return [{str(name): value for name, value in one.items()} for one in rows.frame.to_dict("records")]
