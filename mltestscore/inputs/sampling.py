"""Which rows a bounded copy of a table holds: always the same ones, from all over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mltestscore.inputs import database

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

PLACE, MARK = "mltestscore_place", "mltestscore_mark"
SPREAD, SIZE = 2_654_435_761, 2**32  # the multiplier of Knuth's hash (The Art of Computer Programming 3, 6.4): 2³² / φ
ROOM = 8  # as many rows as are wanted are looked at, and a few for luck: to sort all costs more than all other work
LUCK = 200


def chosen(table: ibis.Table, key: Sequence[str], rows: int, of: int) -> pa.Table:
    """Return ``rows`` of the ``of`` rows of a table in their order, each with its place from 0.

    Rows with the least digests of the key columns, so that two tables with the same keys keep matching rows, whatever
    dtype the keys have; without a key, of their places.
    """
    import ibis

    placed = table.mutate(**{PLACE: ibis.row_number()})
    texts = [_key_text(placed[column]) for column in key] or [placed[PLACE].cast("string")]
    marked = placed.mutate(**{MARK: database.md5(ibis.literal("\x1f").join(texts))})
    share = (ROOM * rows + LUCK) / of
    if share < 1:
        least = int(share * SIZE)
        # A digest of every place would cost as much as to read the file; to pass over most places first does not.
        spread = (marked[PLACE] % 2**31 * SPREAD) % SIZE < least
        found = _first(marked.filter(marked[MARK] < f"{least:08x}" if key else spread), rows)
        if len(found) == rows:  # fewer where keys repeat
            return found
    return _first(marked, rows)


def _first(marked: ibis.Table, rows: int) -> pa.Table:
    return marked.order_by([MARK, PLACE]).limit(rows).order_by(PLACE).drop(MARK).to_pyarrow()


def _key_text(column: Any) -> Any:
    """Return the key as text that is the same for 5, 5.0 and a nullable 5, and for a time in any unit."""
    import ibis

    kind = column.type()
    if kind.is_floating():
        whole = column.try_cast("int64")
        column = ibis.ifelse(whole.cast("float64") == column, whole.cast("string"), column.cast("string"))
    elif kind.is_timestamp() or kind.is_date():
        column = column.cast("timestamp").epoch_seconds().cast("string")
    else:
        column = column.cast("string")
    return column.fill_null("")
