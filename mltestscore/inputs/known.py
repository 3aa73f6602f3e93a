"""Rules answered from what other questions have shown of a column: no row is read twice for the same figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mltestscore.inputs import families
from mltestscore.inputs.figure_rules import asks_for_two, between_test, bounds
from mltestscore.inputs.rules import Rule

VALUES, COLUMN, BETWEEN = "expect_column_values_to_", "expect_column_", "_to_be_between"


@dataclass(frozen=True)
class Known:
    """What all rows of a column came to.

    Attributes:
        family: of its type: integer, number, boolean or text.
        rows: how many there are; missing: how many of them have no value (an empty text is one), ``None`` if not known.
        distinct: different values, as many as these at least.
        low, high: of the least and of the largest number, those between which it surely lies: none for texts, one
            where it is known.
        mean, deviation: the two numbers between which they surely lie; none without finite numbers.
        fractions: rows whose number is not whole; an infinity is not.
        values: rows by value, where all values are known; else ``None``.
    """

    family: str
    rows: int
    missing: int | None
    distinct: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    fractions: int
    values: Mapping[Any, int] | None
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @property
    def present(self) -> int | None:
        """Rows with a value."""
        return None if self.missing is None else self.rows - self.missing

    @property
    def finite(self) -> bool:
        """Whether it is known to hold no infinity; sums of its numbers cannot fail then."""
        return all(map(math.isfinite, self.low[:1] + self.high[-1:] or (math.nan,)))


def rows_that_break(rule: Rule, known: Known) -> tuple[int, int] | None:
    """Return how many rows break a rule on rows, and how many it is about; ``None`` where the figures do not tell."""
    answer = ROWS.get(rule.type)
    if answer is None or rule.kwargs.get("row_condition"):
        return None
    bad = answer(known, rule.kwargs)
    about = known.rows if rule.type in (VALUES + "not_be_null", VALUES + "be_null") else known.present
    return None if bad is None or about is None else (bad, about)


def figure_is_kept(rule: Rule, known: Known) -> bool:
    """Return whether a rule on a figure of the column is surely kept."""
    figure = FIGURES.get(rule.type)
    if figure is None or rule.kwargs.get("row_condition"):
        return False
    found = figure(known, rule.kwargs)
    return bool(found) and all(map(between_test(rule.kwargs), found))


def _within(known: Known, kwargs: Mapping[str, Any]) -> int | None:
    if known.family == "text" or not _numbers(kwargs):
        return None
    accepts = between_test(kwargs)
    return 0 if not known.present or all(map(accepts, known.low[:1] + known.high[-1:])) else None


def _numbers(kwargs: Mapping[str, Any]) -> bool:
    given = (kwargs.get("min_value"), kwargs.get("max_value"))
    return all(isinstance(bound, (int, float)) for bound in given if bound is not None)


def _of_values(known: Known, bad: Callable[[Any], bool]) -> int | None:
    return None if known.values is None else sum(rows for value, rows in known.values.items() if bad(value))


def _outside(known: Known, kwargs: Mapping[str, Any]) -> int | None:
    inside = frozenset(families.members_of(known.family, kwargs["value_set"]))
    return _of_values(known, lambda value: value not in inside)


def _inside(known: Known, kwargs: Mapping[str, Any]) -> int | None:
    inside = frozenset(families.members_of(known.family, kwargs["value_set"]))
    return _of_values(known, lambda value: value in inside)


def _length(known: Known, kwargs: Mapping[str, Any]) -> int | None:
    accepts = between_test(bounds(kwargs))
    return _of_values(known, lambda value: not accepts(len(value))) if known.family == "text" else None


def _typed(known: Known, kwargs: Mapping[str, Any]) -> int | None:
    names = kwargs.get("type_list") or [kwargs["type_"]]
    wanted = {families.type_family(name) for name in names}
    if known.family in wanted or (known.family == "integer" and "number" in wanted):
        return 0
    return known.fractions if known.family == "number" and "integer" in wanted else None


def _distinct(known: Known, kwargs: Mapping[str, Any]) -> tuple[float, ...]:
    if known.values is not None:
        return (len(known.values),)
    return (min(2, known.distinct),) if asks_for_two(kwargs) else ()


def _unique_share(known: Known, _: Mapping[str, Any]) -> tuple[float, ...]:
    return (len(known.values) / known.present,) if known.values and known.present else ()


def _present_share(known: Known, _: Mapping[str, Any]) -> tuple[float, ...]:
    present = known.present
    return () if present is None else (present / max(1, known.rows),)


def _number(name: str) -> Callable[[Known, Mapping[str, Any]], tuple[float, ...]]:
    def figure(known: Known, kwargs: Mapping[str, Any]) -> tuple[float, ...]:
        found: tuple[float, ...] = getattr(known, name) if known.family != "text" and _numbers(kwargs) else ()
        return found

    return figure


ROWS: dict[str, Callable[[Known, Mapping[str, Any]], int | None]] = {
    VALUES + "not_be_null": lambda known, _: known.missing,
    VALUES + "be_null": lambda known, _: known.present,
    VALUES + "be_between": _within,
    VALUES + "be_in_set": _outside,
    VALUES + "not_be_in_set": _inside,
    **dict.fromkeys((VALUES + "be_of_type", VALUES + "be_in_type_list", COLUMN + "type_to_be"), _typed),
    **dict.fromkeys((COLUMN + "value_lengths_to_be_between", COLUMN + "value_lengths_to_equal"), _length),
}
FIGURES: dict[str, Callable[[Known, Mapping[str, Any]], tuple[float, ...]]] = {
    COLUMN + "unique_value_count" + BETWEEN: _distinct,
    COLUMN + "proportion_of_unique_values" + BETWEEN: _unique_share,
    COLUMN + "proportion_of_non_null_values" + BETWEEN: _present_share,
    COLUMN + "min" + BETWEEN: _number("low"),
    COLUMN + "max" + BETWEEN: _number("high"),
    COLUMN + "mean" + BETWEEN: _number("mean"),
    COLUMN + "stdev" + BETWEEN: _number("deviation"),
}
