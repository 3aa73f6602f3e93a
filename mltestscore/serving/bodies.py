"""Rows as the body of a request: a template whose settings are filled in once, and whose ``$words`` are the rows."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from mltestscore.errors import ConfigError, InputError, near

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, Sequence[object]]
"""Feature name → its values, one per row; all of the same length."""

Settings = Mapping[str, Any]

ABSENT = object()
_SETTING = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


def plain(value: object) -> object:
    """Return ``value`` as JSON can hold it: missing numbers as ``None``, times in ISO 8601, NumPy scalars as Python's.

    Arrays, such as images, are lists of lists.

    >>> [plain(value) for value in (float("nan"), np.int64(3), date(2024, 2, 29))]
    [None, 3, '2024-02-29']
    >>> plain(np.array([[1.0, np.nan]]))
    [[1.0, None]]
    """
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):  # what databases return for NUMERIC
        value = float(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value).__name__ in ("NAType", "NaTType"):  # pandas' own missing values
        return None
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def columns_of(frame: pd.DataFrame, features: Sequence[str] = ()) -> Columns:
    """Return the columns of a frame that are sent, all where none are named.

    Raises :class:`InputError` for a frame without rows, or a column that it does not have.
    """
    if frame.empty:
        raise InputError("endpoint: there is no row to send; give a frame with at least one row and one column.")
    wanted = features or tuple(map(str, frame.columns))
    for name in wanted:
        if name not in frame.columns:
            raise InputError(
                f"endpoint: the rows to send have no column {name!r}, which the model takes."
                f"{near(name, map(str, frame.columns))}"
            )
    return {name: frame[name].tolist() for name in wanted}


def row_count(columns: Columns) -> int:
    """Return how many rows the columns have."""
    return len(next(iter(columns.values()))) if columns else 0


def setting_of(name: str, settings: Settings) -> Any:
    """Return a setting's value; raises :class:`ConfigError` for a name that the protocol does not declare."""
    if name not in settings:
        raise ConfigError(f"endpoint: the protocol has {{{name}}} but no setting {name!r}.{near(name, settings)}")
    return settings[name]


def filled(text: str, settings: Settings, escape: Callable[[str], str] = str) -> str:
    """Return ``text`` with its ``{settings}`` filled in.

    >>> filled("deployed as {model}", {"model": "iris"})
    'deployed as iris'
    """
    return _SETTING.sub(lambda match: escape(str(setting_of(match[1], settings) or "")), text)


def path_of(text: str, settings: Settings) -> str:
    """Return a path whose optional parts stand only where their settings do; empty while another setting is empty.

    >>> path_of("/models/{model}[/versions/{version}]/ready", {"model": "my iris", "version": ""})
    '/models/my%20iris/ready'
    """

    def complete(part: str) -> bool:
        return all(setting_of(name, settings) not in ("", None) for name in _SETTING.findall(part))

    kept = _OPTIONAL.sub(lambda match: match[1] if complete(match[1]) else "", text)
    if not complete(kept):
        return ""
    start = _SETTING.match(kept)  # a setting that begins the path is a path itself
    whole, rest = (str(setting_of(start[1], settings)), kept[start.end() :]) if start else ("", kept)
    return whole + filled(rest, settings, lambda value: quote(value, safe=""))


def fill(template: object, settings: Settings) -> Any:
    """Return a template with its settings filled in, typed where a text is one setting alone.

    What holds nothing but an empty setting is left out, to :data:`ABSENT` for the whole; a key that is an empty
    setting gives its place to its value.

    >>> fill({"signature": "{signature}", "instances": "$rows"}, {"signature": ""})
    {'instances': '$rows'}
    """
    if isinstance(template, str):
        alone = _SETTING.fullmatch(template)
        if alone is None:
            return filled(template, settings)
        value = setting_of(alone[1], settings)
        return ABSENT if value in ("", None) else value
    if isinstance(template, list | tuple):
        kept = [value for value in (fill(part, settings) for part in template) if value is not ABSENT]
        return ABSENT if template and not kept else kept
    if not isinstance(template, Mapping):
        return template
    members = {filled(key, settings): fill(part, settings) for key, part in template.items()}
    if "" in members and len(members) == 1:
        return members[""]
    kept_members = {key: value for key, value in members.items() if value is not ABSENT}
    return ABSENT if template and not kept_members else kept_members


