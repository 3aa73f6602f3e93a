"""Rules as few queries: every core expectation that a database can answer becomes aggregates that run together.

Rules on the rows as they are share one query; those on distinct values share one a column, because to compare each
row with a long list costs more than to count the different values; each row condition has queries of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mltestscore.inputs import figure_rules, row_rules, scan
from mltestscore.inputs.clusters import clustered_share
from mltestscore.inputs.condition_texts import parse
from mltestscore.inputs.families import MismatchError
from mltestscore.inputs.figure_rules import Figure
from mltestscore.inputs.known import Known, figure_is_kept, rows_that_break
from mltestscore.inputs.patterns import to_re2
from mltestscore.inputs.row_rules import Rows
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.scan import NotCompiledError, Scan

if TYPE_CHECKING:
    import ibis

EXAMPLES = 3
AT_ONCE = 100
LONG_SET = 16  # values; to compare with more costs more than to group
WORTH_GROUPING = 20_000_000  # comparisons, at 1.4 ns each; below, the time to compile one more query is longer
KEYS = ("expect_compound_columns_to_be_unique", "expect_multicolumn_values_to_be_unique")


@dataclass(frozen=True)
class Outcome:
    """How a table did on a rule: ``unexpected`` of the ``rows`` that it is about broke it."""

    broken: bool
    unexpected: int = 0
    rows: int = 0
    examples: tuple[Any, ...] = ()
    message: str = ""
    design_effect: float = 1.0


Plan = Rows | Figure | MismatchError | None
Source = tuple[str, tuple[str, ...]]


def can_compile(rule: Rule) -> bool:
    """Whether :func:`measure` takes the rule; it may yet leave it, for the sake of the columns' types."""
    return rule.compiled and all(to_re2(pattern) is not None for pattern in row_rules.patterns_of(rule))


def measure(
    table: ibis.Table,
    rules: Sequence[Rule],
    *,
    examples: int = EXAMPLES,
    cluster: str = "",
    rows: float = math.inf,
    part: Callable[[Sequence[str]], Any] | None = None,
    known: Mapping[str, Known] | None = None,
) -> list[Outcome | None]:
    """Return the outcome of every rule, in order; ``None`` for a rule that only Great Expectations can judge.

    Where ``examples`` are wanted, there are small queries for each broken rule: those and, for a share of clustered
    rows, the design effect. Beyond 100 rules, one query a hundred: the time to compile a query grows faster than its
    size. ``rows`` says about how many the table has, so that a small one takes few queries; ``part`` returns the table
    with at least some of its columns, cheaper to ask; ``known`` is what is known of columns, by which most rules that
    are kept need no query. Every rule must be one that :func:`can_compile` accepts, and its columns must be there.
    """
    outcomes = [_known_to_be_kept(rule, (known or {}).get(rule.column)) for rule in rules]
    finite = frozenset(name for name, one in (known or {}).items() if one.finite)
    for source, places in _together(rules, rows, [place for place, found in enumerate(outcomes) if not found]):
        some = [rules[place] for place in places]
        read = [column for rule in some for column in (*rule.columns, *(rule.condition_columns or ()))]
        narrow = part if read and source[0] != "shape" else None
        about = narrow([*dict.fromkeys(filter(None, [*read, cluster]))]) if narrow else table
        for place, outcome in zip(places, _chosen(about, source, some, examples, cluster, finite), strict=True):
            outcomes[place] = outcome
    return outcomes


def measure_groups(
    table: ibis.Table, rules: Sequence[Rule], by: str, *, rows: float = math.inf
) -> dict[Any, list[Outcome | None]]:
    """Return the outcomes of :func:`measure`, without examples, apart for the rows of each value of the column ``by``.

    A rule is also ``None`` where its row condition leaves no row of a group.
    """
    outcomes: dict[Any, list[Outcome | None]] = {}
    for source, places in _together(rules, rows, range(len(rules))):
        part = [rules[place] for place in places]
        for group, found in _apart(table, source, part, by).items():
            for place, outcome in zip(places, found, strict=True):
                outcomes.setdefault(group, [None] * len(rules))[place] = outcome
    return outcomes


