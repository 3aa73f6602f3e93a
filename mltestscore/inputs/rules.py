"""The rules of a Great Expectations 1.x suite as data: what each type takes, and what is wrong with a suite."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mltestscore.errors import InputError, near

BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
# Keys that Great Expectations writes beside the arguments and that change no verdict.
WITHOUT_EFFECT = frozenset(
    {"batch_id", "result_format", "catch_exceptions", "meta", "notes", "description", "severity"}
)
# Keys that choose rows; rules with them run on Great Expectations itself.
ROW_FILTERS = frozenset({"row_condition", "condition_parser"})
SHOWN_VALUES = 5
MAX_TEXT = 160

_COLUMN = frozenset({"column"})
_MAP = frozenset({"mostly"})
_PAIR = frozenset({"column_A", "column_B"})
_values, _column = "expect_column_values_to_", "expect_column_"

ARGUMENTS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "expect_column_to_exist": (_COLUMN, frozenset({"column_index"})),
    "expect_table_columns_to_match_set": (frozenset({"column_set"}), frozenset({"exact_match"})),
    "expect_table_row_count_to_be_between": (frozenset(), BOUNDS),
    _values + "be_of_type": (_COLUMN | {"type_"}, _MAP),
    _values + "be_in_type_list": (_COLUMN | {"type_list"}, _MAP),
    _values + "not_be_null": (_COLUMN, _MAP),
    _values + "be_null": (_COLUMN, _MAP),
    _values + "be_between": (_COLUMN, BOUNDS | _MAP),
    _values + "be_in_set": (_COLUMN | {"value_set"}, _MAP),
    _values + "not_be_in_set": (_COLUMN | {"value_set"}, _MAP),
    _values + "match_regex": (_COLUMN | {"regex"}, _MAP),
    _values + "not_match_regex": (_COLUMN | {"regex"}, _MAP),
    _values + "be_unique": (_COLUMN, _MAP),
    _column + "value_lengths_to_be_between": (_COLUMN, BOUNDS | _MAP),
    **{
        f"{_column}{figure}_to_be_between": (_COLUMN, BOUNDS)
        for figure in ("min", "max", "mean", "median", "sum", "stdev", "unique_value_count")
    },
    **{
        f"{_column}distinct_values_to_{relation}": (_COLUMN | {"value_set"}, frozenset())
        for relation in ("be_in_set", "contain_set", "equal_set")
    },
    "expect_compound_columns_to_be_unique": (frozenset({"column_list"}), _MAP | {"ignore_row_if"}),
    "expect_column_pair_values_a_to_be_greater_than_b": (_PAIR, _MAP | {"or_equal", "ignore_row_if"}),
    "expect_column_pair_values_to_be_equal": (_PAIR, _MAP | {"ignore_row_if"}),
}
"""The types that are compiled to one query, with the arguments that each needs and those that it may have."""

FIGURES = frozenset(
    {
        "expect_table_row_count_to_be_between",
        *(f"{_column}distinct_values_to_{relation}" for relation in ("contain_set", "equal_set")),
        *(f"{_column}{figure}_to_be_between" for figure in ("mean", "median", "sum", "stdev", "unique_value_count")),
    }
)
# The least of some rows may exceed what is asked of the least of all rows, but it cannot fall below it.
EXTREMES = {f"{_column}min_to_be_between": "max_value", f"{_column}max_to_be_between": "min_value"}

SUITE_KEYS = frozenset({"name", "id", "expectations", "meta", "notes"})
RULE_KEYS = frozenset({"type", "kwargs", "meta", "id", "severity", "notes", "description", "rendered_content"})


@dataclass(frozen=True)
class Rule:
    """One expectation.

    Attributes:
        type: its name in Great Expectations, for example ``expect_column_values_to_be_between``.
        kwargs: its arguments.
        optional: it holds only where its columns are there (``"meta": {"optional": true}`` in the suite).
    """

    type: str
    kwargs: Mapping[str, Any]
    optional: bool = False

    def __hash__(self) -> int:
        return hash((self.type, self.columns, self.optional))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values it speaks of; empty for a rule on the table."""
        several = self.kwargs.get("column_list", ())
        single = (self.kwargs.get(key) for key in ("column", "column_A", "column_B"))
        return tuple(dict.fromkeys([*(name for name in single if name), *several]))

    @property
    def column(self) -> str:
        """Its first column, or empty."""
        return next(iter(self.columns), "")

    @property
    def mostly(self) -> float:
        """The least share of rows that must obey it, in [0, 1]."""
        return float(self.kwargs.get("mostly", 1.0))

    @property
    def on_values(self) -> bool:
        """Whether it says anything about values, and not only that the column is there."""
        return bool(self.columns) and self.type != "expect_column_to_exist"

    @property
    def on_figure(self) -> bool:
        """Whether it is about one number of the whole table, so that a part of the table may break it."""
        if self.type not in ARGUMENTS:
            return "mostly" not in self.kwargs
        return self.type in FIGURES or EXTREMES.get(self.type) in self.kwargs

    @property
    def compiled(self) -> bool:
        """Whether it runs as part of one query; else it runs on Great Expectations."""
        return self.type in ARGUMENTS and not any(self.kwargs.get(key) for key in ROW_FILTERS)

    @property
    def text(self) -> str:
        """The rule in words, short enough for a table cell."""
        words = self.type.removeprefix("expect_").removeprefix("column_").replace("_", " ")
        naming = {"column", "column_A", "column_B", "column_list", *WITHOUT_EFFECT}
        arguments = ", ".join(
            f"{key.strip('_').replace('_', ' ')} {_shown(value)}"
            for key, value in self.kwargs.items()
            if key not in naming and value not in (None, False)
        )
        text = f"{words}: {arguments}" if arguments else words
        return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _shown(value: object) -> str:
    if not isinstance(value, (list, tuple)):
        return str(value)
    more = ", …" if len(value) > SHOWN_VALUES else ""
    return "{" + ", ".join(map(str, value[:SHOWN_VALUES])) + more + "}"


