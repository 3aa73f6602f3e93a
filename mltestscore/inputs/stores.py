"""Places that hold data of people, raw or derived: files, folders, databases; each a set of tables and who reads it.

A file that is no table (a model artefact, a configuration) becomes a table of the texts that it holds, so that one
search finds a subject everywhere.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs import access as rights
from mltestscore.inputs import warehouse
from mltestscore.inputs.access import Access
from mltestscore.inputs.artefact import texts_of_file
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.sources import FUNCTION, READERS, SAME_FORMAT, Content, missing_as_null, tidy

MAX_FILES = 2_000
MAX_ROWS = 2_000_000  # of a table in an SQLite file; more are not searched, and the store says so
SQLITE = b"SQLite format 3\0"
SQLITE_URL = "sqlite:///"  # such a database is a file, and read as one: its columns may mix types
TEXT = "text"  # the column of a table of texts
TABLES = {*READERS, *SAME_FORMAT}


@dataclass(frozen=True)
class Store:
    """One place.

    Attributes:
        name: how checks and messages call it.
        source: as the team wrote it, without a password.
        tables: what it holds, by name.
        raw: whether it holds what users gave, rather than what was derived from that.
        derived_from: the raw stores that it was derived from; empty: all of them.
        access: who may read it.
        columns: the identifier that a column holds, where its name is another.
        unread: what could not be searched in full, and why.
    """

    name: str
    source: str
    tables: Mapping[str, Dataset]
    raw: bool = False
    derived_from: tuple[str, ...] = ()
    access: Access = field(default_factory=Access)
    columns: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def with_table(self, name: str, frame: pd.DataFrame) -> Store:
        """Return a copy in which one table holds other rows."""
        return replace(self, tables={**self.tables, name: self.tables[name].replace(frame)})


@dataclass(frozen=True)
class Stores:
    """All places that were offered, in the order of the configuration."""

    stores: tuple[Store, ...]

    def __iter__(self) -> Iterator[Store]:
        return iter(self.stores)

    @property
    def source(self) -> str:
        """What was offered, for the reader."""
        return ", ".join(f"{store.name}: {store.source}" for store in self.stores)

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits over what the stores hold, how they were declared and who reads them."""
        content = hashlib.sha256()
        for one in self.stores:
            declared = (one.name, one.raw, one.derived_from, one.access.kind, sorted(one.access.readers))
            content.update(repr((*declared, sorted(one.columns.items()), one.unread)).encode("utf-8", "replace"))
            for name, table in one.tables.items():
                content.update(f"{name}\0{table.digest}\n".encode("utf-8", "replace"))
        return content.hexdigest()[:16]

    @property
    def raw(self) -> tuple[Store, ...]:
        """The raw stores."""
        return tuple(store for store in self.stores if store.raw)

    @property
    def derived(self) -> tuple[Store, ...]:
        """The derived stores."""
        return tuple(store for store in self.stores if not store.raw)

    def sample(self, rows: int) -> Stores:
        """Return a copy in memory of at most ``rows`` rows of each table."""
        return Stores(
            tuple(
                replace(one, tables={name: table.sample(rows) for name, table in one.tables.items()})
                for one in self.stores
            )
        )

    def replace(self, *changed: Store) -> Stores:
        """Return a copy with other stores in the place of those of the same names."""
        named = {store.name: store for store in changed}
        return Stores(tuple(named.get(store.name, store) for store in self.stores))


def open_store(
    name: str,
    source: str | Sequence[str],
    *,
    raw: bool = False,
    derived_from: Sequence[str] = (),
    access: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    time: str = "",
    base: Path = Path(),
) -> Store:
    """Open a store: files or globs, a folder with all that is below it, a database URL, or ``"module:function"``.

    Args:
        name: how checks call it.
        source: tables (Parquet, CSV, JSON lines), SQLite files and any other file, relative to ``base``; or the URL
            of a database, whose tables are searched where they are, as :mod:`mltestscore.inputs.warehouse` reads it.
        raw: whether it holds what users gave.
        derived_from: the raw stores that it comes from.
        access: who may read it, where the rights of files do not say so.
        columns: the identifier that a column holds, where its name is another.
        time: the column of its tables that says when a row was true, where they have it.
        base: the project's folder.

    Raises :class:`InputError` when nothing is there or the database does not answer.
    """
    named = [source] if isinstance(source, str) else list(source)
    if not named:
        raise InputError(f"store {name}: the list of sources is empty; name a file, a folder or a database.")
    held = _Held(name, base, time)
    for one in named:
        held.open(one)
    of_files = rights.of_files(held.files) if held.files else Access()
    readers = rights.declared(access) if access else of_files
    shown = f"{_shown(named[0])} and {len(named) - 1} more" if len(named) > 1 else _shown(named[0])
    given = {"raw": raw, "derived_from": tuple(derived_from), "columns": dict(columns or {})}
    return Store(name, shown, held.tables, access=readers, unread=tuple(held.unread), **given)  # type: ignore[arg-type]


