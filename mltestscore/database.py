"""The database behind the history: SQLite made for several writers, or PostgreSQL; one message when it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError as SqliteError
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from mltestscore.errors import ConfigError

WAIT = 30.0
"""Seconds to wait for another writer or for a server; a run writes for some milliseconds."""

LOCK = 0x6D6C7473
"""Number of the PostgreSQL advisory lock under which tables are made (ASCII ``mlts``)."""

SECRETS = ("pass", "token", "secret", "key")
"""A parameter of a URL whose name holds one of these is never shown."""

ELSEWHERE = "Name another file or URL as `history` in [tool.mltestscore]."

REMEDIES = {
    "not a database": "The file is something else or damaged: move it away, and a new history is started. " + ELSEWHERE,
    "malformed": "The file is damaged: move it away, and a new history is started, or restore it from a backup.",
    "readonly": "Make the file and its folder writable. " + ELSEWHERE,
    "unable to open": "Make the folder exist and writable. " + ELSEWHERE,
    "full": "Free some space on the disk. " + ELSEWHERE,
    "disk I/O error": "See that the disk is sound and has space left. " + ELSEWHERE,
    "locked": f"Another run has kept it busy for {WAIT:.0f} s: let it finish, then run again.",
}
DEFAULT_REMEDY = "See that the database runs and that user, password and rights are correct. " + ELSEWHERE


class Database:
    """A database with transactions that either succeed or raise one :class:`ConfigError` without credentials."""

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        self.name = redacted(self._url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = self._connect()

    @contextmanager
    def transaction(self, done: str, *, write: bool = False) -> Iterator[sql.Connection]:
        """Give a connection inside one transaction; ``done`` says what could not be when it fails ("read")."""
        try:
            with self._engine.connect() as plain:
                connection = plain.execution_options(mltestscore_write=write)
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            cause = str(error.orig) if isinstance(error, DBAPIError) else str(error)
            said = " ".join(self._hidden(cause).split())
            remedy = next((text for words, text in REMEDIES.items() if words in said), DEFAULT_REMEDY)
            raise ConfigError(f"{self.name}: the history could not be {done}: {said}. {remedy}") from None

    def make_tables(self, tables: sql.MetaData, version: sql.Table, newest: int) -> None:
        """Make the tables where there are none, once, however many runs begin together.

        Raises :class:`ConfigError` when they are of another version than ``newest``, the one that we can read.
        """
        with self.transaction("opened", write=True) as connection:
            if not self.is_sqlite:
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(LOCK)))
            if not sql.inspect(connection).has_table(version.name):
                tables.create_all(connection)
                connection.execute(sql.insert(version).values(version=newest))
            found = connection.execute(sql.select(version.c.version)).scalar()
        if found != newest:
            raise ConfigError(
                f"{self.name} is a history of version {found}, and this mltestscore reads version {newest}. "
                f"Install a newer mltestscore: `pip install -U mltestscore`. Or: {ELSEWHERE}"
            )

    def upsert(self, connection: sql.Connection, table: sql.Table, key: str, row: dict[str, Any]) -> None:
        """Insert ``row``, in place of one with the same ``key``."""
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        others = {name: value for name, value in row.items() if name != key}
        connection.execute(insert.values(**row).on_conflict_do_update(index_elements=[key], set_=others))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _connect(self) -> sql.Engine:
        path = _file(self._url)
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            pool = StaticPool if self.is_sqlite and path is None else NullPool  # nothing is held open while a run works
            arguments = {} if self.is_sqlite else {"connect_timeout": int(WAIT)}
            engine = sql.create_engine(self._url, poolclass=pool, connect_args=arguments, hide_parameters=True)
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"{self.name}: the folder of the history cannot be made: {why}. {ELSEWHERE}") from error
        except (SQLAlchemyError, ImportError) as error:
            remedy = "Use sqlite:///folder/file.db, or postgresql://… after `pip install 'psycopg[binary]'`."
            raise ConfigError(
                f"{self.name}: no driver for this database: {self._hidden(str(error))}. {remedy}"
            ) from None
        if self.is_sqlite:
            sql.event.listen(engine, "connect", _tune)
            sql.event.listen(engine, "begin", _begin)
        return engine

    def _hidden(self, text: str) -> str:
        secrets = [self._url.password, *(value for name, value in self._url.query.items() if _is_secret(name))]
        for secret in secrets:
            text = text.replace(str(secret), "***") if secret else text
        return text


def redacted(url: sql.URL) -> str:
    """Return a SQLite file as its path, any other URL without password and secret parameters."""
    if (path := _file(url)) is not None:
        return str(path)
    query = {name: "***" if _is_secret(name) else value for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)


def _parse(url: str) -> sql.URL:
    """Return the URL with its driver; what cannot be parsed is not repeated, because it may hold a password."""
    try:
        parsed = sql.make_url(url) if "://" in url else sql.URL.create("sqlite", database=url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "[tool.mltestscore] history is not a database URL that can be read. Write a path, or "
            "sqlite:///folder/file.db, or postgresql://user:password@host:5432/database."
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ConfigError(f"{redacted(parsed)}: a history lies in sqlite:/// or postgresql://. {ELSEWHERE}")
    return parsed


def _is_secret(name: str) -> bool:
    return any(part in name.lower() for part in SECRETS)


def _file(url: sql.URL) -> Path | None:
    """Return the file of a SQLite URL, ``None`` for a database in memory or on a server."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


def _tune(connection: SqliteConnection, _record: object) -> None:
    """Make SQLite wait for other writers, and let readers work beside one (write-ahead log)."""
    connection.isolation_level = None  # we begin transactions ourselves, see _begin
    connection.execute(f"PRAGMA busy_timeout = {WAIT * 1000:.0f}")
    until = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")  # kept in the file; no effect where it is set already
            return
        except SqliteError as error:  # the busy timeout does not cover this statement
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)


def _begin(connection: sql.Connection) -> None:
    """Take the write lock at the start of a transaction that writes: one that began by reading cannot wait for it."""
    write = connection.get_execution_options().get("mltestscore_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
