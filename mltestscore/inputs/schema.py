"""What a team expects of its data: a Great Expectations suite, its violations and the domains that it allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mltestscore.borrowed.pandera_rule import PanderaRule
from mltestscore.errors import near
from mltestscore.inputs import digests, expectations
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.expectations import EXAMPLES, Outcome
from mltestscore.inputs.families import type_family
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.suites import read_suite

MAX_EXAMPLE = 40
CATEGORIES = ("expect_column_values_to_be_in_set", "expect_column_distinct_values_to_be_in_set")
EQUAL_SET = "expect_column_distinct_values_to_equal_set"
PRESENCE = ("expect_column_values_to_not_be_null",)
TYPES = ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list", "expect_column_type_to_be")


@dataclass(frozen=True)
class Violation:
    """A rule that a dataset breaks beyond the rule's own ``mostly``.

    Attributes:
        rule: the rule.
        column: its first column; empty for a rule on the table.
        unexpected: rows that break it; 0 where the rule is not about rows.
        rows: rows that it is about.
        examples: a few offending values, cut to 40 characters each.
        message: what was found.
        missing: whether the rule is broken because a column of it is not there.
        design_effect: how many of the rows, where they come in clusters, are worth one independent row.
    """

    rule: Rule
    column: str
    unexpected: int
    rows: int
    examples: tuple[str, ...]
    message: str
    missing: bool = False
    design_effect: float = 1.0


@dataclass(frozen=True)
class Domain:
    """The values that the rules allow in a column, as far as they say.

    Attributes:
        low: least number, or ``None``.
        high: largest number, or ``None``.
        categories: the allowed values, or empty where any is.
        nullable: whether a value may be missing.
        max_null_share: the largest share of missing values, in [0, 1].
        dtype: integer, number, text, boolean, time, or empty.
    """

    low: float | None = None
    high: float | None = None
    categories: tuple[object, ...] = ()
    nullable: bool = True
    max_null_share: float = 1.0
    dtype: str = ""


class Schema:
    """The rules of one suite."""

    def __init__(self, source: str, rules: Iterable[Rule]) -> None:
        self.source = source
        self.rules = tuple(rules)

    def __repr__(self) -> str:
        return f"<Schema from {self.source}: {len(self.rules)} rules on {len(self.columns)} columns>"

    @property
    def digest(self) -> str:
        """A digest of the rules: the same for suites that say the same in the same order."""
        said = [(rule.type, sorted(rule.kwargs.items()), rule.optional) for rule in self.rules]
        return digests.of_settings(said)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that have at least one rule on their values."""
        return frozenset(column for rule in self.rules if rule.on_values for column in rule.columns)

    def violations(self, dataset: Dataset, *, examples: int = EXAMPLES) -> list[Violation]:
        """Return one entry for each rule that the dataset breaks, in the order of the rules, with so many examples.

        Without examples, design effects are not asked for either. No rule is asked twice of one dataset. Raises
        :class:`InputError` when Great Expectations refuses a rule's arguments.
        """
        columns = frozenset(dataset.columns)
        lacking = {rule: _lacking(rule, columns) for rule in self.rules}
        present = [rule for rule in self.rules if not lacking[rule]]
        answers = dataset.recall(("outcomes", examples), present, lambda rules: _outcomes(dataset, rules, examples))
        outcomes = dict(zip(present, answers, strict=True))
        found = []
        for rule in self.rules:
            if lacking[rule] and not rule.optional:
                message = f"{dataset.name} ({dataset.source}) has no column {lacking[rule]!r}."
                message += near(lacking[rule], dataset.columns)
                found.append(Violation(rule, rule.column, 0, dataset.rows, (), message, missing=True))
            elif rule in outcomes and outcomes[rule].broken:
                found.append(_violation(rule, outcomes[rule]))
        return found

    def domain(self, column: str) -> Domain:
        """Return what the rules allow in a column; without a rule that says so, and says it of all rows, anything."""
        about = [rule for rule in self.rules if rule.kwargs.get("column") == column]
        rules = [rule for rule in about if not rule.kwargs.get("row_condition")]
        between = [rule for rule in rules if rule.type == "expect_column_values_to_be_between"]
        lows = [rule.kwargs.get("min_value") for rule in (*between, *_of(rules, "expect_column_min_to_be_between"))]
        highs = [rule.kwargs.get("max_value") for rule in (*between, *_of(rules, "expect_column_max_to_be_between"))]
        allowed = [rule.kwargs["value_set"] for rule in rules if rule.type in (*CATEGORIES, EQUAL_SET)]
        categories = [value for value in allowed[0] if all(value in other for other in allowed)] if allowed else []
        null_share = min((1 - rule.mostly for rule in _of(rules, "expect_column_values_to_not_be_null")), default=1.0)
        types = [name for rule in rules if rule.type in TYPES for name in _type_names(rule)]
        return Domain(
            low=max(_numbers(lows), default=None),
            high=min(_numbers(highs), default=None),
            categories=tuple(categories),
            nullable=null_share > 0,
            max_null_share=null_share,
            dtype=next(filter(None, map(type_family, types)), ""),
        )

    def without(self, column: str) -> Schema:
        """Return the schema without the rules that name a column, for planted faults."""
        return Schema(self.source, (rule for rule in self.rules if column not in rule.columns))

    def about(self, data: str, label: str) -> Schema:
        """Return the rules that hold of a dataset; of the newest served rows nobody knows the label yet.

        Rules that the label is there hold of the rows to learn from only, all others of the served rows too.
        """
        late = {rule for rule in self.rules if rule.type in PRESENCE and rule.columns == (label,)}
        return Schema(self.source, (one for one in self.rules if one not in late)) if data == "serving" else self

    def loosened(self) -> Schema:
        """Return a schema with as many rules on the same columns, all so wide that they allow anything."""
        return Schema(self.source, (_loose(rule) for rule in self.rules))


