"""What a dependency promises, as a mapping of fields to types, and what has changed in it since somebody agreed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.dependencies import documents
from mltestscore.errors import InputError, near
from mltestscore.inputs import warehouse
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.sources import FUNCTION, READERS, SAME_FORMAT

if TYPE_CHECKING:
    import ibis

UNKNOWN = "unknown"
"""The type of a column without any value: files of text, and frames, then do not know it."""
SQLITE_URL = "sqlite:///"
MAX_BYTES = 8 * 2**20  # of a schema; longer ones, and a model's weights, are known by their digest alone
FIRST = 1_000  # rows among which most columns have a value
SECONDS = 10.0  # for a schema to be fetched
ELSE = "correct contract, or keep a copy of the schema beside the manifest"
TABLES = {*READERS, *SAME_FORMAT}


class GoneError(InputError):
    """What was to be read is not there any more: the largest of changes, where it was there before."""


@dataclass(frozen=True)
class Contract:
    """Fields and their types; their order means nothing."""

    fields: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Sixteen hex digits over fields and types, in any order."""
        text = json.dumps(sorted(self.fields.items()), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def changes(before: Contract, now: Contract) -> list[str]:
    """Return what differs, by field; a type that is unknown on either side is no change.

    >>> changes(Contract({"temp": "number", "hour": "time"}), Contract({"hour": "time", "t": "number"}))
    ["'temp' is gone", "'t' is new (temp renamed?)"]
    """
    gone = [name for name in before.fields if name not in now.fields]
    new = [name for name in now.fields if name not in before.fields]
    found = [f"{name!r:.80} is gone" for name in gone]
    for name in new:
        alike = [one for one in gone if before.fields[one] == now.fields[name]]
        hint = f" ({alike[0]:.80} renamed?)" if len(alike) == 1 and len(new) == 1 else ""
        found.append(f"{name!r:.80} is new{hint}")
    for name, kind in now.fields.items():
        other = before.fields.get(name, kind)
        if kind != other and UNKNOWN not in (kind, other):
            found.append(f"{name!r:.80} is {kind:.80}, not {other:.80}")
    return found


def read_contract(source: str, base: Path) -> Contract:
    """Return what ``source`` promises now.

    Args:
        source: a schema (JSON Schema, OpenAPI, Avro as JSON or YAML, TOML, SQL's CREATE TABLE, Protocol Buffers and
            the like as text), a table whose columns are the contract (Parquet, CSV, JSON lines, a database's by URL
            with ``#table``), the URL of a schema, ``"module:function"`` that returns any of these, or any other file,
            which is known by its digest.
        base: the folder that paths and modules are relative to.

    Raises :class:`GoneError` where nothing is there, :class:`InputError` where it cannot be read.
    """
    if FUNCTION.fullmatch(source):
        return _returned(source, base)
    if source.lower().startswith(("http://", "https://")):
        return Contract(documents.fields_of(*_fetched(source)))
    if source.lower().startswith(SQLITE_URL):
        return _sqlite(source[len(SQLITE_URL) :], base)
    if warehouse.is_address(source):
        return _warehouse(source)
    if any(sign in source for sign in "*?[") or TABLES & {ending.lower() for ending in Path(source).suffixes}:
        return _table(source, base)
    file = base / source
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise GoneError(f"there is no file {source!r:.200} in {base.resolve()}.{near(file.name, beside)}")
    return _file(file)


def _returned(source: str, base: Path) -> Contract:
    try:
        thing = import_function(source, base=base, setting="contract")()
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{source} raised {type(error).__name__}: {error!s:.300}") from error
    if isinstance(thing, Mapping | list | tuple):
        return Contract(documents.flat(thing))
    if isinstance(thing, str):
        return read_contract(thing, base)
    return _columns(source, thing, base)


def _table(source: str, base: Path) -> Contract:
    path = base / source
    pattern = any(sign in source for sign in "*?[")
    if pattern and not glob(str(path), recursive=True):  # noqa: PTH207 - a pattern may be absolute
        raise GoneError(f"no file matches {source!r:.200} in {base.resolve()}")
    if not pattern and not path.exists():
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise GoneError(f"there is no file {source!r:.200} in {base.resolve()}.{near(path.name, beside)}")
    return _columns(source, source, base)


def _columns(title: str, source: object, base: Path) -> Contract:
    """Return the columns of data with the family of their type: pandas writes integers with gaps as floats."""
    from mltestscore.inputs.database import as_table
    from mltestscore.inputs.sources import frame_to_arrow, open_source

    content = open_source(f"contract {title:.200}", source, base)
    table = content.table
    if table is None:
        table = as_table(frame_to_arrow(content.frame) if content.frame is not None else content.arrow)
    found = {str(name): _family(kind) for name, kind in table.schema().items()}
    try:
        return Contract(found | dict.fromkeys(_empty(table), UNKNOWN))
    except Exception as error:  # of whatever database holds it
        raise InputError(f"{title:.200} cannot be read: {type(error).__name__}: {error!s:.200}") from error


def _family(kind: Any) -> str:
    if kind.is_boolean():
        return "boolean"
    if kind.is_numeric():
        return "number"
    if kind.is_string() or kind.is_json():
        return "text"
    if kind.is_timestamp():
        return "time with zone" if kind.timezone else "time"
    return UNKNOWN if kind.is_null() else str(kind).lstrip("!")


def _empty(table: ibis.Table) -> list[str]:
    """Return the columns without any value: a file then names a type for them that may as well be another."""
    first = table.limit(FIRST).to_pyarrow()
    bare = [name for name in table.columns if first[name].null_count == len(first)]
    if len(first) < FIRST:
        return bare
    return [name for name in bare if not len(table.filter(table[name].notnull()).select(name).limit(1).to_pyarrow())]


def _sqlite(address: str, base: Path) -> Contract:
    """Return a table's columns with the types that its definition names; the file is opened read-only."""
    path, _, table = address.partition("#")
    file = base / path
    if not table:
        raise InputError(f'{SQLITE_URL}{address:.200} names no table; write "{SQLITE_URL}{path:.200}#table"')
    if not file.is_file():
        raise GoneError(f"there is no file {path!r:.200} in {base.resolve()}")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            rows = connection.execute('SELECT name, type, "notnull" FROM pragma_table_info(?)', (table,)).fetchall()
            listed = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    except sqlite3.Error as error:
        raise InputError(f"{path:.200} cannot be read as SQLite: {error}") from error
    if not rows:
        raise GoneError(f"{path:.200} has no table {table!r:.80}.{near(table, [name for (name,) in listed])}")
    return Contract({str(name): f"{kind or 'any'}{' not null' if fixed else ''}" for name, kind, fixed in rows})


def _warehouse(url: str) -> Contract:
    try:
        schema = warehouse.table_at("contract", url).schema()
    except warehouse.NoTableError as error:
        raise GoneError(str(error)) from error
    return Contract({str(name): str(kind) for name, kind in schema.items()})


def _fetched(url: str) -> tuple[str, bytes]:
    """Return the name and the content of what lies at a URL."""
    import httpx

    from mltestscore.serving.urls import redact

    shown, content = redact(url)[:200], b""
    try:
        with httpx.stream("GET", url, timeout=SECONDS, follow_redirects=True) as response:
            if response.status_code in (404, 410):
                raise GoneError(f"{shown} answers {response.status_code}: nothing is there")
            if response.is_error:
                raise InputError(f"{shown} answers {response.status_code}; {ELSE}")
            for piece in response.iter_bytes():
                content += piece
                if len(content) > MAX_BYTES:
                    raise InputError(f"{shown} holds more than {MAX_BYTES:,} bytes, too many for a schema; {ELSE}")
    except httpx.HTTPError as error:
        raise InputError(f"{shown} cannot be fetched: {type(error).__name__}; {ELSE}") from error
    return url.partition("?")[0].rpartition("/")[2], content


def _file(file: Path) -> Contract:
    with file.open("rb") as stream:
        if documents.knows(file.name) and file.stat().st_size <= MAX_BYTES:
            return Contract(documents.fields_of(file.name, stream.read()))
        return Contract({"sha256": hashlib.file_digest(stream, "sha256").hexdigest()})
