"""Rules on figures of a whole table or column, and on the table's shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mltestscore.inputs import families
from mltestscore.inputs.families import MismatchError, comparable, family
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.scan import COPIES, MOST, PLACE, ROWS, NotCompiledError, Scan

# Quantiles count as in range where they are as close as this to an end, relatively and absolutely, as there.
CLOSE = (1e-4, 1e-8)
COLUMN, TABLE = "expect_column_", "expect_table_"
SHAPES = (COLUMN + "to_exist", *(f"{TABLE}columns_to_match_{how}" for how in ("set", "ordered_list")))
SHAPES += (TABLE + "column_count_to_be_between", TABLE + "column_count_to_equal")
INTERPOLATIONS = ("nearest", "linear", "lower", "higher", "midpoint")


@dataclass(frozen=True)
class Figure:
    """A rule on numbers of the whole table.

    Attributes:
        name: what the first number is, in words.
        values: the numbers, as expressions.
        accepts: whether the numbers found are what the rule asks for.
    """

    name: str
    values: tuple[Any, ...]
    accepts: Callable[..., bool]


@dataclass(frozen=True)
class Shape:
    """A rule on the table's columns: whether they are as it says, and what was found."""

    kept: bool
    message: str


def shape(columns: Sequence[str], rule: Rule) -> Shape:
    """Return how a table with these columns does on a rule of :data:`SHAPES`."""
    kind, kwargs = rule.type, rule.kwargs
    if kind == COLUMN + "to_exist":
        return _existing(columns, rule)
    if kind == TABLE + "columns_to_match_set":
        wanted, has = set(kwargs["column_set"]), set(columns)
        different = sorted(wanted ^ has if kwargs.get("exact_match", True) else wanted - has)
        return Shape(not different, f"columns that differ: {', '.join(different[:20])}")
    if kind == TABLE + "columns_to_match_ordered_list":
        return Shape(list(columns) == list(kwargs["column_list"]), f"the columns are {', '.join(columns[:20])}")
    return Shape(between_test(bounds(kwargs))(len(columns)), f"it has {len(columns)} columns")


def _existing(columns: Sequence[str], rule: Rule) -> Shape:
    wanted, place = rule.kwargs.get("column_index"), columns.index(rule.column)
    # 0 is no wish there, and a negative place counts from the end.
    kept = not wanted or (-len(columns) <= wanted < len(columns) and columns[wanted] == rule.column)
    return Shape(kept, f"it is column {place}, counted from 0")


