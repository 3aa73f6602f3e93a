"""What a column holds, and how two columns of different dtype are made comparable inside the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy

from mltestscore.inputs import database, sources

if TYPE_CHECKING:
    import ibis

LAST = 2.5e11  # seconds: the year 9892; Python knows no time after 9999

Kind = Literal["number", "text", "time", "other"]


def kind_of(dtype: Any) -> Kind:
    """Return what kind of values an Ibis dtype holds; booleans count as the numbers 0 and 1."""
    if dtype.is_numeric() or dtype.is_boolean():
        return "number"
    if dtype.is_string():
        return "text"
    return "time" if dtype.is_timestamp() or dtype.is_date() else "other"


def number(column: Any) -> Any:
    """Return the column as float64; text that is no number becomes NULL."""
    kind = column.type()
    if kind.is_string():
        return column.try_cast("float64").fill_null(column.try_cast("boolean").cast("int32").cast("float64"))
    return (column.cast("int32") if kind.is_boolean() else column).cast("float64")


def text(column: Any) -> Any:
    """Return the column as text in which an empty one is NULL, as after a CSV round trip."""
    return column.cast("string").nullif("")


def seconds(column: Any) -> Any:
    """Return the column of times as seconds since 1970, UTC, with microseconds; text that is no time becomes NULL."""
    stamp = column.try_cast("timestamp") if column.type().is_string() else column.cast("timestamp")
    if database.on_spark(column):
        return database.unix_micros(stamp).cast("float64") / 1e6
    # DuckDB and PostgreSQL count the fraction as part of the seconds, other databases do not; cut, none of them does.
    return stamp.truncate("s").epoch_seconds().cast("float64") + stamp.microsecond().cast("float64") / 1e6


def extent(table: ibis.Table, name: str) -> tuple[float | None, float | None, int]:
    """Return the first and last of a table's times in seconds since 1970, UTC, and how many rows have one."""
    kind = table[name].type()
    stamp = table[name].try_cast("timestamp") if kind.is_string() else table[name].cast("timestamp")
    ends = table.aggregate(low=stamp.min(), high=stamp.max(), known=stamp.count())
    asked = ends.select(low=seconds(ends["low"]), high=seconds(ends["high"]), known=ends["known"])
    with database.by_statistics(table):
        row = asked.to_pyarrow().to_pylist()[0]
    return row["low"], row["high"], int(row["known"])


def between(column: Any, low: float, high: float) -> Any:
    """Return whether each time lies between two, given in seconds since 1970, the ends included."""
    if database.on_spark(column) or max(-low, high) > LAST:
        return seconds(column).between(low, high)
    import ibis

    stamp = column.try_cast("timestamp") if column.type().is_string() else column.cast("timestamp")
    ends = (numpy.datetime64(round(end * 1e6), "us").item() for end in (low, high))
    return stamp.between(*(ibis.literal(end, type="timestamp(6)") for end in ends))


def days(column: Any) -> Any:
    """Return the column of times as whole days since 1970, UTC; text that is no time becomes NULL."""
    if database.on_spark(column):
        return (seconds(column) / 86_400).floor()
    stamp = column.try_cast("timestamp") if column.type().is_string() else column.cast("timestamp")
    return stamp.date().epoch_days()


def comparable(left: Any, right: Any) -> tuple[Any, Any, Kind]:
    """Return both columns in one type and its kind: int and float, text of numbers and numbers, dates and times."""
    kinds = {kind_of(left.type()), kind_of(right.type())}
    if kinds <= {"number"} or kinds == {"number", "text"}:
        return number(left), number(right), "number"
    if kinds <= {"time"} or kinds == {"time", "text"}:
        return seconds(left), seconds(right), "time"
    return text(left), text(right), "text" if kinds == {"text"} else "other"


def missing(column: Any) -> Any:
    """Return whether a value is missing: NULL, or an empty text."""
    return present(column).isnull()


def present(column: Any) -> Any:
    """Return the column with NULL for what is missing, an empty text too: counting its values costs least."""
    return text(column) if column.type().is_string() else column


def key_text(column: Any, other: Any) -> Any:
    """Return a key column as text that joins with ``other``'s: 5, 5.0 and "5" are one key, so are equal times."""
    kind, opposite = column.type(), other.type()
    if "time" in (kind_of(kind), kind_of(opposite)):
        stamp = column.try_cast("timestamp") if kind.is_string() else column.cast("timestamp")
        if database.on_spark(column):
            return database.unix_micros(stamp).cast("string")
        return stamp.strftime("%Y-%m-%dT%H:%M:%S.%f")
    if kind.is_floating():
        import ibis

        whole = column.try_cast("int64")
        return ibis.ifelse(whole.cast("float64") == column, whole.cast("string"), column.cast("string"))
    return column.cast("string")


def together(*tables: ibis.Table) -> tuple[ibis.Table, ...]:
    """Return the tables on one connection: as they are if they share one, else copied to ours."""
    backends = {id(table.get_backend()) for table in tables}
    if len(backends) == 1:
        return tables
    return tuple(database.as_table(sources.tidy(table.to_pyarrow())) for table in tables)
