"""Where notifications end, and whether one is there: files and folders of mail, queues, tables, webhooks, functions."""

from __future__ import annotations

import email
import email.policy
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mltestscore.dependencies.contracts import SQLITE_URL
from mltestscore.dependencies.receiver import Receiver
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import warehouse
from mltestscore.inputs.sources import FUNCTION

WEBHOOK = "webhook"
MAX_BYTES = 16 * 2**20  # of a file that is searched whole; of a longer one, what came since
MAX_FILES = 20_000
ENCODED = (b"base64", b"quoted-printable", b"=?utf-8?", b"=?us-ascii?", b"=?iso-8859")
SEVERAL = frozenset({".jsonl", ".ndjson", ".log", ".mbox", ".csv", ".tsv", ".db", ".sqlite", ".parquet", ".gz"})
MAX_OWN = 64 * 2**10
"""A file that came with the probe, of no such ending and below such a size, holds it alone: it may be removed."""
BUSY = 5.0  # seconds to wait for a database that somebody else is writing


class Sink(Protocol):
    """One place; ``address`` stands for ``{sink}`` in the command that notifies."""

    address: str

    def holds(self, token: str) -> bool:
        """Say whether a message with the token has come."""

    def remove(self, token: str) -> None:
        """Take that message away again."""


@contextmanager
def opened(sink: str, folder: Path, *, only_new: bool = True) -> Iterator[Sink]:
    """Give the sink that ``sink`` names; what is listening for it stops afterwards.

    With ``only_new``, what lies in files already is not looked at again.
    """
    if sink == WEBHOOK:
        with Receiver() as receiver:
            yield _Webhook(receiver.url, receiver.messages)
    elif FUNCTION.fullmatch(sink):
        yield _Function(sink, folder)
    elif sink.lower().startswith(SQLITE_URL):
        path, _, table = sink[len(SQLITE_URL) :].partition("#")
        yield _SQLite(sink, folder / path, table)
    elif warehouse.is_address(sink):
        yield _Warehouse(warehouse.title(sink), sink)
    else:
        yield _Files(str(folder / sink), folder / sink, _now(folder / sink) if only_new else {})


def refuse(sink: str, folder: Path, remove: bool) -> None:
    """Raise :class:`ConfigError` for a sink without a table, or one from which nothing can be removed safely."""
    is_table = sink.lower().startswith(SQLITE_URL)
    if (is_table or warehouse.is_address(sink)) and not sink.partition("#")[2]:
        raise ConfigError(f'sink = {warehouse.title(sink)!r:.200} names no table; write it after a "#".')
    place = folder / sink
    is_folder = place.is_dir() or not (place.exists() or place.suffix or ":" in sink)
    if remove and not (is_table or sink == WEBHOOK or is_folder):
        raise ConfigError(
            "remove = true: a probe can be taken out of a folder of messages or an SQLite table; from a file or a "
            "queue that others write, their messages could be lost with it. Leave it: it says that it is a probe."
        )


def contains(content: bytes, token: str) -> bool:
    """Say whether a message, or a file of mails, holds the token, encoded as mail or not."""
    if token.encode() in content:
        return True
    if not any(sign in content.lower() for sign in ENCODED):
        return False
    mails = re.split(rb"^From [^\n]*\n", content, flags=re.MULTILINE)
    return any(token in text for mail in mails if mail.strip() for text in _texts(mail))


def _texts(content: bytes) -> Iterator[str]:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    with suppress(Exception):  # headers of strangers' mails need not be well-formed
        yield str(mail["Subject"])
    for part in mail.walk():
        with suppress(Exception):  # nor their bodies
            if not part.is_multipart():
                body = part.get_payload(decode=True)
                yield body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


@dataclass
class _Webhook:
    address: str
    messages: list[bytes]

    def holds(self, token: str) -> bool:
        return any(contains(one, token) for one in list(self.messages))

    def remove(self, token: str) -> None:
        self.messages[:] = [one for one in self.messages if not contains(one, token)]