def bounds(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments of a rule with both ends, where it has one value for both."""
    return {"min_value": kwargs["value"], "max_value": kwargs["value"]} if "value" in kwargs else kwargs


def plan(scan: Scan, rule: Rule) -> Figure:
    """Return what to ask for a rule on a figure.

    Raises :class:`MismatchError` where the column has no such figure, :class:`NotCompiledError` where only Great
    Expectations can tell.
    """
    if rule.type.startswith(TABLE + "row_count"):
        return Figure("the number of rows", (scan.rows,), between_test(bounds(rule.kwargs)))
    name = rule.type.removeprefix(COLUMN).removesuffix("_to_be_between")
    column = scan.table[rule.column]
    if name == "proportion_of_non_null_values":
        # Halves of nothing are no number; there they are 0.
        share = scan.known(column).cast("float64") / scan.rows.nullif(0)
        return Figure("the share of rows with a value", (share.coalesce(0.0),), between_test(rule.kwargs))
    if family(column.type()) == "other":
        raise NotCompiledError
    return FIGURES.get(name, _moment)(scan, column, rule, name)


def _counted(scan: Scan, column: Any, rule: Rule, name: str) -> Figure:
    if name == "unique_value_count":
        values = _distinct_values(column, rule.kwargs)
        return Figure("the number of distinct values", (values,), between_test(rule.kwargs))
    share = (column.nunique().cast("float64") / scan.known(column).nullif(0)).coalesce(0.0)
    return Figure("the number of distinct values per row", (share,), between_test(rule.kwargs))


def _distinct_values(column: Any, kwargs: Mapping[str, Any]) -> Any:
    """Return the number of distinct values; only 0, 1 and 2 for more are told apart where the rule asks no more."""
    import ibis

    if not asks_for_two(kwargs) or family(column.type()) == "boolean":
        return column.nunique()
    # To count the values of a measurement costs more than all other rules together.
    return ibis.ifelse(column.count() > 0, 1, 0) + ibis.ifelse(column.max() > column.min(), 1, 0)


def asks_for_two(kwargs: Mapping[str, Any]) -> bool:
    """Whether a rule on the number of distinct values asks for two of them at most."""
    low, asked = kwargs.get("min_value"), {key for key in kwargs if key.startswith(("max", "strict"))}
    return not asked and isinstance(low, (int, float)) and low <= 2


def _distinct(_: Scan, column: Any, rule: Rule, name: str) -> Figure:
    values, relation = rule.kwargs["value_set"], name.removeprefix("distinct_values_to_")
    inside = families.inside_long(column, values)
    surplus, present = column.nunique(where=~inside).coalesce(0), column.nunique(where=inside).coalesce(0)
    wanted = families.members(column, values) if family(column.type()) == "time" else values
    missing = len(set(wanted)) - present
    if relation == "be_in_set":
        return Figure("the number of other distinct values", (surplus,), lambda found: bool(found == 0))
    if relation == "contain_set":
        return Figure("the number of values that never occur", (missing,), lambda found: bool(found == 0))
    both = "the number of other or absent distinct values"
    return Figure(both, (surplus + missing,), lambda found: bool(found == 0))


def _moment(scan: Scan, column: Any, rule: Rule, name: str) -> Figure:
    value, low, high = comparable(column, rule.kwargs)
    if name not in ("min", "max") and not value.type().is_numeric():
        raise MismatchError(f"the column is {family(column.type())} and has no {name}")
    figure = _deviation(value, rule.column in scan.finite) if name == "stdev" else getattr(value, name)()
    if name == "sum":
        figure = figure.coalesce(0)
    return Figure(f"the {name}", (figure,), between_test({**rule.kwargs, "min_value": low, "max_value": high}))


def _deviation(value: Any, finite: bool) -> Any:
    import ibis

    if finite or not value.type().is_floating():
        return value.std(how="sample")
    # DuckDB refuses the deviation of a column with an infinity; it has none.
    return ibis.ifelse(value.isinf().any(), ibis.null("float64"), value.std(how="sample", where=~value.isinf()))


def _most_common(scan: Scan, column: Any, rule: Rule, _: str) -> Figure:
    """Ask how many of the most frequent values are in the set, and how many there are."""
    inside, top = families.inside_long(column, rule.kwargs["value_set"]), scan.table[COPIES] == scan.table[MOST]
    values = scan.table.count(where=top & inside), scan.table.count(where=top)
    okay = bool(rule.kwargs.get("ties_okay"))
    name = "the number of most frequent values that the set holds"
    return Figure(name, values, lambda held, there: held > 0 if okay else held == there == 1)


def _quantiles(scan: Scan, column: Any, rule: Rule, _: str) -> Figure:
    """Ask for the two values beside each quantile, which the sorted values hold at known places."""
    if family(column.type()) == "text":
        raise MismatchError("the column is text and has no quantiles")
    if family(column.type()) not in ("integer", "number"):
        raise NotCompiledError
    wanted, how = rule.kwargs["quantile_ranges"], rule.kwargs.get("allow_relative_error") or "nearest"
    if how not in INTERPOLATIONS:
        raise NotCompiledError
    # NumPy takes percentages, in which a share need not come back as the same float.
    places = [(scan.table[ROWS] - 1).cast("float64") * (share * 100 / 100) for share in wanted["quantiles"]]
    ends = [(place.floor(), place.ceil()) for place in places]
    beside = [column.max(where=scan.table[PLACE] == end) for both in ends for end in both]
    values = scan.table.count(), *beside
    return Figure("the number of values", values, _quantile_test(wanted["quantiles"], wanted["value_ranges"], how))


def _quantile_test(shares: Sequence[float], ranges: Sequence[Sequence[Any]], how: str) -> Callable[..., bool]:
    def accepts(n: int, *beside: Any) -> bool:
        if not n:
            return False
        sides = zip(beside[::2], beside[1::2], strict=True)
        found = (
            _interpolated(float(low), float(high), (n - 1) * (share * 100 / 100), how)
            for (low, high), share in zip(sides, shares, strict=True)
        )
        return all(_in_range(value, *ends) for value, ends in zip(found, ranges, strict=True))

    return accepts


def _interpolated(low: float, high: float, place: float, how: str) -> float:
    part = place - math.floor(place)
    if how == "linear":
        return low + (high - low) * part
    if how == "midpoint":
        return low if not part else (low + high) / 2
    if how == "nearest":  # halves to the even place
        return low if round(place) == math.floor(place) else high
    return low if how == "lower" else high


def _in_range(value: float, low: float | None, high: float | None) -> bool:
    ends = [end for end in (low, high) if end is not None]
    close = any(math.isfinite(value) and abs(value - end) <= CLOSE[1] + CLOSE[0] * abs(end) for end in ends)
    return close or (value == value and (low is None or value >= low) and (high is None or value <= high))


def between_test(kwargs: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Return whether a number lies between the ends of a rule; a missing one does not."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")

    def accepts(value: Any) -> bool:
        if value is None or value != value:
            return False
        above = low is None or (value > low if kwargs.get("strict_min") else value >= low)
        return bool(above and (high is None or (value < high if kwargs.get("strict_max") else value <= high)))

    return accepts


Planner = Callable[[Scan, Any, Rule, str], Figure]
FIGURES: dict[str, Planner] = {
    "unique_value_count": _counted,
    "proportion_of_unique_values": _counted,
    "most_common_value_to_be_in_set": _most_common,
    "quantile_values": _quantiles,
    **{f"distinct_values_to_{relation}": _distinct for relation in ("be_in_set", "contain_set", "equal_set")},
}
