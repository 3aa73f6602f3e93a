"""Who asked to be forgotten: the team's ledger of deletions, one row an identifier or a set of identifiers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from mltestscore.errors import InputError, near
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.sources import FUNCTION

_TABLE = "[tool.mltestscore.deletions]"
MAX_ROWS = 1_000_000
MAX_LENGTH = 500  # characters of an identifier
EXAMPLE = "write it as in 2026-11-01 or 2026-11-01T12:00:00+00:00"


@dataclass(frozen=True)
class Deletion:
    """One subject's request to be forgotten.

    Attributes:
        subject: the first identifier's value, which names the subject.
        values: all values by which the subject is known, by the identifier's name.
        requested_at: when the deletion was asked for, UTC.
        deadline: when it must have reached every store and model; ``None``: the check's option says how long it may
            take.
        returned_at: when the subject came back and consented anew: data from then on are lawful.
        learned: whether the subject's data were in training data when the request came; ``None`` when not recorded.
    """

    subject: str
    values: Mapping[str, tuple[str, ...]]
    requested_at: datetime
    deadline: datetime | None = None
    returned_at: datetime | None = None
    learned: bool | None = None

    def due(self, now: datetime, days: float) -> bool:
        """Say whether the deadline has passed; without one of its own, ``days`` after the request."""
        return (self.deadline or self.requested_at + timedelta(days=days)) < now


@dataclass(frozen=True)
class Deletions:
    """The ledger.

    Attributes:
        source: the file or function.
        identifiers: the names of the identifiers, the naming one first.
        entries: one a subject, in the order of the ledger.
        digest: of the content; empty for a changed copy.
    """

    source: str
    identifiers: tuple[str, ...]
    entries: tuple[Deletion, ...]
    digest: str = ""

    def due(self, now: datetime, days: float) -> tuple[Deletion, ...]:
        """Return the deletions whose deadline has passed."""
        return tuple(one for one in self.entries if one.due(now, days))

    def plus(self, *entries: Deletion) -> Deletions:
        """Return a ledger with further entries: how a fault plants a subject."""
        return replace(self, entries=(*self.entries, *entries), digest="")


def read_deletions(
    source: str,
    identifiers: Sequence[str],
    *,
    requested: str = "requested_at",
    deadline: str = "",
    returned: str = "",
    learned: str = "",
    base: Path = Path(),
) -> Deletions:
    """Read a ledger of JSON lines or CSV, or the frame that ``"module:function"`` returns; it may be empty.

    Args:
        source: the file or function, relative to ``base``.
        identifiers: the columns that identify a subject, the naming one first; a row may lack the others.
        requested: the column with the time of the request.
        deadline: the column with the time by which it must be done, if there is one.
        returned: the column with the time from which the subject consents anew, if there is one.
        learned: the column that says whether the subject's rows were in training data, if there is one.
        base: the project's folder.

    Rows with the same naming identifier are one subject; dates without a time zone are in UTC.

    Raises :class:`InputError` that names the row, what was found and what was expected.
    """
    if not identifiers:
        raise InputError(f"{_TABLE} identifiers is empty; name the columns of {source} that identify a subject.")
    rows = _rows(source, base)
    optional = {"deadline": deadline, "returned": returned, "learned": learned}
    needed = [identifiers[0], requested, *(name for name in (*identifiers[1:], *optional.values()) if name)]
    known = {str(name) for row in rows for name in row}
    for name in needed:
        if rows and name not in known:
            raise InputError(f"{source} has no column {name!r}.{near(name, known)}")
    entries: dict[str, Deletion] = {}
    for number, row in enumerate(rows, start=1):
        entry = _entry(row, f"{source}, row {number}", identifiers, requested, optional)
        entries[entry.subject] = _joined(entries[entry.subject], entry) if entry.subject in entries else entry
    digest = hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()[:16]
    return Deletions(source, tuple(identifiers), tuple(entries.values()), digest)


def _entry(
    row: Mapping[str, object], where: str, identifiers: Sequence[str], requested: str, optional: Mapping[str, str]
) -> Deletion:
    subject = _text(row.get(identifiers[0]))
    if not subject:
        raise InputError(f"{where} has no {identifiers[0]!r}, the identifier that names the subject; write it.")
    values = {name: tuple(_texts(row.get(name))) for name in identifiers}
    if (longest := max((len(one) for held in values.values() for one in held), default=0)) > MAX_LENGTH:
        raise InputError(f"{where} has an identifier of {longest} characters; at most {MAX_LENGTH} are searched.")
    asked = _time(row.get(requested), f"{where}: {requested}")
    if asked is None:
        raise InputError(f"{where}: {requested} is missing; {EXAMPLE}.")
    times = (optional["deadline"], optional["returned"])
    until, back = (_time(row.get(name), f"{where}: {name}") if name else None for name in times)
    learned = optional["learned"]
    return Deletion(subject, values, asked, until, back, _truth(row.get(learned), f"{where}: {learned}"))


def _joined(first: Deletion, more: Deletion) -> Deletion:
    """Return one entry of two rows about a subject; the latest return counts, the earliest request and deadline."""
    values = {name: tuple(dict.fromkeys((*first.values[name], *more.values[name]))) for name in first.values}
    learned = first.learned if more.learned is None else (first.learned or more.learned)
    return Deletion(
        first.subject,
        values,
        min(first.requested_at, more.requested_at),
        min(filter(None, (first.deadline, more.deadline)), default=None),
        max(filter(None, (first.returned_at, more.returned_at)), default=None),
        learned,
    )


def _rows(source: str, base: Path) -> list[dict[str, Any]]:
    rows = _returned(source, base) if FUNCTION.fullmatch(source) else _file_rows(base / source)
    if len(rows) > MAX_ROWS:
        raise InputError(f"{source} holds {len(rows)} rows; at most {MAX_ROWS} are read. Leave out what is long done.")
    return rows


def _returned(source: str, base: Path) -> list[dict[str, Any]]:
    try:
        frame = import_function(source, base=base, setting=f"{_TABLE} source")()
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{source} raised {type(error).__name__}: {error!s:.300}") from error
    if not hasattr(frame, "to_dict") or not hasattr(frame, "columns"):
        raise InputError(f"{source} returned a {type(frame).__name__}; expected a pandas frame, one row a deletion.")
    clean = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in clean.to_dict("records")]


def _file_rows(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"{_TABLE} source: there is no file {file}.{near(file.name, beside)}")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}. Make it a readable UTF-8 file.") from None
    if file.suffix.lower() in (".csv", ".tsv"):
        delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
        return [dict(row) for row in csv.DictReader(io.StringIO(text), delimiter=delimiter)]
    return list(_objects(text.splitlines(), file))


def _objects(lines: Iterable[str], file: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{file}, line {number} is not valid JSON: {error}. Correct that line.") from None
        if not isinstance(row, dict):
            raise InputError(f"{file}, line {number} holds a {type(row).__name__}; expected an object a line.")
        yield row


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _texts(value: object) -> list[str]:
    """Return the texts of one value, or of a list of values."""
    values = value if isinstance(value, list | tuple) else [value]
    return [text for text in map(_text, values) if text]


def _time(value: object, where: str) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            value = value.isoformat()
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where} is {value!r:.80}, which is no time; {EXAMPLE}.") from None


def _truth(value: object, where: str) -> bool | None:
    words = {"true": True, "yes": True, "false": False, "no": False}
    if value is None or value == "":
        return None
    if isinstance(value, bool | int | float):
        return bool(value)
    found = words.get(str(value).strip().lower())
    if found is None:
        raise InputError(f"{where} is {value!r:.80}; expected true or false.")
    return found