def read_suite(path: Path) -> tuple[Rule, ...]:
    """Read the rules of a suite as ``ExpectationSuite.to_json_dict()`` of Great Expectations 1.x writes it.

    Raises :class:`InputError` naming the file and the rule: not found, not JSON, another format, no rules, an unknown
    type or argument (near names), a missing argument, a value of the wrong kind.
    """
    where = f"schema {path}"
    try:
        suite = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"schema: there is no file {path.resolve()}.{near(path.name, beside)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: cannot be read: {error}. Make it a readable UTF-8 file.") from error
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} is not JSON ({error.msg}, column {error.colno})"
        raise InputError(f"{where}: {at}. Correct that line.") from error
    except RecursionError as error:
        raise InputError(f"{where}: it is nested far too deep for a suite of expectations.") from error
    return _rules(suite, where)


def _rules(suite: Any, where: str) -> tuple[Rule, ...]:
    expected = 'expected a Great Expectations 1.x suite, {"name": …, "expectations": [{"type": …, "kwargs": …}]}'
    if not isinstance(suite, dict):
        raise InputError(f"{where}: found a {type(suite).__name__}; {expected}")
    if "expectation_suite_name" in suite:
        raise InputError(f"{where}: this is a suite of Great Expectations 0.x; write it again with 1.x; {expected}")
    _known(suite, SUITE_KEYS, where)
    expectations = suite.get("expectations")
    if not isinstance(expectations, list):
        raise InputError(f"{where}: 'expectations' is {_kind(expectations)}; {expected}")
    if not expectations:
        raise InputError(f"{where}: the suite is empty; add at least one expectation for every model input")
    return tuple(_rule(entry, f"{where}: expectation {place}") for place, entry in enumerate(expectations, 1))


def _rule(entry: Any, where: str) -> Rule:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise InputError(f'{where} is {_kind(entry)}; expected {{"type": "expect_…", "kwargs": {{…}}}}')
    _known(entry, RULE_KEYS, where)
    kind, arguments, meta = entry["type"], entry.get("kwargs") or {}, entry.get("meta") or {}
    where = f"{where} ({kind})"
    if not isinstance(arguments, dict) or not isinstance(meta, dict):
        raise InputError(f"{where}: 'kwargs' and 'meta' must be objects")
    if kind not in ARGUMENTS and kind not in types_of_great_expectations():
        raise InputError(f"{where}: there is no such type.{near(kind, {*ARGUMENTS, *types_of_great_expectations()})}")
    given = {key: value for key, value in arguments.items() if value is not None}
    if kind in ARGUMENTS:
        _check_arguments(kind, given, where)
    return Rule(kind, given, bool(meta.get("optional")))


def _check_arguments(kind: str, given: Mapping[str, Any], where: str) -> None:
    needed, allowed = ARGUMENTS[kind]
    _known(given, needed | allowed | WITHOUT_EFFECT | ROW_FILTERS, where, "argument")
    missing = sorted(needed - set(given))
    if missing:
        raise InputError(f"{where}: the argument {missing[0]!r} is missing")
    for key in ("column", "column_A", "column_B", "regex", "type_"):
        if not isinstance(given.get(key, ""), str):
            raise InputError(f"{where}: {key!r} must be text, found {_kind(given[key])}")
    for key in ("value_set", "column_list", "column_set", "type_list"):
        if not isinstance(given.get(key, []), list):
            raise InputError(f"{where}: {key!r} must be a list, found {_kind(given[key])}")
    mostly = given.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, (int, float)) or not 0 <= mostly <= 1:
        raise InputError(f"{where}: 'mostly' must be a number from 0 to 1, found {mostly!r}")
    if kind.endswith("_between") and not {"min_value", "max_value"} & set(given):
        raise InputError(f"{where}: gives neither 'min_value' nor 'max_value', so that it allows everything")
    low, high = given.get("min_value"), given.get("max_value")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise InputError(f"{where}: 'min_value' {low} exceeds 'max_value' {high}")


def _known(found: Mapping[str, Any], known: frozenset[str], where: str, what: str = "key") -> None:
    for key in found:
        if key not in known:
            raise InputError(f"{where}: unknown {what} {key!r}.{near(key, known)}")


def _kind(value: object) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


@cache
def types_of_great_expectations() -> frozenset[str]:
    """Return the names of its built-in expectations, from its file names: importing it takes seconds."""
    package = importlib.util.find_spec("great_expectations")
    if package is None or package.origin is None:
        return frozenset()
    folder = Path(package.origin).parent / "expectations" / "core"
    return frozenset(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
