"""Suites of Great Expectations 1.x as JSON files: read as rules, and what is wrong with one is said."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mltestscore.errors import InputError, near
from mltestscore.inputs.rules import ARGUMENTS, BOUNDS, ROW_FILTERS, WITHOUT_EFFECT, Rule

EXPECTED = 'expected a Great Expectations 1.x suite, {"name": …, "expectations": [{"type": …, "kwargs": …}]}'
SUITE_KEYS = frozenset({"name", "id", "expectations", "meta", "notes"})
RULE_KEYS = frozenset(
    {"type", "kwargs", "meta", "id", "severity", "notes", "description", "rendered_content", "windows"}
)
TEXTS = ("column", "column_A", "column_B", "regex", "type_", "like_pattern", "escape", "condition_parser")
NUMBERS = ("value", "sum_total", "column_index")
CHOICES = {
    "match_on": ("any", "all"),
    "ignore_row_if": (
        *("both_values_are_missing", "either_value_is_missing", "neither"),
        *("all_values_are_missing", "any_value_is_missing", "never"),
    ),
}


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
        first = " Write one, or have a first one inferred from the training data with `mltestscore init`."
        raise InputError(f"schema: there is no file {path.resolve()}.{near(path.name, beside)}{first}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: cannot be read: {error}. Make it a readable UTF-8 file.") from error
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} is not JSON ({error.msg}, column {error.colno})"
        raise InputError(f"{where}: {at}. Correct that line.") from error
    except RecursionError as error:
        raise InputError(f"{where}: it is nested far too deep for a suite of expectations; {EXPECTED}") from error
    return _rules(suite, where)


def _rules(suite: Any, where: str) -> tuple[Rule, ...]:
    if not isinstance(suite, dict):
        raise InputError(f"{where}: found a {type(suite).__name__}; {EXPECTED}")
    if "expectation_suite_name" in suite:
        raise InputError(f"{where}: this is a suite of Great Expectations 0.x; write it again with 1.x; {EXPECTED}")
    _known(suite, SUITE_KEYS, where)
    expectations = suite.get("expectations")
    if not isinstance(expectations, list):
        raise InputError(f"{where}: 'expectations' is {_kind(expectations)}; {EXPECTED}")
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
        raise InputError(f"{where}: the argument {missing[0]!r} is missing; add it")
    for key, value in given.items():
        if isinstance(value, dict) and "$PARAMETER" in value:
            asked = f"{key!r} is a suite parameter, which only a checkpoint fills in"
            raise InputError(f"{where}: {asked}; write the value that this schema means")
        _check_kind(key, value, where)
    mostly = given.get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, (int, float)) or not 0 <= mostly <= 1:
        raise InputError(f"{where}: 'mostly' must be a number from 0 to 1, found {mostly!r}")
    if "min_value" in BOUNDS & allowed and not {"min_value", "max_value"} & set(given):
        raise InputError(f"{where}: gives neither 'min_value' nor 'max_value', so that it allows everything; give one")
    low, high = given.get("min_value"), given.get("max_value")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise InputError(f"{where}: 'min_value' {low} exceeds 'max_value' {high}; correct one")


def _check_kind(key: str, value: Any, where: str) -> None:
    if key in TEXTS and not isinstance(value, str):
        raise InputError(f"{where}: {key!r} must be text, found {_kind(value)}")
    if key in LISTS:
        if not isinstance(value, list):
            raise InputError(f"{where}: {key!r} must be a list, found {_kind(value)}")
        for one in value:
            if not LISTS[key](one):
                raise InputError(f"{where}: {key!r} holds {_kind(one)}; expected {KINDS[key]}")
    if key in NUMBERS and not _is_number(value):
        raise InputError(f"{where}: {key!r} must be a number, found {_kind(value)}")
    if key in ("min_value", "max_value") and not _is_scalar(value):
        raise InputError(f"{where}: {key!r} must be a number or text, found {_kind(value)}")
    if key in CHOICES and value not in CHOICES[key]:
        raise InputError(f"{where}: {key!r} is {value!r}.{near(str(value), CHOICES[key])}")
    if key == "quantile_ranges" and not _are_quantiles(value):
        raise InputError(
            f'{where}: {key!r} must be {{"quantiles": [0.5, …], "value_ranges": [[low, high], …]}} with as many of '
            "both, quantiles from 0 to 1 and ends that are numbers or null"
        )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and value == value


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_value, value))


def _are_quantiles(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"quantiles", "value_ranges"}:
        return False
    shares, ranges = value["quantiles"], value["value_ranges"]
    if not isinstance(shares, list) or not isinstance(ranges, list) or len(shares) != len(ranges) or not shares:
        return False
    ends = all(_is_pair(one) and all(end is None or _is_number(end) for end in one) for one in ranges)
    return ends and all(_is_number(share) and 0 <= share <= 1 for share in shares)


LISTS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("column_list", "column_set", "type_list", "regex_list", "like_pattern_list"), _is_text),
    "value_set": _is_value,
    "value_pairs_set": _is_pair,
}
KINDS = dict.fromkeys(LISTS, "text") | {
    "value_set": "numbers, text, true, false or null",
    "value_pairs_set": "pairs of values",
}


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