def _known_to_be_kept(rule: Rule, figures: Known | None) -> Outcome | None:
    """Return the outcome of a rule that is kept, where the figures tell; of a broken one, examples are wanted."""
    if figures is None:
        return None
    if (counts := rows_that_break(rule, figures)) is not None:
        outcome = _of_rows(rule, *counts)
        return None if outcome.broken else outcome
    return Outcome(False) if figure_is_kept(rule, figures) else None


def _together(rules: Sequence[Rule], rows: float, asked: Iterable[int]) -> Iterator[tuple[Source, list[int]]]:
    """Yield the places of rules, of those asked, that one query can answer: of the same row condition and source."""
    groups: dict[tuple[str, Source], list[int]] = {}
    for place in asked:
        rule = rules[place]
        condition = repr([rule.kwargs.get(key) for key in ("row_condition", "condition_parser")])
        groups.setdefault((condition, _source(rule, rows)), []).append(place)
    for (_, source), places in groups.items():
        yield from ((source, places[start : start + AT_ONCE]) for start in range(0, len(places), AT_ONCE))


def _source(rule: Rule, rows: float) -> Source:
    """Return what a rule is counted on: rows, values with their numbers, or values in order; and of which columns."""
    if rule.type in figure_rules.SHAPES:
        return "shape", ()
    if rule.type.endswith("_values_to_be_unique") or rule.type in KEYS:
        return "values", tuple(rule.kwargs.get("column_list") or rule.columns)
    if rule.type.endswith("most_common_value_to_be_in_set"):
        return "frequency", rule.columns
    if rule.type.endswith("quantile_values_to_be_between"):
        return "order", rule.columns
    values = len(rule.kwargs.get("value_set", ()))
    if values > LONG_SET and values * rows > WORTH_GROUPING:
        return "values", rule.columns
    return "rows", ()


def _scan(table: Any, source: Source, by: str = "", finite: frozenset[str] = frozenset()) -> Scan:
    kind, columns = source
    if kind == "values":
        return scan.values_of(table, columns, by)
    if kind == "frequency":
        return scan.by_frequency(table, columns[0], by)
    return scan.sorted_values(table, columns[0], by) if kind == "order" else scan.rows_of(table, by, finite)


def _chosen(
    table: Any, source: Source, rules: Sequence[Rule], examples: int, cluster: str, finite: frozenset[str]
) -> list[Outcome | None]:
    """Measure rules that share a row condition and what they are counted on."""
    if source[0] == "shape":
        return [_shaped(table.columns, rule) for rule in rules]
    try:
        chosen = _rows(table, rules[0])
    except MismatchError as error:
        return [Outcome(True, message=f"the row condition cannot be judged: {error}") for _ in rules]
    counted = _scan(chosen, source, finite=finite)
    plans = [_plan(counted, rule) for rule in rules]
    outcomes = _judged(counted, rules, plans)[None]
    if not examples:
        return outcomes
    both = zip(rules, plans, outcomes, strict=True)
    return [_detailed(chosen, counted, source, *one, examples, cluster) for one in both]


def _apart(table: Any, source: Source, rules: Sequence[Rule], by: str) -> dict[Any, list[Outcome | None]]:
    if source[0] == "shape":
        return {}
    try:
        counted = _scan(_rows(table, rules[0]), source, by)
    except MismatchError:
        return {}
    return _judged(counted, rules, [_plan(counted, rule) for rule in rules])


def _rows(table: Any, rule: Rule) -> Any:
    condition = parse(rule.kwargs)
    return table.filter(condition.mask(table)) if condition else table


def _shaped(columns: Sequence[str], rule: Rule) -> Outcome:
    shape = figure_rules.shape(columns, rule)
    return Outcome(not shape.kept, message=shape.message)


