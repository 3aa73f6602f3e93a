"""Feature expectations are captured in a schema that the data obey and that rejects corrupted columns.

Why
    A schema is the only guard between a broken upstream and the model; one that allows everything guards nothing.

Measured
    The model's own input list against the schema's rules on values. Training, held-out and served rows against the
    rules; rules on figures of a whole table (row count, mean, …) against the training data only. The schema itself:
    each model input of a sample is corrupted in six ways (wrong type, out of range, unseen category, missing values,
    constant, swapped with the next input), as far as a way applies to it, and the schema must reject the result.

Passes when
    every model input has a rule; no rule is broken by more rows than its ``mostly`` allows; the schema rejects at
    least 80 % of the corruptions, and at least one on every model input.

If it fails
    The tables name the broken rules with examples, and the corruptions that survived: decide whether data or rule is
    wrong; add the type, range, category set, null share or number of distinct values that would have rejected them.

Options
    min_kill_rate: 0.8, so that one way in five may go unnoticed on a column (convention of this project).
    rows_for_corruption: 2000 rows show any rule that allows less than a third of bad values.
    alpha: 0.05, of the Clopper-Pearson bound on the share of rows that break a rule (clustered rows count for less).

Source
    Breck et al. 2017, Data 1; Breck et al. 2019, Data Validation for Machine Learning; mutation testing: DeMillo 1978.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mltestscore import Finding, Table, at_least, at_most, check, fault, undecided
from mltestscore.comparison import counting, profile
from mltestscore.comparison.levels import rate
from mltestscore.corruptions import CORRUPTIONS, rejected
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.inference import thoughtless
from mltestscore.inputs.model import Model
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema, Violation

UNCOVERED = "model inputs without a rule"
BREAKING = "rows that break a rule"
BROKEN = "broken rules on the whole table or on absent columns"
KILL_RATE = "corrupted columns that the schema rejects"
FEWEST_RANGES, FEWEST_ROWS, SHOWN = 3, 36, 20


@check("data.1")
def check_schema(
    schema: Schema,
    model: Model,
    training: Dataset,
    holdout: Dataset | None = None,
    serving: Dataset | None = None,
    *,
    min_kill_rate: float = 0.8,
    rows_for_corruption: int = 2000,
    alpha: float = 0.05,
) -> Iterator[Finding | Table]:
    """Every model input has rules, the data obey them, and they reject corrupted columns."""
    training.require(*model.features)
    uncovered = [name for name in model.features if name not in schema.columns]
    yield at_most(UNCOVERED, len(uncovered), 0, n=len(model.features), cause=", ".join(uncovered[:SHOWN]))
    profile.count(training, serving)
    for data in (one for one in (training, holdout, serving) if one is not None):
        rules = schema.about(data.name, training.roles.label)
        yield from _obedience(rules, data, model, data is training, alpha)
    found = rejected(schema, training.excerpt(rows_for_corruption), model.features)
    yield from _kills(found, min_kill_rate, training.rows)
    yield from _unreviewed(schema, training, model)


def _obedience(schema: Schema, data: Dataset, model: Model, whole: bool, alpha: float) -> Iterator[Finding | Table]:
    """Judge each broken rule on rows by its own share; count the rest."""
    violations = [one for one in schema.violations(data) if _counts(one, data, model, whole)]
    exact = [one for one in violations if one.missing or one.unexpected == 0]
    by_rows = sorted((one for one in violations if one not in exact), key=lambda one: -one.unexpected / one.rows)
    cause = "; ".join(f"{one.column or 'table'}: {one.rule.text}: {one.message}" for one in exact[:3])
    yield at_most(BROKEN, len(exact), 0, where=data.name, n=data.rows, cause=cause)
    for one in by_rows[:SHOWN]:
        share = rate(one.unexpected, one.rows, alpha, design_effect=one.design_effect)
        where = f"{data.name}: {one.column}: {one.rule.text}"
        cause = f"for example {', '.join(one.examples)}" if one.examples else one.message
        yield at_most(BREAKING, share, 1 - one.rule.mostly, where=where, unit="share", cause=cause)
    if violations:
        rows = [(one.column, one.rule.text, one.message, ", ".join(one.examples)) for one in violations]
        yield Table(f"Rules that {data.name} breaks", ["column", "rule", "found", "examples"], rows)


def _counts(one: Violation, data: Dataset, model: Model, whole: bool) -> bool:
    """An absent column matters if the model needs it, or a rule of the training data asks for just that."""
    if one.missing:
        return bool(set(model.features) & set(one.rule.columns)) or (whole and not one.rule.on_values)
    return not one.rule.on_figure or (whole and data.whole)


def _kills(found: Mapping[str, Mapping[str, bool]], min_kill_rate: float, n: int) -> Iterator[Finding | Table]:
    tried = [killed for ways in found.values() for killed in ways.values()]
    if n < FEWEST_ROWS:  # of so few, a rule may have to tolerate a third, which is what a corruption hits
        yield undecided(KILL_RATE, f"{n} training rows; at least {FEWEST_ROWS} are needed", n_to_settle=FEWEST_ROWS)
        return
    if tried:
        survivors = [f"{name} {way}" for name, ways in found.items() for way, killed in ways.items() if not killed]
        cause = f"not rejected: {', '.join(survivors[:SHOWN])}" if survivors else ""
        yield at_least(KILL_RATE, sum(tried) / len(tried), min_kill_rate, unit="share", n=len(tried), cause=cause)
    open_inputs = [name for name, ways in found.items() if ways and not any(ways.values())]
    name = "model inputs on which no corruption is rejected"
    yield at_most(name, len(open_inputs), 0, n=len(found), cause=", ".join(open_inputs[:SHOWN]))
    words = {True: "rejected", False: "NOT rejected", None: "does not apply"}
    ordered = sorted(found.items(), key=lambda item: sum(item[1].values()) / max(1, len(item[1])))
    rows = [(name, *(words[ways.get(way)] for way in CORRUPTIONS)) for name, ways in ordered]
    yield Table("Corruptions that the schema rejects", ["model input", *CORRUPTIONS], rows)


def _unreviewed(schema: Schema, training: Dataset, model: Model) -> Iterator[Finding]:
    """Say so when ranges are the data's own, or those that we infer from them: nobody thought about them."""
    kinds = training.table.schema()
    domains = {name: schema.domain(name) for name in model.features if kinds[name].is_numeric()}
    ranges = {name: (d.low, d.high) for name, d in domains.items() if d.low is not None and d.high is not None}
    if len(ranges) < FEWEST_RANGES:
        return
    # From what monitor.2 counts anyway: another pass over all numbers would cost as much as any rule.
    seen = {name: cells.range for name, cells in counting.laid(training, ranges).items() if cells.present}
    copied = [name for name, ends in seen.items() if ranges[name] in thoughtless(*ends)]
    note = "a range that equals the data's own, or the one that init infers, is not reviewed: ask who knows the domain"
    name, share = "ranges equal to the inferred ones", len(copied) / len(ranges)
    yield at_most(name, share, 0.5, unit="share", n=len(ranges), cause=", ".join(copied), note=note, advisory=True)


@fault(check_schema, "a model input loses its rules", caught_by=UNCOVERED)
def lost_rules(schema: Schema, model: Model) -> dict[str, Schema]:
    """Somebody added an input and forgot the schema."""
    return {"schema": schema.without(model.features[0])}


@fault(check_schema, "all rules are so wide that they allow anything", caught_by=KILL_RATE)
def wide_rules(schema: Schema) -> dict[str, Schema]:
    """The rules were loosened until the alarms stopped."""
    return {"schema": schema.loosened()}


@fault(check_schema, "a rule contradicts the data", caught_by=BREAKING)
def contradicting_rule(schema: Schema, model: Model, training: Dataset) -> dict[str, Schema]:
    """The data changed, the schema did not."""
    name = next(
        (name for name in model.features if training.frame([name], 1000)[name].notna().any()), model.features[0]
    )
    return {"schema": Schema(schema.source, (*schema.rules, Rule("expect_column_values_to_be_null", {"column": name})))}
