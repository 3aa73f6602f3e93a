"""What a trace is: named steps in order, each with named values, the last of them the score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mltestscore.details import MAX_ROWS, Table

Plain = str | int | float | bool | None

MOST_VALUES = 20_000
"""Values kept of one trace: a wide encoding has thousands, and more would not be read."""
LONGEST = 120
"""Characters kept of a name, a text and an explanation."""
LEAST_SHOWN = 2
LINE = 240
"""Characters of a step's values in a line."""

INPUT, SCORE = "input", "score"


class OpaqueError(Exception):
    """A model that cannot be followed; the message says which part of it, and why."""


@dataclass(frozen=True)
class Value:
    """One value on the way, and how it came about where that can be told in a few words."""

    name: str
    value: Plain
    how: str = ""


@dataclass(frozen=True)
class Step:
    """What one part of the model gave."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Trace:
    """The way of one row through the model; ``error`` says why there is none.

    ``automatic`` tells that we followed the model ourselves: an error is then a limit of ours, and no fault of a team.
    """

    steps: tuple[Step, ...] = ()
    error: str = ""
    automatic: bool = False

    @property
    def last(self) -> tuple[float, ...]:
        """The numbers of the last step; none where it holds anything else."""
        if not self.steps:
            return ()
        found = [number(one.value) for one in self.steps[-1].values]
        return tuple(one for one in found if one is not None) if None not in found else ()

    @property
    def values(self) -> tuple[Value, ...]:
        """All values, in order."""
        return tuple(one for step in self.steps for one in step.values)


def number(value: object) -> float | None:
    """Return a value, or the text of a number, as a float."""
    if isinstance(value, bool | int | float | str):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return None
    return None


def plain(value: Any) -> Plain:
    """Return a single value as plain Python, texts and everything unknown cut short; missing as ``None``."""
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else float(value) if abs(value) < 1e300 else str(value)[:LONGEST]
    if isinstance(value, float):
        return value
    text = str(value)
    return None if text in ("<NA>", "NaT") else text[:LONGEST]


def valued(name: str, numbers: Iterable[Any], names: Sequence[object], how: Iterable[str] = ()) -> Step:
    """Return a step of values with the names of their columns."""
    texts = iter(how)
    pairs = zip(names, numbers, strict=False)
    return Step(str(name)[:LONGEST], tuple(Value(str(one)[:LONGEST], plain(v), next(texts, "")) for one, v in pairs))


def scored(scores: Iterable[Any], how: str = "") -> Step:
    """Return the last step: a score, or one a class."""
    found = [plain(one) for one in scores]
    names = [SCORE] if len(found) == 1 else [f"{SCORE} of class {place}" for place in range(len(found))]
    return Step(SCORE, tuple(Value(name, value, how) for name, value in zip(names, found, strict=True)))


def tidy(answer: Any) -> tuple[Step, ...]:
    """Return what a team's function answered as steps: a mapping, or pairs of a name and a value, in order.

    A value may be a mapping, a list, an array or a one-row table itself. Raises :class:`TypeError` for anything else.
    """
    if isinstance(answer, Mapping):
        pairs = list(answer.items())
    elif isinstance(answer, list | tuple) and all(isinstance(one, list | tuple) and len(one) == 2 for one in answer):
        pairs = [(one[0], one[1]) for one in answer]
    else:
        raise TypeError(f"it returned {type(answer).__name__}; expected a mapping, or a list of (name, value)")
    if not pairs:
        raise TypeError("it returned nothing: no name and no value")
    room = MOST_VALUES
    steps: list[Step] = []
    for name, value in pairs:
        last = len(steps) == len(pairs) - 1
        values = tuple(_within(str(name), value))[: room if not last else MOST_VALUES]
        room -= len(values)
        steps.append(Step(str(name)[:LONGEST], values))
    return tuple(steps)


def _within(name: str, value: Any) -> Iterator[Value]:
    if hasattr(value, "columns") and hasattr(value, "iloc"):  # a table: its first row
        value = dict(value.iloc[0]) if len(value) else {}
    elif hasattr(value, "index") and hasattr(value, "to_dict"):  # a column with its names
        value = value.to_dict()
    elif hasattr(value, "tolist"):  # an array, of one row where it has several dimensions
        value = value.ravel().tolist()
    if isinstance(value, Mapping):
        yield from (Value(str(key)[:LONGEST], plain(part)) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from (Value(f"{name[:LONGEST]}[{place}]", plain(part)) for place, part in enumerate(value))
    else:
        yield Value(name[:LONGEST], plain(value))


def as_table(title: str, trace: Trace) -> Table:
    """Return a trace for the reader: every step with the first of its values, as many as a table holds."""
    steps, skipped = trace.steps, 0
    most = MAX_ROWS // (LEAST_SHOWN + 1)
    if len(steps) > most:
        skipped = len(steps) - most
        steps = (*steps[: most // 2], Step(f"… {skipped:,} more steps", ()), *steps[-(most - most // 2) :])
    each = _fair([len(step.values) for step in steps], MAX_ROWS - len(steps))
    rows: list[tuple[Plain, ...]] = []
    for step, shown in zip(steps, each, strict=True):
        rows += [(step.name, one.name, short(one.value), one.how) for one in step.values[:shown]]
        rest = len(step.values) - shown
        if rest or not step.values:
            rows.append((step.name, f"… and {rest:,} more" if rest else "", None, ""))
    return Table(title, ("step", "name", "value", "how"), rows)


def overview(title: str, trace: Trace) -> Table:
    """Return a trace in a line a step, for whoever reads how the score came about before each value.

    >>> overview("t", Trace((Step("input", (Value("age", 41), Value("city", "Oslo"))), scored([0.25])))).rows
    (('input', 2, 'age = 41; city = Oslo'), ('score', 1, 'score = 0.25'))
    """
    rows = []
    for step in trace.steps[:MAX_ROWS]:
        told = [f"{one.name} = {short(one.value)}{f' ({one.how})' if one.how else ''}" for one in step.values]
        shown = next((n for n in range(len(told), 1, -1) if len("; ".join(told[:n])) <= LINE), 1)
        rest = len(told) - shown
        line = "; ".join(told[:shown]) + (f"; and {rest:,} more" if rest > 0 else "")
        rows.append((step.name, len(told), line))
    return Table(title, ("step", "values", "of them"), rows)


def _fair(sizes: Sequence[int], room: int) -> list[int]:
    """Return how many values of each step are shown: small steps whole, large ones alike."""
    each = max((one for one in range(room + 1) if sum(min(size, one) for size in sizes) <= room), default=0)
    return [min(size, each) for size in sizes]


def short(value: Plain) -> Plain:
    """Return a value with as many digits as a reader wants."""
    if isinstance(value, float) and not isinstance(value, bool):
        return float(f"{value:.9g}") if math.isfinite(value) else str(value)
    return value
