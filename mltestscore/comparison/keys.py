"""Rows that a key names: which columns are the key, how both sides' keys are made alike, and which name one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mltestscore.comparison import columns
from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset

if TYPE_CHECKING:
    import ibis

HASHES = 16**8  # how many values the first eight hex digits of an MD5 digest have


@dataclass(frozen=True)
class Keyed:
    """The rows of one side.

    Attributes:
        table: those whose key names one row only, as an unevaluated query; exact repetitions of a row are one row.
        keys: how many keys there are, where every row without a key counts as one.
        once: how many rows ``table`` has.
    """

    table: ibis.Table
    keys: int
    once: int


def key_of(serving: Dataset, recomputed: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the key columns of both sides; a key declared on one side only is used where the other has the columns."""
    left, right = serving.roles.key, recomputed.roles.key
    if left and not right and set(left) <= set(recomputed.columns):
        right = left
    if right and not left and set(right) <= set(serving.columns):
        left = right
    return (left, right) if left and len(left) == len(right) else ((), ())


def alike(column: Any, other: Any) -> Any:
    """Return a key column in the type in which it joins with ``other``'s: whole numbers stay such, most become text."""
    if all(one.type().is_signed_integer() for one in (column, other)):
        return column.cast("int64")
    return columns.key_text(column, other)


def keyed(rows: Any, names: Sequence[str]) -> Keyed:
    """Return the rows of a table by the key ``names``; its keys are counted now, repeated rows sought only if any."""
    known = rows.filter([rows[name].notnull() for name in names])
    counted = known.group_by(list(names)).aggregate(same=lambda group: group.count())
    found = row(counted.aggregate(keys=counted.count(), rows=counted.same.sum(), most=counted.same.max()))
    without = int(rows.count().to_pyarrow().as_py()) - int(found["rows"] or 0)
    if (found["most"] or 0) <= 1:
        return Keyed(known, found["keys"] + without, found["keys"])
    repeated = counted.filter(counted.same > 1)
    again = known.semi_join(repeated, list(names)).distinct()
    single = again.group_by(list(names)).aggregate(same=lambda group: group.count())
    single = single.filter(single.same == 1)
    table = known.anti_join(repeated, list(names)).union(again.semi_join(single, list(names)))
    contradicting = (
        row(repeated.aggregate(keys=repeated.count()))["keys"] - row(single.aggregate(n=single.count()))["n"]
    )
    return Keyed(table, found["keys"] + without, found["keys"] - contradicting)


def label(rows: Any, names: Sequence[str]) -> Any:
    """Return the whole key of a row as one text."""
    import ibis

    texts = [rows[name].cast("string") for name in names]
    return ibis.literal("\x1f").join(texts) if len(texts) > 1 else texts[0]


def drawn(rows: Any, names: Sequence[str], share: float) -> Any:
    """Return whether a row is of that share of all rows which a hash of its key draws, always the same ones."""
    import ibis

    if share >= 1:
        return ibis.literal(True)
    return database.md5(label(rows, names)) < f"{int(share * HASHES):08x}"


def row(table: Any) -> dict[str, Any]:
    """Return the single row of a query."""
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows[0]
