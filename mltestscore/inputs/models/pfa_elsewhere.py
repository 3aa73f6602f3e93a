"""Scores rows by a PFA document (Portable Format for Analytics) with titus2, which imports on Python up to 3.9.

It runs in the environment that has titus2, beside ``elsewhere_process.py``, and imports nothing of ours. titus makes
Python code of the document, so that it is read by permission only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS = {"int": int, "long": int, "float": float, "double": float}


class Document:
    """An engine of titus, one row after the other.

    A record takes the columns by name, a map all of them, an array their values, anything else the only one. What
    comes out is a number, or a record of numbers: one for each class.
    """

    def __init__(self, engine: Any) -> None:
        if engine.config.method != "map":
            sys.exit(f"its method is {engine.config.method}; only map answers each row for itself")
        taken, given = (json.loads(repr(kind)) for kind in (engine.inputType, engine.outputType))
        self._engine, self._taken = engine, _kinds(taken)
        self._fields = {one["name"]: _kinds(one["type"]) for one in _kinds(taken)[0].get("fields", ())}
        classes = [one["name"] for one in _kinds(given)[0].get("fields", ())]
        if _kinds(given)[0]["type"] not in {*NUMBERS, "record"}:
            sys.exit(f"it answers {json.dumps(given)[:200]}; a number or a record of numbers is read")
        self._classes = classes
        if classes:
            self.classes_ = classes
        if self._fields:
            self.feature_names_in_ = list(self._fields)
        engine.begin()

    def __call__(self, frame: Any) -> Any:
        """Return the answer to each row: shape (rows,) or (rows, classes)."""
        answers = []
        for row in frame.to_dict("records"):
            answer = self._engine.action(self._datum(row))
            answers.append([answer[one] for one in self._classes] if self._classes else answer)
        return answers

    def _datum(self, row: dict[str, Any]) -> Any:
        kind = self._taken[0]
        if self._fields:
            return {name: _value(row[name], kinds) for name, kinds in self._fields.items()}
        if kind["type"] in ("array", "map"):
            within = _kinds(kind["items" if kind["type"] == "array" else "values"])
            values = {name: _value(value, within) for name, value in row.items()}
            return values if kind["type"] == "map" else list(values.values())
        if len(row) != 1:
            sys.exit(f"it takes one {kind['type']}, and a row has {len(row)} columns")
        return _value(next(iter(row.values())), self._taken)


def _kinds(kind: Any) -> list[dict[str, Any]]:
    """Return the types of a union, or the only one, each with its name under ``type``; null comes last."""
    several = kind if isinstance(kind, list) else [kind]
    named = [one if isinstance(one, dict) else {"type": one} for one in several]
    return sorted(named, key=lambda one: str(one["type"]) == "null")


def _value(value: Any, kinds: list[dict[str, Any]]) -> Any:
    if value is None or value != value:  # NaN and NaT
        return None if kinds[-1]["type"] == "null" else value
    cast: Callable[[Any], Any] = NUMBERS.get(kinds[0]["type"], {"boolean": bool}.get(kinds[0]["type"], str))
    return cast(value)


def load(path: str) -> Document:
    """Return the document's first engine."""
    from titus.genpy import PFAEngine

    return Document(PFAEngine.fromJson(Path(path).read_text(encoding="utf-8"))[0])
