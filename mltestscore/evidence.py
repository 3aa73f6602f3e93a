"""Statements by people, read from TOML: attestations, worth half a point, and waivers, worth only a gate's mercy.

A statement counts only while it is dated, owned, linked and not expired; every other one is returned as rejected with
its reason and never disappears. One file may hold both kinds::

    [[attestation]]                       [[waiver]]
    item = "model.2"                      item = "data.5"
    by = "Ada Example"                    kind = "accepted"              # or "not-applicable"
    date = 2026-10-01                     reason = "deletion job is being rebuilt"
    expires = 2027-04-01                  owner = "Ada Example"
    link = "https://wiki/experiment-7"    date = 2026-10-01
    statement = "one weakened arm"        expires = 2026-12-31
                                          link = "https://tracker/123"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from mltestscore.errors import ConfigError, near
from mltestscore.rubric import rubric
from mltestscore.scorecard import Attestation, Rejected, Waiver
from mltestscore.words.figures import plural

Kind = Literal["attestation", "waiver"]

MAX_DAYS = 366
"""A statement is good for a year at most (a leap year's days), so that every one is looked at again."""

MAX_TEXT = 2_000
"""Characters of one value; statements end up on the scorecard's one page."""

TEXTS: dict[Kind, tuple[str, ...]] = {
    "attestation": ("item", "by", "link"),
    "waiver": ("item", "kind", "reason", "owner", "link"),
}
OPTIONAL: dict[Kind, tuple[str, ...]] = {"attestation": ("statement",), "waiver": ()}
DATES = ("date", "expires")
MISSING = {
    "item": 'it names no item; write item = "data.1" or another of the 28',
    "by": 'it has no owner; write by = "name of the person who attests"',
    "owner": 'it has no owner; write owner = "name of the person who answers for it"',
    "link": 'it has no link; write link = "address of the record that shows it"',
    "reason": 'it gives no reason; write reason = "why the team lives with it"',
    "kind": 'it has no kind; write kind = "accepted" or "not-applicable"',
    "date": "it is undated; write date = YYYY-MM-DD, the day it was made",
    "expires": f"it never expires; write expires = YYYY-MM-DD, at most {MAX_DAYS} days after its date",
}


@dataclass(frozen=True)
class Statements:
    """What people have stated: what counts, and what does not with its reason."""

    attestations: tuple[Attestation, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def unplaced(self) -> tuple[Rejected, ...]:
        """The rejected statements that belong to no item of the rubric, so that no item can show them."""
        return tuple(entry for entry in self.rejected if entry.item not in rubric().ids)


class _RejectedError(Exception):
    """Why one statement does not count."""


def read_statements(attestations: Path | None, waivers: Path | None, today: date) -> Statements:
    """Read both files (``None``: the team has none; the same file twice is fine) and sort the statements by worth.

    Raises :class:`ConfigError` naming file, line and remedy when a file cannot be read, is not TOML or holds tables
    that are neither ``[[attestation]]`` nor ``[[waiver]]``.
    """
    accepted: list[Attestation | Waiver] = []
    rejected: list[Rejected] = []
    for path in dict.fromkeys(path for path in (attestations, waivers) if path is not None):
        for what, entries in _tables(path).items():
            for number, entry in enumerate(entries, 1):
                try:
                    accepted.append(_statement(what, entry, today))
                except _RejectedError as reason:
                    source = f"{path}, {what} {number}"
                    rejected.append(Rejected(item=_item(entry), what=what, source=source, reason=str(reason)))
    return Statements(
        tuple(entry for entry in accepted if isinstance(entry, Attestation)),
        tuple(entry for entry in accepted if isinstance(entry, Waiver)),
        tuple(rejected),
    )


def _tables(path: Path) -> dict[Kind, list[object]]:
    data = _toml(path)
    for name in data:
        if name not in TEXTS:
            raise ConfigError(
                f"{path}: unknown table {name!r}.{near(name, TEXTS)} Write [[attestation]] or [[waiver]]."
            )
    tables: dict[Kind, list[object]] = {}
    for kind in TEXTS:
        entries = data.get(kind, [])
        if not isinstance(entries, list):
            raise ConfigError(
                f"{path}: {kind} must be a list of tables; write [[{kind}]], with two brackets, for each."
            )
        tables[kind] = entries
    return tables


def _toml(path: Path) -> dict[str, Any]:
    remedy = "Statements are UTF-8 TOML with [[attestation]] and [[waiver]] tables."
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = f"Correct the path under [tool.mltestscore], or create the file. {remedy}"
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}. {hint}") from error
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8 text. {remedy}") from error
    except tomllib.TOMLDecodeError as error:
        text = str(error).replace(
            "at end of document", f"at line {content.count(bytes([10])) + 1}, the end of the file"
        )
        raise ConfigError(f"{path} is not valid TOML: {text}. Correct that line. {remedy}") from error


def _statement(what: Kind, entry: object, today: date) -> Attestation | Waiver:
    if not isinstance(entry, Mapping):
        raise _RejectedError(f"it is {entry!r:.80} and not a table; write [[{what}]] and one key a line")
    known = (*TEXTS[what], *OPTIONAL[what], *DATES)
    for key in entry:
        if key not in known:
            raise _RejectedError(f"it has an unknown key {key!r:.80}.{near(key, known)}")
    texts = {key: _text(entry, key) for key in TEXTS[what]}
    texts |= {key: _text(entry, key) for key in OPTIONAL[what] if key in entry}
    if texts["item"] not in rubric().ids:
        raise _RejectedError(f"the rubric has no item {texts['item']!r:.80}.{near(texts['item'], rubric().ids)}")
    _require_link(texts["link"])
    dates = _valid_dates(entry, today)
    if what == "attestation":
        return Attestation.model_validate({**texts, **dates})
    if texts["kind"] not in ("accepted", "not-applicable"):
        raise _RejectedError(f'its kind is {texts["kind"]!r:.80}; it must be "accepted" or "not-applicable"')
    return Waiver.model_validate({**texts, **dates})


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise _RejectedError(f'its {key} is {value!r:.80}; write a text in quotes, {key} = "…"')
    if not value.strip() and key in MISSING:
        raise _RejectedError(MISSING[key])
    if len(value) > MAX_TEXT:
        raise _RejectedError(
            f"its {key} has {len(value)} characters; at most {MAX_TEXT} fit the scorecard, link to the rest"
        )
    return value.strip()


def _require_link(link: str) -> None:
    try:
        scheme = urlsplit(link).scheme
    except ValueError:
        raise _RejectedError(f"its link {link!r:.80} is not an address") from None
    if scheme not in ("", "http", "https"):
        raise _RejectedError(
            f"its link {link!r:.80} has the scheme {scheme!r:.20}; use https:// or a path in the repository"
        )


def _valid_dates(entry: Mapping[str, object], today: date) -> dict[str, str | int]:
    made, expires = (_date(entry, key) for key in DATES)
    if made > today:
        raise _RejectedError(f"it is dated {made}, which is after today, {today}")
    if expires < made:
        raise _RejectedError(f"it expires on {expires}, before its own date, {made}")
    if expires < today:
        raise _RejectedError(
            f"it expired on {expires}, {plural((today - expires).days, 'day')} ago; renew it or take it out"
        )
    if (expires - made).days > MAX_DAYS:
        raise _RejectedError(f"it is valid for {(expires - made).days} days; at most {MAX_DAYS} count")
    return {"date": made.isoformat(), "expires": expires.isoformat(), "days_left": (expires - today).days}


def _date(entry: Mapping[str, object], key: str) -> date:
    value = entry.get(key, "")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and not value.strip():
        raise _RejectedError(MISSING[key])
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise _RejectedError(f"its {key} is {str(value)!r:.80}; write a day as YYYY-MM-DD, without a time")


def _item(entry: object) -> str:
    """Return what the entry calls its item, for the list of rejected ones; empty where that is no text."""
    item = entry.get("item", "") if isinstance(entry, Mapping) else ""
    return item.strip()[:80] if isinstance(item, str) else ""
