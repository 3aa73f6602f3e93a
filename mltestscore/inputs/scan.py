"""Tables that rules are counted on: rows, or the different values of some columns with how often each occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COPIES = "mltestscore_copies"
PLACE = "mltestscore_place"
MOST = "mltestscore_most"
ROWS = "mltestscore_rows"


class NotCompiledError(Exception):
    """No query can say this of such a column as Great Expectations means it; it runs there instead."""


@dataclass(frozen=True)
class Scan:
    """A table to count on.

    Attributes:
        table: an Ibis table; with ``weighted``, each row stands for as many as its column ``COPIES`` says.
        weighted: whether rows stand for several.
        by: a column by whose values everything is counted apart; empty: all together.
        finite: columns of floats without an infinity, as far as that is known.
    """

    table: Any
    weighted: bool = False
    by: str = ""
    finite: frozenset[str] = frozenset()

    @property
    def rows(self) -> Any:
        """The number of rows, as an expression."""
        return self.table[COPIES].sum().coalesce(0) if self.weighted else self.table.count()

    def count(self, where: Any) -> Any:
        """Return how many rows are so, as an expression."""
        return self.table[COPIES].sum(where=where).coalesce(0) if self.weighted else self.table.count(where=where)

    def known(self, column: Any) -> Any:
        """Return how many rows have a value in the column, as an expression."""
        # A plain count needs no filter, and on some engines not even the values.
        return self.count(column.notnull()) if self.weighted else column.count()

    def ask(self, asked: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
        """Return the value of each expression, by group; equal ones are asked once, in one query.

        A group without rows is not in the result. Without groups there is one, ``None``.
        """
        once: dict[Any, str] = {}
        for name, value in asked.items():
            once.setdefault(value.op(), name)
        wanted = {name: asked[name] for name in once.values()}
        grouped = self.table.group_by(self.by).aggregate(**wanted) if self.by else self.table.aggregate(**wanted)
        rows = grouped.to_pyarrow().to_pylist()
        return {row.get(self.by): {name: row[once[value.op()]] for name, value in asked.items()} for row in rows}


def rows_of(table: Any, by: str = "", finite: frozenset[str] = frozenset()) -> Scan:
    """Return the table itself."""
    return Scan(table, by=by, finite=finite)


def values_of(table: Any, columns: Sequence[str], by: str = "") -> Scan:
    """Return the different values of some columns together, each with its number of rows."""
    grouped = table.group_by([*_group(by), *columns]).aggregate(**{COPIES: table.count()})
    return Scan(grouped, weighted=True, by=by)


def marked(table: Any, columns: Sequence[str]) -> Scan:
    """Return the rows, each with the number of rows that hold the same values in some columns."""
    return Scan(table.mutate(**{COPIES: table.count().over(group_by=list(columns))}))


def by_frequency(table: Any, column: str, by: str = "") -> Scan:
    """Return the different known values of a column, each with its number of rows and the largest such number."""
    counted = values_of(table.filter(table[column].notnull()), [column], by).table
    return Scan(counted.mutate(**{MOST: counted[COPIES].max().over(group_by=_group(by))}), by=by)


def sorted_values(table: Any, column: str, by: str = "") -> Scan:
    """Return the known values of a column, each with its place from 0 in their order and the number of all."""
    import ibis

    known = table.filter(table[column].notnull()).select(*_group(by), column)
    place = ibis.row_number().over(order_by=known[column], group_by=_group(by))
    return Scan(known.mutate(**{PLACE: place, ROWS: known.count().over(group_by=_group(by))}), by=by)


def _group(by: str) -> list[str]:
    return [by] if by else []
