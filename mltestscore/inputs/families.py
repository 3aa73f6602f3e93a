"""Families of column types, so that int32, Int64 and BIGINT, or str, object and category, mean the same to a rule."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

FAMILIES = {
    "integer": {"int", "integer", "long", "bigint", "smallint", "tinyint", "hugeint", "int_", "intp"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "number": {"float", "double", "real", "decimal", "numeric", "number", "float_", "float16", "float32", "float64"},
    "text": {"str", "string", "object", "object_", "o", "category", "varchar", "text", "char", "str_", "stringdtype"},
    "boolean": {"bool", "boolean", "bool_"},
    "time": {"datetime", "datetime64", "datetime64[ns]", "datetime64[us]", "timestamp", "date", "datetimetzdtype"},
}
SMALL = 2.0**53
MANY, SEPARATOR = 17, "\x1f"
NUMERIC = ("integer", "number", "boolean")
COMPARISONS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt}
COMPARISONS |= {">=": operator.ge}


class MismatchError(Exception):
    """The column's type cannot be compared with what the rule says; the message says why."""


def family(kind: Any) -> str:
    """Return the family of an Ibis type: integer, number, text, boolean, time or other."""
    for name, holds in (
        ("boolean", kind.is_boolean()),
        ("integer", kind.is_integer()),
        ("number", kind.is_numeric()),
        ("text", kind.is_string()),
        ("time", kind.is_timestamp() or kind.is_date()),
    ):
        if holds:
            return name
    return "other"


def type_family(name: str) -> str:
    """Return the family that a type name of a rule means; empty when it is not known."""
    plain = name.strip().lower()
    return next((family for family, names in FAMILIES.items() if plain in names), "")


def comparable(column: Any, kwargs: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the column and its bounds, ``None`` where there is none, as the database compares them.

    Raises :class:`MismatchError` for text against numbers and the like, and for a bound of a time that is no time.
    """
    bounds = [kwargs.get("min_value"), kwargs.get("max_value")]
    kind, given = family(column.type()), [bound for bound in bounds if bound is not None]
    if kind == "time" and all(isinstance(bound, str) for bound in given):
        low, high = (None if bound is None else _instant(bound) for bound in bounds)
        return plain(column), low, high
    if kind == "text" and all(isinstance(bound, str) for bound in given):
        return column, *bounds
    if kind in NUMERIC and not any(isinstance(bound, str) for bound in given):
        return plain(column), *map(_storable, bounds)
    raise MismatchError(f"the column is {kind} and cannot be compared with {given[0]!r}")


def _instant(text: str) -> Any:
    import pandas as pd

    try:
        moment = pd.Timestamp(text)
    except ValueError as error:
        raise MismatchError(f"{text!r} is not a time") from error
    return (moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment).to_pydatetime()


def whole(column: Any) -> Any:
    """Return whether each number is whole; infinities are not, and from 2⁵³ on all others are.

    The database makes a 64-bit integer of a floor: one infinity would end the query, and with it the check.
    """
    import ibis

    if column.type().is_decimal():  # the floor of -0.5 does not fit a DECIMAL(1, 1), and DuckDB would make it one
        column = column.cast("float64")
    size = column.abs()
    small = size < SMALL
    return (small & (column == ibis.ifelse(small, column, 0.0).floor())) | (~small & (size < float("inf")))


def members(column: Any, values: Sequence[Any]) -> list[Any]:
    """Return the values that a column of this family can hold at all.

    Raises :class:`MismatchError` for a text that is no time, in a column of times.
    """
    return members_of(family(column.type()), values)


def members_of(kind: str, values: Sequence[Any]) -> list[Any]:
    """Return what :func:`members` does for a column of this family."""
    if kind == "text":
        return [value for value in values if isinstance(value, str)]
    if kind == "time":
        return [_instant(value) for value in values if isinstance(value, str)]
    return [_storable(value) for value in values if isinstance(value, (int, float)) and value == value]


def inside(column: Any, values: Sequence[Any]) -> Any:
    """Return whether each value of a column is one of ``values``; a truth value is 0 or 1."""
    import ibis

    known = list(dict.fromkeys(members(column, values)))
    return plain(column).isin(known) if known else ibis.ifelse(column.notnull(), False, ibis.null("boolean"))


def inside_long(column: Any, values: Sequence[Any]) -> Any:
    """Return what :func:`inside` does, for many values that are counted and not filtered by.

    On DuckDB, texts go into one literal: Ibis would make, check and translate an expression for each of them, which
    takes longer than most scans.
    """
    import ibis

    known = list(dict.fromkeys(members(column, values)))
    together = SEPARATOR.join(known) if family(column.type()) == "text" else ""
    apart = len(known) >= MANY and together.count(SEPARATOR) == len(known) - 1
    if not apart or column.get_backend().name != "duckdb":
        return inside(column, values)
    return ibis.literal(together).split(SEPARATOR).contains(column)


def plain(column: Any) -> Any:
    """Return truth values as 0 and 1, dates and zoned times as times in UTC, and other columns as they are."""
    kind = column.type()
    return column.cast("int64") if kind.is_boolean() else column.cast("timestamp") if family(kind) == "time" else column


def alike(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return two columns as the database compares them, or ``None`` where they hold different things."""
    kinds = {"number" if kind in NUMERIC else kind for kind in (family(left.type()), family(right.type()))}
    return (plain(left), plain(right)) if len(kinds) == 1 and kinds != {"other"} else None


def with_value(column: Any, value: Any) -> tuple[Any, Any] | None:
    """Return a column and a value as the database compares them, or ``None`` where it cannot hold such a value.

    Raises :class:`MismatchError` for a text that is no time, in a column of times.
    """
    known = members(column, [value])
    return (plain(column), known[0]) if known else None


def compared(left: Any, right: Any, sign: str) -> Any:
    """Return a comparison by the sign for it: ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""
    return COMPARISONS[sign](left, right)


def _storable(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    # Beyond 64 bits the database has no literal of an integer.
    return float(value) if isinstance(value, int) and abs(value) >= 2**63 else value
