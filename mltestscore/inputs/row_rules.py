"""Rules that hold row by row: which rows each is about, and which of them break it, as expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from mltestscore.inputs import families
from mltestscore.inputs.families import MismatchError, comparable, family, type_family, whole
from mltestscore.inputs.patterns import like_to_regex, to_re2
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.scan import COPIES, NotCompiledError, Scan

WITH_RE2 = ("duckdb", "pyspark")  # Java knows the same classes
MOST_PAIRS = 100
MOST_TOGETHER = 20
MOST_PATTERNS = 100
VALUES, COLUMN = "expect_column_values_to_", "expect_column_"


@dataclass(frozen=True)
class Rows:
    """A rule that holds row by row.

    Attributes:
        about: which rows it is about, never missing.
        rows: how many these are.
        bad: which rows break it, never missing.
        unexpected: how many rows break it.
        none: true only if no row breaks it, where that is cheaper to find out first.
        why: why no row can obey it, if none can.
    """

    about: Any
    rows: Any
    bad: Any
    unexpected: Any
    none: Any = None
    why: str = ""


def plan(scan: Scan, rule: Rule) -> Rows:
    """Return what to count for a rule of :data:`PLANS`.

    Raises :class:`MismatchError` where the column holds what can never obey it, :class:`NotCompiledError` where only
    Great Expectations can tell.
    """
    return PLANS[rule.type](scan, rule)


def _of_known(scan: Scan, column: Any, good: Any, none: Any = None) -> Rows:
    bad = column.notnull() & ~good.fill_null(False)
    return Rows(column.notnull(), scan.known(column), bad, scan.count(bad), none)


def _of_all(scan: Scan, bad: Any, unexpected: Any) -> Rows:
    import ibis

    return Rows(ibis.literal(True), scan.rows, bad, unexpected)


def _null(scan: Scan, rule: Rule) -> Rows:
    column = scan.table[rule.column]
    if rule.type == VALUES + "be_null":
        return _of_all(scan, column.notnull(), scan.known(column))
    return _of_all(scan, column.isnull(), scan.rows - scan.known(column))


def _unique(scan: Scan, rule: Rule) -> Rows:
    return _of_known(scan, scan.table[rule.column], scan.table[COPIES] == 1)


def _typed(scan: Scan, rule: Rule) -> Rows:
    import ibis

    column, names = scan.table[rule.column], rule.kwargs.get("type_list") or [rule.kwargs["type_"]]
    wanted, found = {type_family(name) for name in names} - {""}, family(column.type())
    if found == "other" or not wanted:
        raise NotCompiledError
    if found in wanted or (found == "integer" and "number" in wanted):
        return Rows(column.notnull(), scan.known(column), ibis.literal(False), ibis.literal(0))
    if found == "number" and "integer" in wanted:
        return _of_known(scan, column, whole(column))
    raise MismatchError(f"the column is {found}, expected {' or '.join(names)}")


def _between(scan: Scan, rule: Rule) -> Rows:
    column = scan.table[rule.column]
    value, low, high = comparable(column, rule.kwargs)
    # The ends of a column often stand in a file's footer; only a column that goes beyond has to be read.
    ends = within(value.min(), low, None, rule.kwargs) & within(value.max(), None, high, rule.kwargs)
    return _of_known(scan, column, within(value, low, high, rule.kwargs), ends.fill_null(True))


def within(value: Any, low: Any, high: Any, kwargs: Mapping[str, Any]) -> Any:
    """Return whether a value lies between two ends, each of which may be ``None``, as an expression."""
    import ibis

    tests = [ibis.literal(True)]
    if low is not None:
        tests.append(value > low if kwargs.get("strict_min") else value >= low)
    if high is not None:
        tests.append(value < high if kwargs.get("strict_max") else value <= high)
    return ibis.and_(*tests[1:]) if tests[1:] else tests[0]


def _length(scan: Scan, rule: Rule) -> Rows:
    column = scan.table[rule.column]
    length, kwargs = _text(column).length(), rule.kwargs
    low, high = (kwargs.get("value", kwargs.get(key)) for key in ("min_value", "max_value"))
    return _of_known(scan, column, within(length, low, high, kwargs))


def _text(column: Any) -> Any:
    """Return the column as text, where that is the same as Python's."""
    kind = column.type()
    same = kind.is_floating() and column.get_backend().name == "duckdb"
    if not same and family(kind) not in ("text", "integer"):
        raise NotCompiledError
    return column.cast("string")


def _in_set(scan: Scan, rule: Rule) -> Rows:
    column = scan.table[rule.column]
    if family(column.type()) == "other":
        raise NotCompiledError
    inside = families.inside_long(column, rule.kwargs["value_set"])
    return _of_known(scan, column, inside if rule.type == VALUES + "be_in_set" else ~inside)


def patterns_of(rule: Rule) -> list[str]:
    """Return the regular expressions of a rule, those of LIKE among them."""
    kwargs = rule.kwargs
    given = [kwargs[key] for key in ("regex", "like_pattern") if key in kwargs]
    several = [*given, *kwargs.get("regex_list", ()), *kwargs.get("like_pattern_list", ())]
    return [like_to_regex(one, kwargs.get("escape") or "") for one in several] if "like" in rule.type else several


