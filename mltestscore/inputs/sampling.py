"""Which rows a bounded copy of a table holds: always the same ones, from all over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from mltestscore.inputs import database

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

PLACE, MARK = "mltestscore_place", "mltestscore_mark"
SPREAD, SIZE = 2_654_435_761, 2**32  # the multiplier of Knuth's hash (The Art of Computer Programming 3, 6.4): 2³² / φ
ROOM = 8  # as many rows as are wanted are looked at, and a few for luck: to sort all costs more than all other work
LUCK = 200
BLOCKS = 4  # row groups that an excerpt is taken from, from the first rows of each


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


def excerpt(files: Sequence[Path], columns: Sequence[str], rows: int) -> pa.Table | None:
    """Return ``rows`` rows out of a few row groups from all over Parquet files; ``None`` where there are fewer.

    Other rows are hardly read, so that it costs the same of any size. It says nothing about how often something is
    in all rows: what was written together is alike. ``None``, too, where the files hold other columns (folders may be
    columns) or what only DuckDB reads.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not files or any(path.suffix != ".parquet" for path in files):
        return None
    try:
        some = [pq.ParquetFile(files[place]) for place in _spread(len(files), BLOCKS)]
        groups = [(file, group) for file in some for group in range(file.num_row_groups)]
        blocks = [(file, group) for file, group in groups if file.metadata.row_group(group).num_rows]
        if len(blocks) < BLOCKS:
            return None
        chosen = [blocks[place] for place in _spread(len(blocks), BLOCKS)]
        found = pa.concat_tables([_some_rows(*one, -(-rows // BLOCKS)) for one in chosen], promote_options="permissive")
    except (pa.ArrowException, OSError):
        return None
    whole = len(found) >= rows and {*found.column_names} == {*columns}
    return found.select(list(columns)).slice(0, rows) if whole else None


def _some_rows(file: Any, group: int, rows: int) -> pa.Table:
    import pyarrow as pa

    # From the beginning of the group: what lies behind it is not decoded.
    first = pa.Table.from_batches([next(file.iter_batches(ROOM * rows, row_groups=[group]))])
    return first.take(numpy.sort(numpy.argsort(numpy.arange(len(first)) * SPREAD % SIZE)[:rows]))


def _spread(of: int, most: int) -> list[int]:
    """Return at most so many places of so many, from the first to the last.

    >>> _spread(10, 4)
    [0, 3, 6, 9]
    """
    return sorted(set(numpy.linspace(0, of - 1, min(of, most)).round().astype(int).tolist()))
