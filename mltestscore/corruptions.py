"""Six ways to corrupt a column, and which of them a schema rejects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from mltestscore import trials
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.unstructured import is_array, is_free_text

EVERY = 3  # every third value is hit: far beyond what any `mostly` in use allows
BEYOND = 100  # ranges have slack; a wrong unit or a sentinel lies far outside of them
CENTURY = pd.Timedelta(days=36_525)
UNSEEN = "unseen-category"

Column = Any  # a pandas Series: corruptions change dtypes on purpose
Corruption = Callable[[Column, Column], Column]


def wrong_type(column: Column, _: Column) -> Column:
    """Text for numbers, truth values and times; numbers for text."""
    if _is_text(column):
        codes = pd.Series(pd.factorize(column)[0], column.index, dtype="float64")
        return codes.where(column.notna())
    return column.astype(object).map(lambda value: f"not a number {value}", na_action="ignore")


def out_of_range(column: Column, _: Column) -> Column | None:
    """Every third number far below or above all others; times a century off. ``None`` for other columns."""
    signs = np.where(np.arange(len(_hit(column))) % 2 == 0, 1, -1)
    if types.is_datetime64_any_dtype(column.dtype):
        return _changed(column, column.iloc[_hit(column)] + signs * CENTURY)
    if _is_text(column) or not types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return None
    numbers = pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), column.index)
    finite = numbers[np.isfinite(numbers)]
    if finite.empty:
        return None
    reach = BEYOND * np.ceil(max(finite.max() - finite.min(), abs(finite.max()), 1.0))
    return _changed(numbers, np.where(signs > 0, np.ceil(finite.max()) + reach, np.floor(finite.min()) - reach))


def unseen_category(column: Column, _: Column) -> Column | None:
    """Every third text is one that never occurred. ``None`` for columns without text, and where every text is new."""
    return _changed(column.astype(object), UNSEEN) if _is_text(column) and not is_free_text(column) else None


def missing_values(column: Column, _: Column) -> Column:
    """Every third value is missing."""
    return column.mask(np.isin(np.arange(len(column)), _hit(column)))


def constant(column: Column, _: Column) -> Column | None:
    """Every value is the first one. ``None`` for a column that is constant already."""
    values = column.astype(object)
    known = values[column.notna()]
    same = known.map(str).nunique() < 2
    return None if same else pd.Series([known.iloc[0]] * len(values), column.index).astype(column.dtype)


def swapped(column: Column, neighbour: Column) -> Column | None:
    """The values of the next model input. ``None`` where no rule on values can tell them from the column's own.

    That is where both hold truth values, also as 0 and 1, and where each value and gap of the one is in the other too.
    """
    own, other = _held(column), _held(neighbour)
    alike = all(kind(column) == kind(neighbour) for kind in (_is_text, types.is_bool_dtype))
    new_gaps = neighbour.isna().any() and not column.isna().any()
    return None if alike and not new_gaps and (other <= own or own | other <= {False, True}) else neighbour


CORRUPTIONS: dict[str, Corruption] = {
    "wrong type": wrong_type,
    "out of range": out_of_range,
    "unseen category": unseen_category,
    "missing values": missing_values,
    "constant": constant,
    "swapped with another": swapped,
}


def rejected(schema: Schema, sample: Dataset, columns: Sequence[str]) -> dict[str, dict[str, bool]]:
    """Return by column and corruption whether a rule is broken that the sound sample obeys.

    Only corruptions that apply to a column are in the result. All are tried together (see :mod:`mltestscore.trials`).
    A rule that reads several columns, and one that only Great Expectations can judge, is asked again with one of them
    corrupted, unless another rule rejects that already. The sample keeps its corrupted copies, because the next schema
    is tried on the same.
    """
    frame = sample.frame()
    ((corrupted, layers),) = sample.recall(
        "corrupted", [tuple(columns)], lambda keys: [_corrupted(frame, key) for key in keys]
    )
    wanted = set(columns)
    speaking = [rule for rule in schema.rules if rule.on_values and wanted.intersection(rule.columns)]
    obeyed = _obeyed(Schema(schema.source, speaking), sample)
    verdicts = trials.broken(layers, [rule for rule in obeyed if len(_reads(rule)) == 1])
    reading: dict[str, list[Rule]] = {column: [] for column in columns}
    for rule in obeyed:
        for column in _reads(rule) & wanted:
            reading[column].append(rule)
    found: dict[str, dict[str, bool]] = {column: {} for column in columns}
    for way, made in corrupted.items():
        for column, values in made.items():
            asked = reading[column]
            killed = any(verdicts.get((way, rule)) for rule in asked)
            alone = [] if killed else [rule for rule in asked if (way, rule) not in verdicts]
            changed = sample.replace(frame.assign(**{column: values})) if alone else sample
            found[column][way] = killed or bool(alone and Schema(schema.source, alone).violations(changed, examples=0))
    return found


def _obeyed(schema: Schema, sample: Dataset) -> list[Rule]:
    broken = {violation.rule for violation in schema.violations(sample, examples=0)}
    return [rule for rule in schema.rules if rule not in broken]


def _reads(rule: Rule) -> frozenset[str]:
    return frozenset((*rule.columns, *(rule.condition_columns or ())))


def _corrupted(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[dict[str, dict[str, Column]], list[trials.Layer]]:
    """Return each way's corrupted columns, as far as it applies to them, and all of them as tables."""
    neighbours = dict(zip(columns, [*columns[1:], *columns[:1]], strict=True))
    known = [column for column in columns if frame[column].notna().any()]
    corrupted: dict[str, dict[str, Column]] = {}
    for way, corrupt in CORRUPTIONS.items():
        made = {
            column: corrupt(frame[column], frame[neighbours[column]])
            for column in known
            if corrupt is missing_values or not is_array(frame[column])  # no rule says more of arrays
        }
        corrupted[way] = {column: values for column, values in made.items() if values is not None}
    return corrupted, trials.layers(corrupted, len(frame))


def _is_text(column: Column) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return not types.is_numeric_dtype(column.cat.categories.dtype)
    if types.is_object_dtype(column.dtype):
        return bool(column.map(lambda value: isinstance(value, str), na_action="ignore").eq(True).any())
    return types.is_string_dtype(column.dtype)


def _held(column: Column) -> set[Any]:
    """Return the values that a column holds; those that cannot be compared as text."""
    present = column.dropna()
    try:
        return set(present.tolist())
    except TypeError:  # lists and arrays
        return set(present.map(str))


def _hit(column: Column) -> Any:
    return np.flatnonzero(column.notna())[::EVERY]


def _changed(column: Column, values: Any) -> Column:
    changed = column.copy()
    changed.iloc[_hit(column)] = values
    return changed
