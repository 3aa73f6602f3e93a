"""Six ways to corrupt a column, and which of them a schema rejects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mltestscore import trials
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.unstructured import LOOKED_AT, mostly_phrases

if TYPE_CHECKING:
    import pyarrow as pa

EVERY = 3  # every third value is hit: far beyond what any `mostly` in use allows
BEYOND = 100  # ranges have slack; a wrong unit or a sentinel lies far outside of them
CENTURY = 36_525  # days
UNSEEN = "unseen-category"

Column = Any  # an Arrow array: corruptions change types on purpose
Corruption = Callable[[Column, Column], Column]


def wrong_type(column: Column, _: Column) -> Column:
    """Text for numbers, truth values and times; numbers for text."""
    import pyarrow as pa

    if _is_text(column):
        return column.dictionary_encode().indices.cast(pa.float64())
    values = _plain(column).to_pylist()
    return pa.array([None if value is None else f"not a number {value}" for value in values], pa.string())


def out_of_range(column: Column, _: Column) -> Column | None:
    """Every third number far below or above all others; times a century off. ``None`` for other columns."""
    import pyarrow as pa
    from pyarrow import types

    signs = np.zeros(len(column), dtype=np.int64)
    hit = _hit(column)
    signs[hit] = np.where(np.arange(len(hit)) % 2 == 0, 1, -1)
    if types.is_timestamp(column.type) or types.is_date(column.type):
        return _later(column, signs * CENTURY)
    if not (types.is_integer(column.type) or types.is_floating(column.type) or types.is_decimal(column.type)):
        return None
    numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).copy()
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return None
    reach = BEYOND * np.ceil(max(finite.max() - finite.min(), abs(finite.max()), 1.0))
    numbers[signs > 0], numbers[signs < 0] = np.ceil(finite.max()) + reach, np.floor(finite.min()) - reach
    return pa.array(numbers, from_pandas=True)


def unseen_category(column: Column, _: Column) -> Column | None:
    """Every third text is one that never occurred. ``None`` for columns without text, and where every text is new."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _is_text(column) or mostly_phrases(column.drop_null().slice(0, LOOKED_AT).to_pylist()):
        return None
    return pc.if_else(_mask(column), pa.scalar(UNSEEN, column.type), column)


def missing_values(column: Column, _: Column) -> Column:
    """Every third value is missing."""
    import pyarrow as pa

    whole = np.arange(len(column), dtype=np.int64)
    return column.take(pa.array(whole, mask=np.isin(whole, _hit(column))))


def constant(column: Column, _: Column) -> Column | None:
    """Every value is the first one. ``None`` for a column that is constant already."""
    import pyarrow as pa

    known = column.drop_null()
    return None if len(known.unique()) < 2 else pa.repeat(known[0], len(column))


def swapped(column: Column, neighbour: Column) -> Column | None:
    """The values of the next model input. ``None`` where no rule on values can tell them from the column's own.

    That is where both hold truth values, also as 0 and 1, and where each value and gap of the one is in the other too.
    """
    own, other = _held(column), _held(neighbour)
    alike = all(kind(column) == kind(neighbour) for kind in (_is_text, _is_boolean))
    new_gaps = neighbour.null_count and not column.null_count
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
    ((corrupted, layers),) = sample.recall(
        "corrupted", [tuple(columns)], lambda keys: [_corrupted(sample.arrow, key) for key in keys]
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
            changed = _with(sample, column, values) if alone else sample
            found[column][way] = killed or bool(alone and Schema(schema.source, alone).violations(changed, examples=0))
    return found


def _obeyed(schema: Schema, sample: Dataset) -> list[Rule]:
    broken = {violation.rule for violation in schema.violations(sample, examples=0)}
    return [rule for rule in schema.rules if rule not in broken]


def _reads(rule: Rule) -> frozenset[str]:
    return frozenset((*rule.columns, *(rule.condition_columns or ())))


def _with(sample: Dataset, column: str, values: Column) -> Dataset:
    frame = sample.frame()
    return sample.replace(frame.assign(**{column: values.to_pandas().set_axis(frame.index)}))


def _corrupted(table: pa.Table, columns: Sequence[str]) -> tuple[dict[str, dict[str, Column]], list[trials.Layer]]:
    """Return each way's corrupted columns, as far as it applies to them, and all of them as tables."""
    from pyarrow import types

    held = {column: table[column].combine_chunks() for column in columns}
    neighbours = dict(zip(columns, [*columns[1:], *columns[:1]], strict=True))
    known = [column for column, values in held.items() if values.null_count < len(values)]
    corrupted: dict[str, dict[str, Column]] = {}
    for way, corrupt in CORRUPTIONS.items():
        made = {
            column: corrupt(held[column], held[neighbours[column]])
            for column in known
            if corrupt is missing_values or not types.is_nested(held[column].type)  # no rule says more of arrays
        }
        corrupted[way] = {column: values for column, values in made.items() if values is not None}
    return corrupted, trials.layers(corrupted, table.num_rows)


def _is_text(column: Column) -> bool:
    from pyarrow import types

    return bool(types.is_string(column.type) or types.is_large_string(column.type))


def _is_boolean(column: Column) -> bool:
    from pyarrow import types

    return bool(types.is_boolean(column.type))


def _held(column: Column) -> set[Any]:
    """Return the values that a column holds; lists and arrays, which have no order, as text."""
    from pyarrow import types

    present = column.drop_null()
    if types.is_nested(column.type):
        return {str(value) for value in present.to_pylist()}
    return set(_plain(present.unique()).to_pylist())


def _plain(column: Column) -> Column:
    """Return times as text: databases hold some that Python cannot, such as infinity."""
    import pyarrow as pa
    from pyarrow import types

    return column.cast(pa.string()) if types.is_timestamp(column.type) or types.is_date(column.type) else column


def _hit(column: Column) -> Any:
    return np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))[::EVERY]


def _mask(column: Column) -> Any:
    import pyarrow as pa

    mask = np.zeros(len(column), dtype=bool)
    mask[_hit(column)] = True
    return pa.array(mask)


def _later(times: Column, days: Any) -> Column:
    """Return the times so many days later each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = pa.timestamp("us", getattr(times.type, "tz", None))
    whole = times.cast(moments).cast(pa.int64())
    return pc.add(whole, pa.array(days * 86_400_000_000)).cast(moments).cast(times.type)