def load_schema(path: Path) -> Schema:
    """Read a Great Expectations 1.x suite from JSON; see :func:`mltestscore.inputs.suites.read_suite` for errors."""
    return Schema(str(path), read_suite(path))


def _outcomes(dataset: Dataset, rules: list[Rule], examples: int) -> list[Outcome]:
    """Run what a query can say where the data is, other rules on Great Expectations."""
    if foreign := {rule: rule.judged(dataset) for rule in rules if isinstance(rule, PanderaRule)}:
        rest = iter(_outcomes(dataset, [rule for rule in rules if rule not in foreign], examples))
        return [foreign[rule] if rule in foreign else next(rest) for rule in rules]
    compiled = [rule for rule in rules if expectations.can_compile(rule)]
    outcomes: dict[Rule, Outcome | None] = {}
    if compiled:
        cluster = dataset.roles.cluster
        measured = expectations.measure(
            dataset.table,
            compiled,
            examples=examples,
            cluster=cluster,
            rows=dataset.rows,
            part=dataset.part,
            known=dataset.known,
        )
        outcomes.update(zip(compiled, measured, strict=True))
    others = [rule for rule in rules if outcomes.get(rule) is None]
    found = {rule: outcome for rule, outcome in outcomes.items() if outcome}
    if others:
        from mltestscore.inputs import gx

        found.update(zip(others, gx.judged(dataset, others), strict=True))
    return [found[rule] for rule in rules]


def _loose(rule: Rule) -> Rule:
    if not rule.on_values:
        return rule
    return Rule("expect_column_values_to_not_be_null", {"column": rule.column, "mostly": 0.0}, rule.optional)


def _type_names(rule: Rule) -> list[str]:
    return list(rule.kwargs.get("type_list") or [rule.kwargs.get("type_", "")])


def _of(rules: Iterable[Rule], kind: str) -> list[Rule]:
    return [rule for rule in rules if rule.type == kind]


def _numbers(values: Iterable[object]) -> list[float]:
    return [float(value) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]


def _lacking(rule: Rule, columns: frozenset[str]) -> str:
    return next((column for column in (*rule.columns, *(rule.condition_columns or ())) if column not in columns), "")


def _violation(rule: Rule, outcome: Outcome) -> Violation:
    examples = tuple(str(value)[:MAX_EXAMPLE] for value in outcome.examples)
    found = outcome.unexpected, outcome.rows, examples, outcome.message
    return Violation(rule, rule.column, *found, design_effect=outcome.design_effect)