def _matching(scan: Scan, rule: Rule) -> Rows:
    import ibis

    column, wanted = scan.table[rule.column], [to_re2(one) for one in patterns_of(rule)]
    text = _text(column)
    if None in wanted or len(wanted) > MOST_PATTERNS or text.get_backend().name not in WITH_RE2:
        raise NotCompiledError
    matches = [text.re_search(one) for one in wanted]
    together = ibis.and_ if rule.kwargs.get("match_on") == "all" else ibis.or_
    good = together(*matches) if matches else ibis.literal(rule.kwargs.get("match_on") == "all")
    return _of_known(scan, column, ~good if "_not_match_" in rule.type else good)


# --- rules on several columns -------------------------------------------------------------------------------------


def _of_several(scan: Scan, rule: Rule, good: Any) -> Rows:
    import ibis

    missing = [scan.table[name].isnull() for name in rule.columns]
    ignored = rule.kwargs.get("ignore_row_if") or "all_values_are_missing"
    if ignored in ("never", "neither"):
        bad = ~good.fill_null(False)
        return _of_all(scan, bad, scan.count(bad))
    some = ignored in ("any_value_is_missing", "either_value_is_missing")
    about = ~(ibis.or_ if some else ibis.and_)(*missing)
    bad = about & ~good.fill_null(False)
    return Rows(about, scan.count(about), bad, scan.count(bad))


def _key(scan: Scan, rule: Rule) -> Rows:
    return _of_several(scan, rule, scan.table[COPIES] == 1)


def _pair(scan: Scan, rule: Rule) -> Rows:
    import ibis

    sign = "==" if rule.type.endswith("equal") else ">=" if rule.kwargs.get("or_equal") else ">"
    left, right = (scan.table[rule.kwargs[key]] for key in ("column_A", "column_B"))
    both = families.alike(left, right)
    if both is None:
        why = f"one column is {family(left.type())}, the other {family(right.type())}"
        return replace(_of_several(scan, rule, ibis.literal(False)), why=why)
    return _of_several(scan, rule, families.compared(*both, sign))


def _pair_in_set(scan: Scan, rule: Rule) -> Rows:
    import ibis

    left, right = (scan.table[rule.kwargs[key]] for key in ("column_A", "column_B"))
    pairs = rule.kwargs["value_pairs_set"]
    if len(pairs) > MOST_PAIRS:
        raise NotCompiledError
    good = [_is(left, one) & _is(right, other) for one, other in pairs]
    return _of_several(scan, rule, ibis.or_(*good) if good else ibis.literal(False))


def _is(column: Any, value: Any) -> Any:
    return column.isnull() if value is None else families.inside(column, [value]).fill_null(False)


def _same(left: Any, right: Any) -> Any:
    """Return whether two columns hold the same; two missing values are the same."""
    both, missing = families.alike(left, right), left.isnull() & right.isnull()
    return missing if both is None else missing | (both[0] == both[1]).fill_null(False)


def _all_equal(scan: Scan, rule: Rule) -> Rows:
    import ibis

    first, *others = _listed(scan, rule)
    return _of_several(scan, rule, ibis.and_(*(_same(first, other) for other in others), ibis.literal(True)))


def _all_different(scan: Scan, rule: Rule) -> Rows:
    import ibis

    columns = _listed(scan, rule)
    if len(columns) > MOST_TOGETHER:
        raise NotCompiledError
    same = [_same(left, right) for left, right in combinations(columns, 2)]
    return _of_several(scan, rule, ~ibis.or_(*same, ibis.literal(False)))


def _sum(scan: Scan, rule: Rule) -> Rows:
    import ibis

    columns = _listed(scan, rule)
    kinds = {family(column.type()) for column in columns}
    if not kinds <= set(families.NUMERIC):
        why = f"the columns are {', '.join(sorted(kinds))}, of which there is no sum"
        return replace(_of_several(scan, rule, ibis.literal(False)), why=why)
    total = families.plain(columns[0])
    for column in columns[1:]:
        total += families.plain(column)
    return _of_several(scan, rule, total == rule.kwargs["sum_total"])


def _listed(scan: Scan, rule: Rule) -> Sequence[Any]:
    return [scan.table[name] for name in rule.kwargs["column_list"]]


PLANS: dict[str, Callable[[Scan, Rule], Rows]] = {
    **dict.fromkeys((VALUES + "not_be_null", VALUES + "be_null"), _null),
    **dict.fromkeys((VALUES + "be_of_type", VALUES + "be_in_type_list", COLUMN + "type_to_be"), _typed),
    **dict.fromkeys((VALUES + "be_in_set", VALUES + "not_be_in_set"), _in_set),
    **dict.fromkeys((COLUMN + "value_lengths_to_be_between", COLUMN + "value_lengths_to_equal"), _length),
    **{
        f"{VALUES}{negation}match_{pattern}{several}": _matching
        for negation in ("", "not_")
        for pattern in ("regex", "like_pattern")
        for several in ("", "_list")
    },
    VALUES + "be_unique": _unique,
    VALUES + "be_between": _between,
    **dict.fromkeys(("expect_compound_columns_to_be_unique", "expect_multicolumn_values_to_be_unique"), _key),
    **dict.fromkeys((COLUMN + "pair_values_to_be_equal", COLUMN + "pair_values_a_to_be_greater_than_b"), _pair),
    COLUMN + "pair_values_to_be_in_set": _pair_in_set,
    "expect_multicolumn_values_to_be_equal": _all_equal,
    "expect_multicolumn_sum_to_equal": _sum,
    "expect_select_column_values_to_be_unique_within_record": _all_different,
}
