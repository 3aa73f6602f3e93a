"""Values counted one by one: the categories of a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mltestscore.comparison.cells import FIRST_ROWS
from mltestscore.comparison.grid import MOST, RARE

if TYPE_CHECKING:
    import ibis

BUCKETS, MOST_BUCKETS = 16_384, 512
LISTED = 10_000  # values that are counted one by one: beyond categories, there are codes; beyond codes, names


@dataclass(frozen=True)
class Tally:
    """How many rows hold each value, most frequent first, equal ones in the order of their values.

    Attributes:
        counts: rows by value; at most as many values as were asked for.
        rest: rows with another value.
        missing: rows without one; a text without a letter is none.
        blank: rows with such a text.
    """

    counts: dict[Any, int]
    rest: int
    missing: int
    blank: int = 0

    @property
    def present(self) -> int:
        """Rows with a value."""
        return sum(self.counts.values()) + self.rest


def varied(table: ibis.Table, columns: Mapping[str, Any], most: int) -> dict[str, int]:
    """Return the columns whose first rows hold more than ``most`` different values, with that number."""
    if not columns:
        return {}
    import pyarrow.compute as pc

    names = {str(place): name for place, name in enumerate(columns)}
    rows = table.select(**{place: columns[name] for place, name in names.items()}).limit(FIRST_ROWS).to_pyarrow()
    found = {name: int(pc.count_distinct(rows[place]).as_py()) for place, name in names.items()}
    return {name: distinct for name, distinct in found.items() if distinct > most}


def tallied(table: ibis.Table, columns: Mapping[str, Any], most: int = MOST) -> dict[str, Tally]:
    """Return the ``most`` most frequent values of each column, from one query a column.

    A column that has a different value in nearly every row costs much; see :func:`varied` and :func:`frequent_only`.
    """
    return {name: _tallied(table, column, most) for name, column in columns.items()}


def _tallied(table: ibis.Table, column: Any, most: int) -> Tally:
    import ibis

    counts = table.group_by(value=column).aggregate(n=table.count())
    counts = counts.mutate(everything=counts.n.sum().over(ibis.window()).cast("int64"))
    # Empty texts are told apart here and not before: a query groups by a column itself for less than by a function.
    none = counts.value.isnull() | (counts.value == "") if column.type().is_string() else counts.value.isnull()
    rows = counts.order_by([none.desc(), counts.n.desc(), counts.value]).limit(most + 2).to_pyarrow().to_pylist()
    gone = {row["value"]: int(row["n"]) for row in rows if row["value"] in (None, "")}
    listed = [(row["value"], int(row["n"])) for row in rows if row["value"] not in (None, "")][:most]
    everything, missing = int(rows[0]["everything"]) if rows else 0, sum(gone.values())
    rest = everything - missing - sum(n for _, n in listed)
    return Tally(dict(listed), rest, missing, gone.get("", 0))


def codes(table: ibis.Table, columns: Mapping[str, Any], first: Mapping[str, int]) -> dict[str, Tally]:
    """Return the tally of each column that holds no more than about :data:`LISTED` different values.

    ``first`` says how many its first rows hold, as :func:`varied` does: where most differ, there are too many.
    """
    places = {str(place): name for place, name in enumerate(columns) if first[name] <= FIRST_ROWS / 2}
    if not places:
        return {}
    counts = {place: columns[name].approx_nunique() for place, name in places.items()}
    (seen,) = table.aggregate(**counts).to_pyarrow().to_pylist()
    return tallied(table, {name: columns[name] for place, name in places.items() if seen[place] <= LISTED}, LISTED)


def frequent(tally: Tally, most: int = MOST) -> Tally:
    """Return the tally as :func:`frequent_only` would: values below :data:`RARE` in the rest, unless many are above."""
    listed = dict(list(tally.counts.items())[:most])
    counts = {value: rows for value, rows in listed.items() if rows >= RARE * tally.present}
    counts = listed if len(counts) > MOST_BUCKETS else counts
    return replace(tally, counts=counts, rest=tally.present - sum(counts.values()))


def frequent_only(table: ibis.Table, column: Any, most: int = MOST) -> Tally:
    """Return the tally of a column with many different values, in which those below :data:`RARE` may be in the rest.

    Counting them all costs more than anything else here. Hashed into buckets, they fill each alike; a value that is
    frequent fills its bucket beyond that. Other databases than DuckDB count all of them.
    """
    if table.get_backend().name != "duckdb":
        return _tallied(table, column, most)
    bucket = column.hash() % BUCKETS
    groups = table.group_by(bucket=bucket, gone=column.isnull()).aggregate(n=table.count())
    seen = groups.to_pyarrow()
    labels, gone, counts = (seen[name].to_numpy() for name in ("bucket", "gone", "n"))
    missing, present = int(counts[gone].sum()), int(counts[~gone].sum())
    kept = labels[~gone & (counts >= RARE * present)]
    if len(kept) > MOST_BUCKETS:
        return _tallied(table, column, most)
    tally = _tallied(table.filter(bucket.isin(kept.tolist())), column, most) if len(kept) else Tally({}, 0, 0)
    return replace(tally, rest=present - sum(tally.counts.values()), missing=missing)
