"""Rules as one query: every core expectation becomes a few aggregates, and all of a dataset run together.

The semantics are those of Great Expectations on pandas: rules on values ignore missing values, and NaN is one. On one
point we differ: a type means its family (``int64`` and ``Int64`` are integers, ``float32`` and ``float64`` numbers;
whole numbers that became floating because some are missing stay integers), so that a CSV round trip breaks no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mltestscore.inputs.clusters import clustered_share
from mltestscore.inputs.families import MismatchError, comparable, family, members, type_family, whole
from mltestscore.inputs.patterns import to_re2
from mltestscore.inputs.rules import Rule

if TYPE_CHECKING:
    import ibis

EXAMPLES = 3
AT_ONCE = 100
COUNT = "mltestscore_count_"


@dataclass(frozen=True)
class Rows:
    """A rule that holds row by row: which rows it is about, which obey it; ``number`` names the count of the former."""

    number: str
    about: Any
    good: Any


@dataclass(frozen=True)
class Figure:
    """A rule on one number of the whole table, with what it should be, in words, and the test."""

    name: str
    value: Any
    accepts: Callable[[Any], bool]


@dataclass(frozen=True)
class Outcome:
    """How a table did on a rule: ``unexpected`` of the ``rows`` that it is about broke it."""

    broken: bool
    unexpected: int = 0
    rows: int = 0
    examples: tuple[Any, ...] = ()
    message: str = ""
    design_effect: float = 1.0


Plan = Rows | Figure | Outcome


def can_compile(rule: Rule) -> bool:
    """Whether :func:`measure` takes the rule; a regular expression may be beyond the database."""
    return rule.compiled and ("regex" not in rule.kwargs or to_re2(rule.kwargs["regex"]) is not None)


def measure(table: ibis.Table, rules: Sequence[Rule], *, examples: int = EXAMPLES, cluster: str = "") -> list[Outcome]:
    """Return the outcome of every rule, in order; one query and, where ``examples`` are wanted, small ones for each
    broken rule: those and, for a share of clustered rows, the design effect.

    Beyond 100 rules, one query a hundred: the time to compile a query grows faster than its size. Every rule must be
    one that :func:`can_compile` accepts, and its columns must be there.
    """
    parts = [rules[start : start + AT_ONCE] for start in range(0, len(rules), AT_ONCE)]
    return [outcome for part in parts for outcome in _measure(table, part, examples, cluster)]


def _measure(table: ibis.Table, rules: Sequence[Rule], examples: int, cluster: str) -> list[Outcome]:
    base = table.mutate(**{f"{COUNT}{place}": window for place, window in _windows(table, rules)})
    planned: list[Plan | MismatchError] = []
    aggregates: dict[str, Any] = {"rows": base.count()}
    for place, rule in enumerate(rules):
        try:
            plan = _plan(base, rule, place)
        except MismatchError as error:
            planned.append(error)
            aggregates[_present(rule)] = base[rule.column].count()
            continue
        planned.append(plan)
        if isinstance(plan, Rows):
            aggregates.setdefault(plan.number, base.count(where=plan.about))
            aggregates[f"g{place}"] = base.count(where=plan.about & plan.good)
        elif isinstance(plan, Figure):
            aggregates[f"v{place}"] = plan.value
    found = base.aggregate(**aggregates).to_pyarrow().to_pylist()[0]
    both = zip(rules, planned, strict=True)
    outcomes = [_outcome(rule, plan, place, found) for place, (rule, plan) in enumerate(both)]
    if not examples:
        return outcomes
    if cluster:
        outcomes = [_clustered(base, *one, cluster) for one in zip(rules, planned, outcomes, strict=True)]
    return [_shown(base, *one, examples) for one in zip(rules, planned, outcomes, strict=True)]


def _present(rule: Rule) -> str:
    return f"present {rule.column}"


def _bad(plan: Rows) -> Any:
    return plan.about & ~plan.good.fill_null(False)


def _windows(table: ibis.Table, rules: Sequence[Rule]) -> list[tuple[int, Any]]:
    import ibis

    return [
        (place, ibis._.count().over(group_by=list(rule.columns)))
        for place, rule in enumerate(rules)
        if rule.type.endswith("_to_be_unique")
    ]


def _outcome(rule: Rule, plan: Plan | MismatchError, place: int, found: Mapping[str, Any]) -> Outcome:
    if isinstance(plan, Outcome):
        return plan
    if isinstance(plan, MismatchError):
        about = found[_present(rule)]
        return Outcome(about > 0, about, about, message=str(plan))
    if isinstance(plan, Figure):
        value = found[f"v{place}"]
        return Outcome(not plan.accepts(value), 0, found["rows"], message=f"{plan.name} is {_rounded(value)}")
    about, bad = found[plan.number], found[plan.number] - found[f"g{place}"]
    if about == 0 or (about - bad) / about >= rule.mostly:
        return Outcome(False, bad, about)
    return Outcome(True, bad, about, message=f"{bad:,} of {about:,} rows break it")


def _shown(base: Any, rule: Rule, plan: Plan | MismatchError, outcome: Outcome, examples: int) -> Outcome:
    """Add offending values to a rule that rows break; of several columns, tuples."""
    if not outcome.broken or not isinstance(plan, Rows):
        return outcome
    rows = base.filter(_bad(plan)).select(*rule.columns).limit(examples).to_pyarrow().to_pylist()
    values = (tuple(row.values()) for row in rows)
    return replace(outcome, examples=tuple(value[0] if len(value) == 1 else value for value in values))


def _clustered(base: Any, rule: Rule, plan: Plan | MismatchError, outcome: Outcome, cluster: str) -> Outcome:
    """Add the design effect where a share of the rows, and not any of them, decides whether the rule is broken."""
    if outcome.broken and isinstance(plan, Rows) and 0 < rule.mostly < 1:
        about = base.filter(plan.about)
        return replace(outcome, design_effect=clustered_share(about, _bad(plan), about[cluster]))
    return outcome


def _rounded(value: Any) -> str:
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _plan(base: Any, rule: Rule, place: int) -> Plan:
    kind, kwargs = rule.type, rule.kwargs
    if kind == "expect_column_to_exist":
        place, wanted = base.columns.index(rule.column), kwargs.get("column_index")
        return Outcome(broken=bool(wanted) and wanted != place, message=f"it is column {place}, counted from 0")
    if kind == "expect_table_columns_to_match_set":
        return _column_set(set(kwargs["column_set"]), base, kwargs.get("exact_match", True))
    if kind == "expect_table_row_count_to_be_between":
        return Figure("the number of rows", base.count(), _between_test(kwargs))
    if kind.startswith(("expect_column_pair", "expect_compound")):
        return _several(base, rule, place)
    column = base[rule.column]
    if kind.startswith("expect_column_values_to_") or kind == "expect_column_value_lengths_to_be_between":
        return _values(base, column, rule, place)
    if kind.startswith("expect_column_distinct_values_to_"):
        return _distinct(column, rule)
    return _figure(column, rule)


def _column_set(wanted: set[str], base: Any, exactly: bool) -> Outcome:
    has = {name for name in base.columns if not name.startswith(COUNT)}
    different = sorted((wanted ^ has) if exactly else (wanted - has))
    return Outcome(broken=bool(different), message=f"columns that differ: {', '.join(different[:20])}")


def _several(base: Any, rule: Rule, place: int) -> Rows:
    import ibis

    columns = [base[name] for name in rule.columns]
    missing = [column.isnull() for column in columns]
    ignored = {"never": ibis.literal(False), "neither": ibis.literal(False)}
    ignored["any_value_is_missing"] = ignored["either_value_is_missing"] = ibis.or_(*missing)
    everything = ibis.and_(*missing)
    about = ~ignored.get(rule.kwargs.get("ignore_row_if", ""), everything)
    if rule.type == "expect_compound_columns_to_be_unique":
        return Rows(f"about {place}", about, base[f"{COUNT}{place}"] == 1)
    left, right = base[rule.kwargs["column_A"]], base[rule.kwargs["column_B"]]
    if not left.type().is_numeric() == right.type().is_numeric():
        raise MismatchError(f"one column is {family(left.type())}, the other {family(right.type())}")
    if rule.type == "expect_column_pair_values_to_be_equal":
        return Rows(f"about {place}", about, left == right)
    return Rows(f"about {place}", about, left >= right if rule.kwargs.get("or_equal") else left > right)


def _values(base: Any, column: Any, rule: Rule, place: int) -> Rows:
    import ibis

    kind, kwargs, everything = rule.type.removeprefix("expect_column_values_to_"), rule.kwargs, ibis.literal(True)
    present, number = column.notnull(), _present(rule)
    if kind == "not_be_null":
        return Rows("rows", everything, present)
    if kind == "be_null":
        return Rows("rows", everything, ~present)
    if kind == "be_unique":
        return Rows(number, present, base[f"{COUNT}{place}"] == 1)
    if kind in ("be_of_type", "be_in_type_list"):
        return Rows(number, present, _of_type(column, kwargs.get("type_list") or [kwargs["type_"]]))
    if kind in ("be_in_set", "not_be_in_set"):
        inside = _inside(column, kwargs["value_set"])
        return Rows(number, present, inside if kind == "be_in_set" else ~inside)
    if kind in ("match_regex", "not_match_regex"):
        matches = column.cast("string").re_search(to_re2(kwargs["regex"]))
        return Rows(number, present, matches if kind == "match_regex" else ~matches)
    if kind == "be_between":
        return Rows(number, present, _between(*comparable(column, kwargs), kwargs))
    length = column.cast("string").length()
    return Rows(number, present, _between(length, kwargs.get("min_value"), kwargs.get("max_value"), kwargs))


def _of_type(column: Any, names: Sequence[str]) -> Any:
    import ibis

    wanted, found = {type_family(name) for name in names}, family(column.type())
    if found in wanted or (found == "integer" and "number" in wanted):
        return ibis.literal(True)
    if found == "number" and "integer" in wanted:
        return whole(column)
    raise MismatchError(f"the column is {found}, expected {' or '.join(names)}")


def _between(value: Any, low: Any, high: Any, kwargs: Mapping[str, Any]) -> Any:
    import ibis

    tests = []
    if low is not None:
        tests.append(value > low if kwargs.get("strict_min") else value >= low)
    if high is not None:
        tests.append(value < high if kwargs.get("strict_max") else value <= high)
    return ibis.and_(*tests)


def _inside(column: Any, values: Sequence[Any]) -> Any:
    import ibis

    known = members(column, values)
    value = column.cast("int64") if column.type().is_boolean() else column
    return value.isin([int(one) if isinstance(one, bool) else one for one in known]) if known else ibis.literal(False)


def _distinct(column: Any, rule: Rule) -> Figure:
    values, relation = rule.kwargs["value_set"], rule.type.removeprefix("expect_column_distinct_values_to_")
    inside = _inside(column, values)
    surplus, present = column.nunique(where=~inside).coalesce(0), column.nunique(where=inside).coalesce(0)
    missing = len(set(values)) - present
    if relation == "be_in_set":
        return Figure("the number of other distinct values", surplus, lambda found: found == 0)
    if relation == "contain_set":
        return Figure("the number of values that never occur", missing, lambda found: found == 0)
    return Figure("the number of other or absent distinct values", surplus + missing, lambda found: found == 0)


def _figure(column: Any, rule: Rule) -> Figure:
    name = rule.type.removeprefix("expect_column_").removesuffix("_to_be_between")
    if name == "unique_value_count":
        return Figure(
            "the number of distinct values", _distinct_values(column, rule.kwargs), _between_test(rule.kwargs)
        )
    value, low, high = comparable(column, rule.kwargs)
    if name not in ("min", "max") and not value.type().is_numeric():
        raise MismatchError(f"the column is {family(column.type())} and has no {name}")
    figure = _deviation(value) if name == "stdev" else getattr(value, name)()
    if name == "sum":
        figure = figure.coalesce(0)
    return Figure(f"the {name}", figure, _between_test({**rule.kwargs, "min_value": low, "max_value": high}))


def _distinct_values(column: Any, kwargs: Mapping[str, Any]) -> Any:
    """Return the number of distinct values; only 0, 1 and 2 for more are told apart where the rule asks no more."""
    import ibis

    low, asked = kwargs.get("min_value"), {key for key in kwargs if key.startswith(("max", "strict"))}
    ordered = family(column.type()) in ("integer", "number", "text", "time")
    if asked or not isinstance(low, (int, float)) or low > 2 or not ordered:
        return column.nunique()
    # To count the values of a measurement costs more than all other rules together.
    return ibis.ifelse(column.count() > 0, 1, 0) + ibis.ifelse(column.max() > column.min(), 1, 0)


def _deviation(value: Any) -> Any:
    import ibis

    if not value.type().is_floating():
        return value.std(how="sample")
    # DuckDB refuses the deviation of a column with an infinity; it has none.
    return ibis.ifelse(value.isinf().any(), ibis.null("float64"), value.std(how="sample", where=~value.isinf()))


def _between_test(kwargs: Mapping[str, Any]) -> Callable[[Any], bool]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")

    def accepts(value: Any) -> bool:
        if value is None or value != value:
            return False
        above = low is None or (value > low if kwargs.get("strict_min") else value >= low)
        return bool(above and (high is None or (value < high if kwargs.get("strict_max") else value <= high)))

    return accepts
