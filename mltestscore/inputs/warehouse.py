"""Tables of another database, named by URL and queried where they are.

``postgresql://me@host/shop#public.orders`` is one table. Where all tables are meant (a store of personal data),
``postgresql://me@host/shop`` names those of the default schema, and ``postgresql://me@host/shop#public.*`` those of a
schema.
"""

from __future__ import annotations

import atexit
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mltestscore.errors import InputError, near

if TYPE_CHECKING:
    import ibis

ADDRESS = re.compile(r"[a-z][a-z0-9+]*://", re.IGNORECASE)
EXPECTED = 'expected a database that Ibis knows and a table: "postgresql://user@host/database#schema.table"'
EXPECTED_ALL = (
    'expected a database that Ibis knows: "postgresql://user@host/database", or "…#schema.*", or "…#schema.table"'
)
SECONDS = 10  # to connect; a host that does not answer must not hold a run up
FILES = ("http", "https", "s3", "gs", "file")
MOST = 300


class NoTableError(InputError):
    """The database answers, and has no such table."""


def is_address(source: object) -> bool:
    """Whether a source is the URL of a database's table."""
    return isinstance(source, str) and ADDRESS.match(source) is not None


def title(url: str) -> str:
    """Return the URL for the reader: without user, password and query."""
    from mltestscore.serving.urls import redact

    address, mark, table = url.partition("#")
    return redact(address) + mark + table


def table_at(name: str, url: str) -> ibis.Table:
    """Return the table that a URL names after its ``#``, as ``table`` or ``schema.table``.

    Raises :class:`InputError`, without the URL's password, for a database that cannot be reached or is of an unknown
    kind, a driver that is not installed, and a table that is not there (near names).
    """
    where, backend, schema, table = _opened(name, url, EXPECTED)
    if not table:
        raise InputError(f"{where} names no table; {EXPECTED}")
    return _table(where, backend, schema, table)


def tables_at(name: str, url: str) -> dict[str, ibis.Table]:
    """Return all tables and views that a URL names, by name: see the top of this page.

    Only those are listed that the URL's user may see. Raises :class:`InputError` like :func:`table_at`, and where there
    is no table, or one may not be read.
    """
    where, backend, schema, table = _opened(name, url, EXPECTED_ALL)
    names = sorted(_tables(backend, schema)) if table in ("", "*") else [table]
    if not names:
        raise InputError(f"{where} holds no tables; name the schema, such as {title(url).partition('#')[0]}#schema.*")
    found = {one: _table(where, backend, schema, one) for one in names}
    for one, held in found.items():
        try:
            held.limit(0).to_pyarrow()
        except Exception as error:
            said = _short(error, url.partition("#")[0])
            raise InputError(f"{where}: the table {one!r:.200} cannot be read: {said}") from error
    return found


def _opened(name: str, url: str, expected: str) -> tuple[str, Any, str, str]:
    """Return what messages begin with, the connection, the schema and the table; either may be empty."""
    address, _, path = url.partition("#")
    try:
        urlsplit(address)
    except ValueError:
        raise InputError(f"{name}: the URL of its database cannot be read; {expected}") from None
    schema, _, table = unquote(path).rpartition(".")
    where = f"{name}: {title(address)}"
    kind = address.partition("://")[0].lower()
    if kind in FILES:
        raise InputError(f"{where}: {kind} is no database; fetch the file first, and name its path; {expected}")
    if "+" in kind:
        raise InputError(
            f"{where}: write {kind.partition('+')[0]}://, without a driver, which Ibis chooses; {expected}"
        )
    try:
        return where, _connected(address), schema, table
    except ImportError as error:
        raise InputError(f"{where}: its driver is not installed; pip install 'ibis-framework[{kind}]'") from error
    except Exception as error:
        raise InputError(f"{where} cannot be reached: {_short(error, address)}; {expected}") from error


def _table(where: str, backend: Any, schema: str, table: str) -> ibis.Table:
    try:
        found: ibis.Table = backend.table(table, database=schema or None)
    except Exception as error:
        named = ".".join(filter(None, (schema, table)))
        raise NoTableError(f"{where} has no table {named!r:.200}.{near(table, _tables(backend, schema))}") from error
    return found


@cache
def _connected(address: str) -> Any:
    """Connect once a process, so that two tables of one database can be joined there."""
    import ibis

    postgres = address.lower().startswith(("postgres://", "postgresql://"))
    backend: Any = ibis.connect(address, **({"connect_timeout": SECONDS} if postgres else {}))
    atexit.register(backend.disconnect)
    return backend


def _tables(backend: Any, schema: str) -> list[str]:
    try:
        return list(backend.list_tables(database=schema or None))
    except Exception:
        return []


def _short(error: BaseException, address: str) -> str:
    """Return the error in one line, without what may be a secret."""
    text = " ".join(str(error).split()).replace(address, "the URL")
    secret = urlsplit(address).password or ""
    for hidden in {secret, unquote(secret)} - {""}:
        text = text.replace(hidden, "***")
    return f"{type(error).__name__}: {text[:MOST]}"
