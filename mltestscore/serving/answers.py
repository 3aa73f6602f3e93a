"""Scores out of hostile answers: one a row, in the order of the rows, or an error that says what was found."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import prod
from typing import Any, Literal

import numpy as np

from mltestscore.serving.places import find, first

MAX_SHOWN = 200
NOT_PARSED = object()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names in lower case.

    Other transports give their own ``code`` and, as ``status``, the one that HTTP has for it.
    """

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    code: str = ""

    @property
    def named(self) -> str:
        """The status as the server's own transport calls it."""
        return self.code or str(self.status)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer: ``scores`` of shape (rows,) or (rows, classes), and the model version it names (else empty)."""

    scores: np.ndarray
    version: str = ""


def parsed(content: bytes, kind: Literal["json", "csv", "ndjson"]) -> Any:
    """Return the body, whatever its content type says; :data:`NOT_PARSED` where it is not of that kind.

    JSON may hold the tokens NaN and Infinity, which TensorFlow Serving writes.
    """
    try:
        if kind == "json":
            return json.loads(content)
        text = content.decode("utf-8")
        if kind == "ndjson":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return [[_number(cell) for cell in line] for line in csv.reader(io.StringIO(text), strict=True) if line]
    except (ValueError, RecursionError, csv.Error):
        return NOT_PARSED


def unwrapped(body: object, key: str) -> object:
    """Return an answer with what the text under ``key`` holds, JSON in base64, in the text's place.

    An error has no such text. Raises :class:`ValueError` for a text that is something else.

    >>> unwrapped({"frame": "eyJyb3dzIjogW119", "tag": 0}, "frame")
    {'frame': {'rows': []}, 'tag': 0}
    """
    text = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(text, str) or not text:
        return body
    try:
        content = base64.b64decode(text, altchars=None if {"+", "/"} & set(text) else b"-_", validate=True)
    except ValueError:
        content = b""
    found = parsed(content, "json")
    if found is NOT_PARSED:
        raise ValueError(
            f"expected JSON in base64 under {key!r}, found {text[:40]!r}; the server must be asked for JSON in the "
            "protocol's body, since other formats are read by its own libraries only"
        )
    return {**body, key: found}


def _number(cell: str) -> object:
    try:
        return float(cell)
    except ValueError:
        return cell


def scores(values: object, rows: int, column: int | None) -> np.ndarray:
    """Return one score (or one vector of class scores) per row as float64, shape (rows,) or (rows, classes).

    A single column is flattened. ``column`` picks the class whose probability is the score.

    Raises :class:`ValueError` when the values are no numbers, not finite, or not one per row.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"expected {rows} numbers, found {str(values)[:MAX_SHOWN]}") from error
    if array.ndim == 0 or len(array) != rows:
        found = "one number" if array.ndim == 0 else f"{len(array)} scores"
        raise ValueError(f"expected {rows} scores, one per row in order, found {found}")
    if array.ndim > 2:
        raise ValueError(f"expected one score or one vector per row, found an array of shape {array.shape}")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"expected finite scores, found {array[row]} for row {row}")
    return _picked(array, column)


def _picked(array: np.ndarray, column: int | None) -> np.ndarray:
    if array.ndim == 1:
        return array
    if column is not None:
        if not -array.shape[1] <= column < array.shape[1]:
            raise ValueError(f"expected at least {column + 1} class scores per row, found {array.shape[1]}")
        return np.ascontiguousarray(array[:, column])
    return array[:, 0] if array.shape[1] == 1 else array


def tensor(found: object) -> list[Any]:
    """Return flat data with a shape as one entry a row; raises :class:`ValueError` where they do not fit.

    Of tensors by name the only one counts.
    """
    if isinstance(found, list) and found[::2] and all(isinstance(key, str) for key in found[::2]):
        found = dict(zip(found[::2], found[1::2], strict=False))  # RESP has names and values in one list
    if isinstance(found, Mapping) and found and all(isinstance(part, Mapping) for part in found.values()):
        if len(found) > 1:
            names = f"{sorted(map(str, found))!s:.100}"
            raise ValueError(
                f"expected one output, found {names}; name the one that is the score by the setting output"
            )
        found = next(iter(found.values()))
    try:
        shape = [int(size) for size in first(found, ["shape"])]
    except (TypeError, OverflowError):
        raise ValueError(f"expected a shape, found {str(found)[:MAX_SHOWN]}") from None
    data = np.asarray(first(found, ["data", "values", "array"]), dtype=object).ravel()
    if not shape or min(shape) < 0 or prod(shape) != data.size:
        raise ValueError(f"expected {prod(shape)} values for the output's shape {shape}, found {data.size}")
    order: Literal["F", "C"] = "F" if isinstance(found, Mapping) and found.get("ordering") == "f" else "C"  # SKIL
    entries: list[Any] = data.reshape(shape, order=order).tolist()
    return entries


def entries_of(found: object, rows: int, *, single: bool) -> list[Any]:
    """Return one entry a row; a server that was asked for one row may send its entry unwrapped.

    ``single``: the protocol takes one row a request, so that a list of several numbers is that row's classes.
    """
    if isinstance(found, str):  # a script may return its answer as a text that holds JSON
        inner = parsed(found.encode(), "json")
        found = found if inner is NOT_PARSED else inner
    if isinstance(found, list) and not (single and rows == 1 and len(found) > 1):
        return found
    if rows == 1:
        return [found]
    raise ValueError(f"expected {rows} scores, one per row in order, found {_kind(found)}")


