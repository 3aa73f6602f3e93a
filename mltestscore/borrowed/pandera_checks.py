"""The built-in checks of pandera in the words of Great Expectations, where both say the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from mltestscore.inputs.rules import Rule

Arguments = dict[str, Any]
_VALUES = "expect_column_values_to_"


class _OtherwiseError(Exception):
    """The check says what no rule says."""


def _matches(said: Mapping[str, Any]) -> tuple[str, Arguments]:
    return _VALUES + "match_regex", {"regex": f"^(?:{_pattern(said)})"}


def _range(said: Mapping[str, Any]) -> tuple[str, Arguments]:
    bounds = {"min_value": _scalar(said["min_value"]), "max_value": _scalar(said["max_value"])}
    strict = {"strict_min": not said.get("include_min", True), "strict_max": not said.get("include_max", True)}
    return _VALUES + "be_between", bounds | {name: True for name, is_so in strict.items() if is_so}


def _length(said: Mapping[str, Any]) -> tuple[str, Arguments]:
    exact = said.get("exact_value")
    low, high = (exact, exact) if exact is not None else (said.get("min_value"), said.get("max_value"))
    bounds = {"min_value": low, "max_value": high}
    return "expect_column_value_lengths_to_be_between", {
        key: value for key, value in bounds.items() if value is not None
    }


TRANSLATIONS: dict[str, Callable[[Mapping[str, Any]], tuple[str, Arguments]]] = {
    "in_range": _range,
    "greater_than": lambda said: (
        _VALUES + "be_between",
        {"min_value": _scalar(said["min_value"]), "strict_min": True},
    ),
    "greater_than_or_equal_to": lambda said: (_VALUES + "be_between", {"min_value": _scalar(said["min_value"])}),
    "less_than": lambda said: (_VALUES + "be_between", {"max_value": _scalar(said["max_value"]), "strict_max": True}),
    "less_than_or_equal_to": lambda said: (_VALUES + "be_between", {"max_value": _scalar(said["max_value"])}),
    "equal_to": lambda said: (_VALUES + "be_in_set", {"value_set": [_scalar(said["value"])]}),
    "not_equal_to": lambda said: (_VALUES + "not_be_in_set", {"value_set": [_scalar(said["value"])]}),
    "isin": lambda said: (_VALUES + "be_in_set", {"value_set": _scalars(said["allowed_values"])}),
    "notin": lambda said: (_VALUES + "not_be_in_set", {"value_set": _scalars(said["forbidden_values"])}),
    "unique_values_eq": lambda said: (
        "expect_column_distinct_values_to_equal_set",
        {"value_set": sorted(_scalars(said["values"]), key=repr)},
    ),
    "str_matches": _matches,
    "str_contains": lambda said: (_VALUES + "match_regex", {"regex": _pattern(said)}),
    "str_startswith": lambda said: (_VALUES + "match_regex", {"regex": f"^{re.escape(said['string'])}"}),
    "str_endswith": lambda said: (_VALUES + "match_regex", {"regex": rf"{re.escape(said['string'])}\Z"}),
    "str_length": _length,
}
"""By the name of the check; each takes the check's statistics."""


def translated(column: str, check: Any, optional: bool) -> Rule | None:
    """Return the rule that says the same as a check, or ``None`` where there is none.

    A check of a team's own may have the name of a built-in one; it has not its statistics.
    """
    translate, said = TRANSLATIONS.get(check.name), check.statistics or {}
    if translate is None or check.groupby is not None or not check.ignore_na or not said:
        return None
    try:
        kind, arguments = translate(said)
    except (_OtherwiseError, KeyError, TypeError):
        return None
    return Rule(kind, {"column": column, **arguments}, optional)


def _scalar(value: Any) -> Any:
    """Return a value as JSON has it; times as text."""
    if isinstance(value, date):
        return value.isoformat()
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool | int | float | str):
        return plain
    raise _OtherwiseError


def _scalars(values: Any) -> list[Any]:
    return [_scalar(value) for value in values]


def _pattern(said: Mapping[str, Any]) -> str:
    pattern = said["pattern"]
    # Flags hold for a whole expression, and ours is a part of one.
    if not isinstance(pattern, str) or pattern.startswith("(?"):
        raise _OtherwiseError
    return pattern