@dataclass
class _Function:
    address: str
    folder: Path

    def holds(self, token: str) -> bool:
        from mltestscore.codetests.sandbox import run_python
        from mltestscore.dependencies.call_process import ARRIVED, MISSING

        words = ["-m", "mltestscore.dependencies.call_process", "holds", self.address, token]
        done = run_python(words, sandbox=self.folder, home=self.folder, timeout=60.0)
        if done.code not in (ARRIVED, MISSING):
            raise InputError(f"sink {self.address:.200} did not answer. It said:\n{done.said}")
        return done.code == ARRIVED

    def remove(self, token: str) -> None:
        """What a function reads is not ours to change."""


@dataclass
class _SQLite:
    address: str
    file: Path
    table: str

    def holds(self, token: str) -> bool:
        return bool(self.file.is_file() and self._matching("SELECT count(*) FROM", token, "ro"))

    def remove(self, token: str) -> None:
        self._matching("DELETE FROM", token, "rw")

    def _matching(self, action: str, token: str, mode: str) -> int:
        quoted = '"' + self.table.replace('"', '""') + '"'
        try:
            uri = f"{self.file.resolve().as_uri()}?mode={mode}"
            with closing(sqlite3.connect(uri, uri=True, timeout=BUSY)) as connection:
                columns = [
                    name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (self.table,))
                ]
                if not columns:
                    return 0  # the table may come with its first message
                where = " OR ".join('instr("' + name.replace('"', '""') + '", ?)' for name in columns)
                row = connection.execute(f"{action} {quoted} WHERE {where}", [token] * len(columns)).fetchone()
                connection.commit()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY and mode == "ro":
                return 0  # somebody is writing: the next look tells
            raise InputError(f"sink {self.address:.200}: {error}") from error
        return int(row[0]) if row else 0


@dataclass
class _Warehouse:
    address: str
    url: str

    def holds(self, token: str) -> bool:
        import ibis

        try:
            table = warehouse.table_at("sink", self.url)
        except warehouse.NoTableError:
            return False  # it may come with its first message
        texts = [table[name].cast("string").contains(token).fill_null(False) for name in table.columns]
        return bool(table.filter(ibis.or_(*texts)).limit(1).count().to_pyarrow().as_py())

    def remove(self, token: str) -> None:
        """Refused by the configuration."""


@dataclass
class _Files:
    """A file that grows (JSON lines, mbox, a log), or a folder in which each message is a file (Maildir)."""

    address: str
    place: Path
    before: Mapping[Path, tuple[int, int]] = field(default_factory=dict)

    def holds(self, token: str) -> bool:
        return any(True for _ in self._holding(token))

    def remove(self, token: str) -> None:
        for file in list(self._holding(token)):
            own = file not in self.before and file.suffix.lower() not in SEVERAL
            if self.place.is_dir() and own and file.stat().st_size < MAX_OWN:
                file.unlink(missing_ok=True)

    def _holding(self, token: str) -> Iterator[Path]:
        for file, state in _now(self.place).items():
            if self.before.get(file) != state and contains(_read(file, self.before.get(file, (0, 0))[1]), token):
                yield file


def _now(place: Path) -> dict[Path, tuple[int, int]]:
    """Return time and size of each file there."""
    found = {}
    files = place.rglob("*") if place.is_dir() else [place]
    for file in files:
        with suppress(OSError):
            status = file.stat()
            if file.is_file():
                found[file] = (status.st_mtime_ns, status.st_size)
        if len(found) > MAX_FILES:
            raise InputError(f"sink {place} holds more than {MAX_FILES:,} files; name the folder of new messages.")
    return found


def _read(file: Path, known: int) -> bytes:
    with suppress(OSError), file.open("rb") as stream:
        size = file.stat().st_size
        if size > MAX_BYTES:
            stream.seek(max(min(known, size), size - MAX_BYTES))
        return stream.read(MAX_BYTES)
    return b""
