"""The one DuckDB connection of a process, and the tables that live on it only as long as somebody queries them."""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial, wraps
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mltestscore.garbage import at_rest

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

BITS_OF_GROUPS = 17  # of a 16-bit integer, and one for NULL

_lock = threading.RLock()
_serial = count()
_unused: deque[Callable[[], object]] = deque()


def connection() -> Any:
    """Return this process's DuckDB connection (an Ibis backend), made on first use; in UTC, quiet, never online."""
    with _lock:
        backend = _connect()
        # DuckDB 2 refuses all work after a query whose result nobody read to its end: an exception, or an interrupt,
        # in one check must not cost the checks after it.
        getattr(backend.con, "abort", lambda: None)()
        return backend


@cache
@at_rest()
def _connect() -> Any:
    import ibis

    backend = ibis.duckdb.connect(autoinstall_known_extensions=False, temp_directory=_spill_folder())
    backend.con.execute("SET enable_progress_bar = false")
    backend.con.execute("SET parquet_metadata_cache = true")  # each query of a wide file would read its footer again
    # A Parquet file's least and largest values leave NaN out, so that DuckDB would take "is it NaN?" for always false.
    backend.con.execute("SET disabled_optimizers = 'statistics_propagation'")
    for method in ("execute", "to_pyarrow"):
        # A DuckDB connection runs one query at a time, and a second thread would close the first one's result.
        setattr(backend, method, _one_at_a_time(getattr(backend, method)))
    return backend


def _one_at_a_time(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def locked(*args: Any, **options: Any) -> Any:
        with _lock:
            connection()
            return method(*args, **options)

    return locked


def _spill_folder() -> str:
    # DuckDB's default is ".tmp" in the current folder, which is the user's repository.
    return str(Path(tempfile.gettempdir()) / f"mltestscore-duckdb-{os.getpid()}")


def md5(text: Any) -> Any:
    """Return the MD5 digest of a text column in hex digits: one order of rows for every database that has the name.

    Ibis knows the function on fewer databases than have it.
    """
    return _function("md5", "string", "string")(text)


def on_spark(column: Any) -> bool:
    """Whether a column lies on Spark, whose times Ibis cannot take apart below the second."""
    return bool(column.get_backend().name == "pyspark")


def unix_micros(time: Any) -> Any:
    """Return a column of times on Spark as microseconds since 1970, UTC."""
    return _function("unix_micros", "timestamp", "int64")(time)


def floor(number: Any) -> Any:
    """Return the next whole number below, still a float: Ibis casts it to a 64-bit integer, which ends on infinity."""
    return _function("floor", "float64", "float64")(number)


def not_whole(number: Any) -> Any:
    """Return 1 for each number that is not whole, else 0; of an infinity it may be anything but NULL.

    On DuckDB half of what a comparison costs.
    """
    if on_spark(number):  # it rounds to 64-bit integers, which end on infinity
        return (number % 1.0 != 0.0).cast("int32")
    return _function("ceil", "float64", "float64")(number) - floor(number)


def small_integer(number: Any) -> Any:
    """Return whole numbers of less than 16 bits in as many on DuckDB, and NULL for a NaN; on others as they are.

    Rows grouped by so few possible values go straight to their group (:func:`many_small_groups`).
    """
    return number.try_cast("int16") if number.get_backend().name == "duckdb" else number


def many_small_groups(table: ibis.Table) -> AbstractContextManager[None]:
    """Let DuckDB keep a place for each 16-bit group while it counts: a third cheaper than to look each row's group up.

    Not for good, because a query with many figures would need a place for each of them, too.
    """
    return _setting(table, "perfect_ht_threshold", str(BITS_OF_GROUPS))


def by_statistics(table: ibis.Table) -> AbstractContextManager[None]:
    """Let DuckDB answer from the least and largest values that Parquet files tell, wrong of floats with NaN."""
    return _setting(table, "disabled_optimizers", "''")


@contextmanager
def _setting(table: ibis.Table, name: str, value: str) -> Iterator[None]:
    """Change a setting of our connection for the queries within; a team's own has the settings that they chose."""
    backend = table.get_backend()
    if backend.name != "duckdb" or backend is not connection():
        yield
        return
    with _lock:
        ((before,),) = backend.con.execute(f"SELECT current_setting('{name}')").fetchall()
        backend.con.execute(f"SET {name} = {value}").fetchall()
        try:
            yield
        finally:
            connection()  # after a query that failed, nothing else could be asked
            backend.con.execute(f"SET {name} = '{before}'").fetchall()


@cache
def _function(name: str, takes: str, returns: str) -> Any:
    """Return a function that the database itself has under this name."""
    import ibis

    def stand_in(value: Any) -> Any:
        raise NotImplementedError

    return ibis.udf.scalar.builtin(stand_in, name=name, signature=((takes,), returns))


def as_table(arrow: pa.Table) -> ibis.Table:
    """Return an Ibis table that reads a tidy Arrow table in place, for as long as an expression uses it."""
    name = f"mltestscore_{next(_serial)}"
    with _lock:
        backend = connection()
        _drop_unused()
        backend.con.register(name, arrow)
        return _kept_while_used(name, backend.con.unregister, name)


def relation(kind: Literal["VIEW", "TABLE"], query: str) -> ibis.Table:
    """Return a new DuckDB view or table of ``query``, dropped some time after the last expression that uses it.

    Raises :class:`duckdb.Error` when the query fails.
    """
    name = f"mltestscore_{next(_serial)}"
    with _lock:
        con = connection().con
        _drop_unused()
        con.execute(f"CREATE {kind} {name} AS {query}").fetchall()
        return _kept_while_used(name, _run, f"DROP {kind} IF EXISTS {name}")


def _run(statement: str) -> None:
    connection().con.execute(statement).fetchall()


def _kept_while_used(name: str, drop: Callable[[str], object], statement: str) -> ibis.Table:
    with warnings.catch_warnings():
        # Ibis 12 reads the schema with a function that DuckDB 2 deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        table: ibis.Table = connection().table(name)
    # At exit the connection goes as a whole, and may be gone already.
    weakref.finalize(table.op(), _unused.append, partial(drop, statement)).atexit = False
    return table


def _drop_unused() -> None:
    # Not in the finalizer: the garbage collector may call that in the middle of a query.
    while _unused:
        _unused.popleft()()
