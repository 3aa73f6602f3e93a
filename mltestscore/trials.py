"""Many trials of single columns as few tables: what a column holds in each trial, one below the other.

A rule is then asked of all trials by one query. A column has one type in a table, so that there are as many tables
as kinds of values among the trials of one column: mostly two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mltestscore.inputs import database, expectations
from mltestscore.inputs.rules import Rule

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

TRIAL = "mltestscore_trial"


@dataclass(frozen=True)
class Layer:
    """Trials in one table.

    Attributes:
        table: the rows of all trials, with the trial's name in the column ``TRIAL``.
        held: the pairs of trial and column that are in it; other cells are missing.
        rows: the number of rows.
        answers: the rules that were asked, with whether they are broken, by trial; for the next schema to try.
    """

    table: ibis.Table
    held: frozenset[tuple[str, str]]
    rows: int
    answers: dict[Rule, dict[str, bool]] = field(default_factory=dict)

    def ask(self, rules: Sequence[Rule]) -> None:
        """Find out about rules on one of the columns that were not asked before."""
        new = [rule for rule in rules if rule not in self.answers]
        self.answers.update((rule, {}) for rule in new)
        for trial, outcomes in expectations.measure_groups(self.table, new, TRIAL, rows=self.rows).items():
            for rule, outcome in zip(new, outcomes, strict=True):
                if outcome and (trial, rule.column) in self.held:
                    self.answers[rule][trial] = outcome.broken


def layers(trials: Mapping[str, Mapping[str, pa.Array]], rows: int) -> list[Layer]:
    """Return the trials as tables. Each maps some columns to Arrow arrays of ``rows`` values."""
    tried: dict[str, dict[str, dict[str, Any]]] = {}  # by column, kind of values and trial
    for trial, columns in trials.items():
        for column, values in columns.items():
            tried.setdefault(column, {}).setdefault(_kind(values.type), {})[trial] = values
    return [_layer(tried, depth, list(trials), rows) for depth in range(max(map(len, tried.values()), default=0))]


def broken(every: Sequence[Layer], rules: Sequence[Rule]) -> dict[tuple[str, Rule], bool]:
    """Return by trial and rule on one column whether it breaks the rule.

    A pair is absent where the trial has not the column, or only Great Expectations can tell.
    """
    compiled = [rule for rule in rules if expectations.can_compile(rule)]
    found: dict[tuple[str, Rule], bool] = {}
    for layer in every:
        mine = [rule for rule in compiled if rule.column in layer.table.columns]
        layer.ask(mine)
        found |= {(trial, rule): verdict for rule in mine for trial, verdict in layer.answers[rule].items()}
    return found


def _kind(arrow_type: Any) -> str:
    import pyarrow.types as kinds

    if kinds.is_integer(arrow_type) or kinds.is_floating(arrow_type):
        return "number"
    return "text" if kinds.is_string(arrow_type) or kinds.is_large_string(arrow_type) else str(arrow_type)


def _layer(tried: Mapping[str, Mapping[str, Mapping[str, Any]]], depth: int, names: list[str], rows: int) -> Layer:
    import pyarrow as pa

    chosen = {column: list(kinds.values())[depth] for column, kinds in tried.items() if len(kinds) > depth}
    arrays = {column: _below(values, names, rows) for column, values in chosen.items()}
    marks = pa.array([name for name in names for _ in range(rows)], pa.string())
    held = frozenset((trial, column) for column, values in chosen.items() for trial in values)
    return Layer(database.as_table(pa.table({**arrays, TRIAL: marks})), held, len(marks))


def _below(values: Mapping[str, Any], names: Sequence[str], rows: int) -> Any:
    import pyarrow as pa

    types = {one.type for one in values.values()}
    number = any(pa.types.is_integer(one) or pa.types.is_floating(one) for one in types)
    shared = types.pop() if len(types) == 1 else pa.float64() if number else pa.large_string()
    parts = [values[name].cast(shared, safe=False) if name in values else pa.nulls(rows, shared) for name in names]
    return pa.chunked_array([chunk for part in parts for chunk in getattr(part, "chunks", [part])], shared)