class Rows:
    """The rows of one request, in every shape that a template may ask for."""

    def __init__(self, columns: Columns, settings: Settings) -> None:
        self.settings = settings
        times = [name for name, values in columns.items() if any(isinstance(value, date) for value in values)]
        self.columns = {name: [plain(value) for value in values] for name, values in columns.items()}
        if settings.get("missing") == "NaN":
            self.columns = {name: _without_null(values) for name, values in self.columns.items()}
        self.lists = [list(row) for row in zip(*self.columns.values(), strict=True)]
        self.words: dict[str, Callable[[], object]] = {
            "$rows": lambda: [self._row(row) for row in self.lists],
            "$objects": lambda: [self._object(row) for row in self.lists],
            "$lists": lambda: self.lists,
            "$columns": lambda: self.columns,
            "$names": lambda: list(self.columns),
            "$times": lambda: times,
            "$schema": lambda: [{"name": name, "type": _type(values)} for name, values in self.columns.items()],
            "$csv": lambda: [_csv([row]).removesuffix("\n") for row in self.lists],
            "$flat": lambda: [value for row in self.lists for value in row],
            "$shape": lambda: [len(self.lists), len(self.columns)],
            "$tensors": self._tensors,
            "$named_tensors": lambda: {tensor["name"]: tensor for tensor in self._tensors()},
        }

    def laid_out(self, template: object) -> Any:
        """Return a template with its words replaced; words of one row stand for the first."""
        return self._replaced(template, 0)

    def csv(self, *, header: bool) -> str:
        """Return the rows as CSV, missing values as nothing."""
        return _csv([list(self.columns), *self.lists] if header else self.lists)

    def lines(self, template: object) -> str:
        """Return one line of JSON per row."""
        return "".join(self._json(self._replaced(template, index)) + "\n" for index in range(len(self.lists)))

    def _json(self, value: object) -> str:
        return json.dumps(value, allow_nan=self.settings.get("missing") == "NaN")

    def _replaced(self, template: object, index: int) -> Any:
        if isinstance(template, str):
            return self._word(template, index)
        if isinstance(template, list):
            return [self._replaced(part, index) for part in template]
        if not isinstance(template, Mapping):
            return template
        if list(template) == ["$each"]:
            return [self._replaced(template["$each"], each) for each in range(len(self.lists))]
        if list(template) == ["$base64"]:
            return base64.b64encode(self._json(self._replaced(template["$base64"], index)).encode()).decode()
        return {key: self._replaced(part, index) for key, part in template.items()}

    def _word(self, word: str, index: int) -> object:
        if not word.startswith("$"):
            return word
        if word.startswith("$$"):
            return word[1:]
        if word in self.words:
            return self.words[word]()
        one: dict[str, Callable[[list[object]], object]] = {
            "$row": self._row,
            "$object": self._object,
            "$list": list,
            "$pairs": self._pairs,
        }
        if word in one:
            return one[word](self.lists[index])
        if word == "$index":
            return str(index)
        known = [*self.words, *one, "$index"]
        raise ConfigError(f"endpoint: a request's body has no word {word!r}; write $$ for a dollar.{near(word, known)}")

    def _row(self, row: list[object]) -> object:
        return self._object(row) if self.settings.get("named", True) else row

    def _object(self, row: list[object]) -> dict[str, object]:
        return dict(zip(self.columns, row, strict=True))

    def _pairs(self, row: list[object]) -> str:
        """Return a row as Redis-ML has it: ``age:25,sex:male``; a feature without a value is not named."""
        known = [(name, value) for name, value in self._object(row).items() if value is not None]
        for part in (str(part) for pair in known for part in pair):
            if "," in part or ":" in part:
                raise InputError(f"endpoint: {part[:50]!r} holds a comma or a colon, which ends a feature:value pair.")
        return ",".join(f"{name}:{int(value) if isinstance(value, bool) else value}" for name, value in known)

    def _tensors(self) -> list[dict[str, object]]:
        """Return the rows as the Open Inference Protocol has them: a tensor for each feature, or one for all."""
        name, wanted = str(self.settings.get("tensor") or ""), str(self.settings.get("datatype") or "")
        count = len(self.lists)
        if name:
            shape = [count, len(self.columns)]
            return [{"name": name, "shape": shape, "datatype": wanted or "FP64", "data": self.words["$flat"]()}]
        shape = [count] if self.settings.get("flat") else [count, 1]
        return [
            {"name": name, "shape": shape, "datatype": kind, "data": self._without_gaps(kind, values)}
            for name, values in self.columns.items()
            for kind in [_datatype(values, wanted)]
        ]

    def _without_gaps(self, kind: str, values: list[object]) -> list[object]:
        """Return texts with the one that stands for a missing value, where the settings name it."""
        stands_for_none = self.settings.get("missing_text") if kind == "BYTES" else None
        return [stands_for_none if value is None else value for value in values] if stands_for_none else values


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _without_null(values: list[object]) -> list[object]:
    """Return a column of numbers with NaN where one is missing, and any other column as it is."""
    return [math.nan if value is None else value for value in values] if _type(values) == "double" else values


def _datatype(values: Sequence[object], wanted: str) -> str:
    found = {"string": "BYTES", "boolean": "BOOL", "long": "INT64", "double": "FP64"}[_type(values)]
    return wanted if wanted and found in ("INT64", "FP64") else found


def _type(values: Sequence[object]) -> str:
    """Return what a column holds, in the words of MLeap's leap frames."""
    known = [value for value in values if value is not None]
    if any(isinstance(value, list) for value in known):
        raise InputError(
            "endpoint: this protocol names the type of each column, and one of them holds arrays, such as images. Let "
            "the server take rows as JSON, or offer the model by loader."
        )
    if any(isinstance(value, str) for value in known):
        return "string"
    if known and all(isinstance(value, bool) for value in known):
        return "boolean"
    whole = len(known) == len(values) > 0 and all(isinstance(value, int) for value in known)
    return "long" if whole else "double"