def _plan(counted: Scan, rule: Rule) -> Plan:
    try:
        return row_rules.plan(counted, rule) if rule.type in row_rules.PLANS else figure_rules.plan(counted, rule)
    except MismatchError as error:
        return error
    except NotCompiledError:
        return None


def _judged(counted: Scan, rules: Sequence[Rule], plans: Sequence[Plan]) -> dict[Any, list[Outcome | None]]:
    asked: dict[str, Any] = {}
    for place, (rule, plan) in enumerate(zip(rules, plans, strict=True)):
        asked |= _asked(counted, rule, plan, place)
    found = counted.ask(asked) if asked else {}
    # What is beyond the ends of its column has to be counted after all.
    doubtful = {
        f"bad{place}": plan.unexpected
        for place, plan in enumerate(plans)
        if isinstance(plan, Rows) and any(group.get(f"none{place}") is False for group in found.values())
    }
    for group, answers in (counted.ask(doubtful) if doubtful else {}).items():
        found[group] |= answers
    both = list(zip(rules, plans, strict=True))
    return {
        group: [_outcome(rule, plan, place, answers) for place, (rule, plan) in enumerate(both)]
        for group, answers in (found or {None: {}}).items()
    }


def _asked(counted: Scan, rule: Rule, plan: Plan, place: int) -> dict[str, Any]:
    if isinstance(plan, Rows):
        first = {f"bad{place}": plan.unexpected} if plan.none is None else {f"none{place}": plan.none}
        return {f"rows{place}": plan.rows, **first}
    if isinstance(plan, Figure):
        return {f"figure{place}_{at}": value for at, value in enumerate(plan.values)}
    if isinstance(plan, MismatchError) and rule.type in row_rules.PLANS:
        return {f"rows{place}": counted.known(counted.table[rule.column])}
    return {}


def _outcome(rule: Rule, plan: Plan, place: int, found: Mapping[str, Any]) -> Outcome | None:
    if plan is None:
        return None
    if isinstance(plan, Figure):
        first, *others = (value for name, value in found.items() if name.startswith(f"figure{place}_"))
        return Outcome(not plan.accepts(first, *others), message=f"{plan.name} is {_rounded(first)}")
    about, bad = found.get(f"rows{place}", 0), found.get(f"bad{place}", 0)
    if isinstance(plan, MismatchError):
        # A figure that a column cannot have is none that the rule allows.
        none_obeys = about > 0 and rule.mostly > 0
        return Outcome(none_obeys or f"rows{place}" not in found, about, about, message=str(plan))
    return _of_rows(rule, bad, about, f": {plan.why}" if plan.why else "")


def _of_rows(rule: Rule, bad: int, about: int, why: str = "") -> Outcome:
    if about == 0 or (about - bad) / about >= rule.mostly:
        return Outcome(False, bad, about)
    return Outcome(True, bad, about, message=f"{bad:,} of {about:,} rows break it{why}")


def _detailed(
    chosen: Any,
    counted: Scan,
    source: Source,
    rule: Rule,
    plan: Plan,
    outcome: Outcome | None,
    examples: int,
    cluster: str,
) -> Outcome | None:
    """Add offending values to a rule that rows break, of several columns as tuples, and the design effect."""
    if outcome is None or not outcome.broken or not isinstance(plan, Rows):
        return outcome
    rows = counted.table.filter(plan.bad).select(*rule.columns).limit(examples).to_pyarrow().to_pylist()
    values = (tuple(row.values()) for row in rows)
    outcome = replace(outcome, examples=tuple(value[0] if len(value) == 1 else value for value in values))
    if not cluster or not 0 < rule.mostly < 1:
        return outcome
    each = scan.marked(chosen, source[1]) if source[0] == "values" else Scan(chosen)
    plain = row_rules.plan(each, rule)
    about = each.table.filter(plain.about)
    return replace(outcome, design_effect=clustered_share(about, plain.bad, about[cluster]))


def _rounded(value: Any) -> str:
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