def columns(found: object) -> list[Any]:
    """Return a list for each name as one entry a row; raises :class:`ValueError` where their lengths differ."""
    lists = found if isinstance(found, list) else []
    if not lists or not all(isinstance(part, list) and len(part) == len(lists[0]) for part in lists):
        raise ValueError(f"expected columns of one length, found {str(found)[:MAX_SHOWN]}")
    return [list(entry) for entry in zip(*lists, strict=True)]


def _kind(value: object) -> str:
    return "one number" if isinstance(value, int | float) or value is None else f"{str(value)[:MAX_SHOWN]!r}"


def named_entries(entries: Sequence[object], names: object) -> list[Any]:
    """Return entries that are lists as objects of their names; raises :class:`ValueError` where they do not fit."""
    known = list(map(str, names)) if isinstance(names, list) else []
    for entry in entries:
        if not isinstance(entry, list) or len(entry) != len(known):
            raise ValueError(f"expected a value for each of {known!s:.100}, found {entry!s:.100}")
    return [dict(zip(known, entry, strict=True)) for entry in entries if isinstance(entry, list)]


def in_order(entries: Sequence[Any], place: str) -> list[Any]:
    """Return the entries in the order of the rows, by the number that each carries, counted from 0 or from 1.

    Raises :class:`ValueError` when a row's number is missing, unknown or there twice.
    """
    numbers = []
    for entry in entries:
        found = [str(number) for number in find(entry, place)]
        if len(found) != 1 or not found[0].isdecimal():
            raise ValueError(f"expected the row's number at {place!r}, found {str(entry)[:MAX_SHOWN]}")
        numbers.append(int(found[0]))
    for start in (0, 1):
        if sorted(numbers) == list(range(start, start + len(entries))):
            return [entries[index] for index in np.argsort(numbers)]
    raise ValueError(f"expected each of {len(entries)} rows once by {place!r}, found the numbers {numbers!s:.100}")


def score_of(entry: object, places: Iterable[str], pair: tuple[str, str]) -> Any:
    """Return an entry's score: a number, a list of numbers, or numbers by label."""
    value = first(entry, places)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
        return {str(first(part, [pair[0]])): first(part, [pair[1]]) for part in value}
    if isinstance(value, Mapping) and set(pair) <= set(value):  # one class alone, unwrapped
        return {str(value[pair[0]]): value[pair[1]]}
    return value


def by_label(values: Sequence[Any], label: str) -> list[Any]:
    """Return numbers by label as lists in the labels' order (as numbers where they all are), or one label's alone.

    Raises :class:`ValueError` where rows have other labels, or what stands by a label is no number.
    """
    if not any(isinstance(value, Mapping) for value in values):
        return list(values)
    labels = {str(key) for value in values if isinstance(value, Mapping) for key in value}
    wanted = [label] if label else sorted(labels, key=_sorting(labels))
    chosen = []
    for value in values:
        if not isinstance(value, Mapping) or (not label and set(map(str, value)) != labels):
            raise ValueError(
                f"expected the same labels for every row, found {sorted(labels)!s:.100} and {value!s:.100}"
            )
        chosen.append([first(value, [key]) for key in wanted])
    for part in (number for row in chosen for number in row):
        if isinstance(part, bool) or not isinstance(part, int | float):
            raise ValueError(
                f"expected numbers, found {str(part)[:50]!r} under {sorted(labels)!s:.100}; "
                "name the one that is the score by the protocol's setting output or label"
            )
    return chosen


def _sorting(labels: Iterable[str]) -> Any:
    try:
        numbers = {label: float(label) for label in labels}
    except ValueError:
        return str
    return numbers.__getitem__


def error_in(body: object) -> str:
    """Return the error that a JSON body reports, whatever its HTTP status, else the empty string.

    >>> error_in({"error": "Servable not found for request: Latest(half)"})
    'Servable not found for request: Latest(half)'
    """
    if isinstance(body, str):  # Feast sends a JSON string that holds JSON
        inner = parsed(body.encode(), "json")
        return error_in(inner) if isinstance(inner, Mapping) else ""
    if not isinstance(body, Mapping):
        return ""
    for key in ("OriginalMessage", "error", "errors", "detail", "message", "Message", "dd_msg", "msg", "info"):
        if value := body.get(key):
            inner = value[0] if isinstance(value, list) else value
            return (error_in(inner) or str(value))[:MAX_SHOWN]
    return error_in(body.get("status")) if isinstance(body.get("status"), Mapping) else ""


def told(reply: Reply, body: object) -> str:
    """Return what a server says about its failure: in its body, in the HTTP reason, or as a traceback's last line."""
    text = reply.content.decode("utf-8", "replace").strip()
    if "Traceback (most recent call last)" in text:
        text = text.splitlines()[-1]
    if said := error_in(body):
        return said
    usual = reply.status in list(HTTPStatus) and HTTPStatus(reply.status).phrase.lower() == reply.reason.lower()
    said = text[:MAX_SHOWN] or "nothing"
    return said if usual or not reply.reason else f"{reply.reason[:MAX_SHOWN]}: {said}"