class _Held:
    """The tables and files that a store turns out to hold."""

    def __init__(self, name: str, base: Path, time: str) -> None:
        self.name, self.base, self.time = name, base, time
        self.tables: dict[str, Dataset] = {}
        self.files: list[Path] = []
        self.unread: list[str] = []

    def open(self, source: str) -> None:
        if FUNCTION.fullmatch(source):
            self.keep(open_dataset(source, source, base=self.base))
        elif source.lower().startswith(SQLITE_URL):
            self.open(source[len(SQLITE_URL) :])
        elif warehouse.is_address(source):
            self.database(source)
        else:
            for file in self.found(source):
                self.files.append(file)
                self.file(file)

    def found(self, pattern: str) -> list[Path]:
        """Return the files that a path, a folder or a glob names."""
        path = self.base / pattern
        if path.is_dir():
            files = [one for one in sorted(path.rglob("*")) if one.is_file()]
        elif path.is_file():
            files = [path]
        else:
            anchor = Path(path.anchor or ".")
            files = [one for one in sorted(anchor.glob(str(path.relative_to(anchor)))) if one.is_file()]
        if not files:
            raise InputError(f"store {self.name}: nothing is at {pattern!r} in {self.base.resolve()}; write the store.")
        if len(files) > MAX_FILES:
            self.unread.append(f"{len(files) - MAX_FILES} of {len(files)} files at {pattern}")
        return files[:MAX_FILES]

    def file(self, file: Path) -> None:
        shown = file.relative_to(self.base).as_posix() if file.is_relative_to(self.base) else str(file)
        if file.stat().st_size == 0:
            return
        with file.open("rb") as stream:
            is_database = stream.read(len(SQLITE)) == SQLITE
        if is_database:
            self.sqlite(file, shown)
        elif not self.table(file, shown):
            self.texts(file, shown)

    def table(self, file: Path, shown: str) -> bool:
        """Open a file as a table; not one of an odd ending or cut off in the middle: those are searched as texts."""
        if not TABLES & set(file.suffixes):
            return False
        try:
            self.keep(open_dataset(shown, str(file), base=self.base))
        except InputError:
            return False
        return True

    def texts(self, file: Path, shown: str) -> None:
        found = texts_of_file(file)
        if not found.complete:
            self.unread.append(f"{shown}: too large to be read in full")
        frame = pd.DataFrame({TEXT: pd.Series(found.texts, dtype="string")})
        self.tables[shown] = Dataset(shown, Content(shown, frame=frame), Roles())

    def sqlite(self, file: Path, shown: str) -> None:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            try:
                self.queried(connection, shown)
            except sqlite3.Error as error:
                raise InputError(f"store {self.name}: {shown} cannot be read as SQLite: {error}.") from error

    def queried(self, connection: sqlite3.Connection, shown: str) -> None:
        connection.text_factory = lambda content: content.decode("utf-8", errors="replace")
        listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        for (table,) in connection.execute(listed).fetchall():
            quoted = table.replace('"', '""')
            cursor = connection.execute(f'SELECT * FROM "{quoted}" LIMIT {MAX_ROWS + 1}')
            self.rows(f"{shown}: {table}", [column[0] for column in cursor.description], cursor.fetchall())

    def database(self, url: str) -> None:
        found = warehouse.tables_at(f"store {self.name}", url)
        if len(found) > MAX_FILES:
            self.unread.append(f"{len(found) - MAX_FILES} of {len(found)} tables at {warehouse.title(url)}")
        for table, held in list(found.items())[:MAX_FILES]:
            roles = Roles(time=self.time if self.time in held.columns else "")
            self.tables[table] = Dataset(table, Content(table, table=missing_as_null(held)), roles)

    def rows(self, table: str, columns: list[str], rows: list[Any]) -> None:
        if len(rows) > MAX_ROWS:
            self.unread.append(f"{table}: more than {MAX_ROWS} rows")
        import pyarrow as pa

        values = list(zip(*rows[:MAX_ROWS], strict=True)) or [()] * len(columns)
        arrays = {name: _array(column) for name, column in zip(columns, values, strict=True)}
        content = Content(table, arrow=tidy(pa.table(arrays)))
        self.tables[table] = Dataset(table, content, Roles(time=self.time if self.time in columns else ""))

    def keep(self, dataset: Dataset) -> None:
        if self.time in dataset.columns:
            dataset.roles = Roles(time=self.time)
        self.tables[dataset.name] = dataset


def _array(values: Sequence[Any]) -> Any:
    """Return an Arrow array; a column that mixes types, as SQLite allows, becomes text."""
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
        return pa.array([None if text is None else str(text) for text in texts], pa.string())


def _shown(source: str) -> str:
    """Return a source as it may be shown: a URL without user, password and query."""
    return warehouse.title(source) if warehouse.is_address(source) else source
