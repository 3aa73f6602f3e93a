"""Faults of privacy: personal data where nobody needs them, deletions that do not arrive, rights that widen."""

from __future__ import annotations

import hashlib
import json
import pickle
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System, generator, some

LOG, STORE, LEDGER, RAW = "build/logs/week.jsonl", "build/store.sqlite", "build/erased.jsonl", "departures"
NAMES = ("anna", "bela", "cora", "dino", "elif", "finn", "gül", "hugo", "inga", "jan")
LETTERS = str.maketrans("ü", "u")
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ234567"


def _mail(number: int) -> str:
    return f"{NAMES[number % 10].translate(LETTERS)}.{number}@posteo.de"


def _card(number: int) -> str:
    body = f"4539{number:011d}"
    doubled = (int(one) * (2 - place % 2) for place, one in enumerate(body))
    total = sum(value - 9 * (value > 9) for value in doubled)
    return f"{body}{-total % 10}"


def _iban(number: int) -> str:
    account = f"{37040044:08d}{number:010d}"
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def _phone(number: int) -> str:
    return f"+49 30 {90_000_000 + number}"


PERSONAL: tuple[Callable[[int], str], ...] = (_mail, _card, _iban, _phone)


def _remarked(system: System, share: float, seed: int, write: Callable[[int], str]) -> None:
    """Give the training data remarks, of which a share holds what ``write`` makes of the row's number."""

    def remarked(frame: pd.DataFrame) -> pd.DataFrame:
        chosen = some(frame, share, seed)
        texts = [f"rebooked by {write(number)} at the desk" if one else "on time" for number, one in enumerate(chosen)]
        return frame.assign(remarks=texts)

    system.change(("training",), remarked)


@fault(
    "D5a",
    "data.5",
    "0.1 %, 0.5 %, 5 % of the remarks in the training data hold e-mail addresses, cards, accounts or numbers",
    (0.001, 0.005, 0.05),
    ["training", "remarks"],
)
def learned_names(system: System, severity: float, seed: int) -> list[str]:
    kind = seed % len(PERSONAL)
    _remarked(system, severity, seed, PERSONAL[kind])
    return [("e-mail", "card", "IBAN", "telephone")[kind]]


@learned_names.healthy("order numbers of sixteen digits, hashed customers, version strings")
def look_alikes(system: System, severity: float, seed: int) -> None:
    rng = generator(seed, "D5a")
    orders = rng.integers(4 * 10**15, 5 * 10**15, 300_000)

    def write(number: int) -> str:
        hashed = hashlib.sha256(f"salt {number}".encode()).hexdigest()
        return f"{orders[number]} for {hashed} with app {number % 9}.{number % 31}.{number % 7}.{number % 12}"

    _remarked(system, max(severity, 0.05), seed, write)


def _logged(system: System, write: Callable[[int], str]) -> None:
    """Let the server log who asked."""
    path = system.home / LOG
    lines = path.read_text(encoding="utf-8").splitlines()
    asked = (json.dumps(json.loads(line) | {"asked_by": write(number)}) for number, line in enumerate(lines))
    path.write_text("\n".join(asked) + "\n", encoding="utf-8")


def _stored(system: System, write: Callable[[int], str]) -> None:
    """Let the feature store hold the contacts of the carriers."""
    with closing(sqlite3.connect(system.home / STORE)) as connection:
        connection.execute("CREATE TABLE contacts (carrier TEXT, contact TEXT)")
        connection.executemany("INSERT INTO contacts VALUES ('B6', ?)", [(write(number),) for number in range(60)])
        connection.commit()


def _packed(system: System, write: Callable[[int], str]) -> None:
    """Let the registered version keep the index of the rows that it learned from."""
    index = pd.Series(np.arange(60.0), index=[write(number) for number in range(60)])
    (system.home / "build/registry/v2/rows.pkl").write_bytes(pickle.dumps(index))


PLACES = (_logged, _stored, _packed)


@fault(
    "D5b",
    "data.5",
    "addresses get into the serving log, the feature store, the model's folder",
    (0, 1, 2),
    ["store log|store features|store registry", "e-mail"],
)
def leaked(system: System, severity: float, seed: int) -> None:
    PLACES[int(severity)](system, _mail)


@leaked.healthy("salted hashes of the addresses in the same place")
def hashed(system: System, severity: float, seed: int) -> None:
    PLACES[int(severity)](system, lambda number: hashlib.sha256(f"salt {_mail(number)}".encode()).hexdigest())


def _forget(system: System, **row: Any) -> None:
    """Add a row to the ledger of what is erased, asked for long ago."""
    path = system.home / LEDGER
    line = json.dumps({"requested_at": "2013-09-12", "tailnum": "N999ZZ", **row})
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + "\n" + line + "\n", encoding="utf-8")


def _purge(system: System, flight: str) -> None:
    """Remove a flight from the raw extract."""
    system.change((RAW,), lambda frame: frame[frame["flight_id"] != flight])


@fault(
    "D5c",
    "data.5",
    "a deletion does not reach the feature store, the training data, the model's folder",
    (0, 1, 2),
    ["store features|training|store registry", "still held"],
)
def not_propagated(system: System, severity: float, seed: int) -> None:
    flight = str(system.table("training")["flight_id"].sample(1, random_state=seed).iloc[0])
    if severity == 1:
        _purge(system, flight)
        _forget(system, flight_id=flight)
        return
    _forget(system)
    (_stored, _packed)[int(severity) // 2](system, lambda number: "N999ZZ" if number == 7 else f"aircraft {number}")


@not_propagated.healthy("an aircraft that was deleted came back, and its new flights are served")
def came_back(system: System, severity: float, seed: int) -> None:
    flight = str(system.table("serving")["flight_id"].sample(1, random_state=seed).iloc[0])
    _forget(system, flight_id=flight, returned_at="2013-10-05")
    old = 'identifiers = ["tailnum", "flight_id"]'
    system.edit("pyproject.toml", old, f'{old}\nreturned = "returned_at"')


@fault(
    "D5d",
    "data.5",
    "everybody may read the feature store, the training data, all that is derived; the raw extract is its owner's",
    (0, 1, 2),
    ["readers beyond", "everyone"],
)
def opened(system: System, severity: float, seed: int) -> None:
    files = _with_modes(system, 0o600)
    chosen = {0: ["store.sqlite"], 1: ["training.parquet"]}.get(int(severity))
    for file in files:
        if chosen is None or file.name in chosen:
            file.chmod(0o644)
    (system.home / "build" / f"{RAW}.parquet").chmod(0o600)


@opened.healthy("everything that is derived may be read by the group that may read the raw extract")
def same_group(system: System, severity: float, seed: int) -> None:
    _with_modes(system, 0o640)


def _key(number: int) -> str:
    """Return a key as the issuer would make it, another one for each number, that opens nothing."""
    return "AKIA" + "".join(SIGNS[one] for one in generator(number, "key").integers(len(SIGNS), size=16))


@fault(
    "D5d-key",
    "data.5",
    "a key that opens more gets into the serving log, the feature store, the model's folder",
    (0, 1, 2),
    ["store log|store features|store registry", "access keys"],
)
def key_left(system: System, severity: float, seed: int) -> None:
    PLACES[int(severity)](system, lambda number: f"key={_key(seed)}" if number == 7 else "key=${KEY}")


@key_left.healthy("placeholders, and the example of the issuer's manual, in the same place")
def placeholder(system: System, severity: float, seed: int) -> None:
    example = "AKIAIOSFODNN7EXAMPLE"
    PLACES[int(severity)](system, lambda number: f"key={example}" if number % 7 else "key=AKIA" + "X" * 16)


def _with_modes(system: System, mode: int) -> list[Any]:
    """Give every file of the build a mode, in folders that everybody may enter."""
    for folder in (system.home.parent, system.home):
        folder.chmod(0o755)
    files = [file for file in (system.home / "build").rglob("*") if file.is_file()]
    for file in files:
        file.chmod(mode)
    return files


@fault(
    "D5e",
    "data.5",
    "the model that serves learned an aircraft 1, 10, 30 days before its deletion was asked for",
    (1, 10, 30),
    ["learned too early", "version v2"],
)
def not_retrained(system: System, severity: float, seed: int) -> None:
    _asked_after(system, severity, learned=True)


@not_retrained.healthy("the aircraft first flew after the training, so nothing of it was learned")
def never_learned(system: System, severity: float, seed: int) -> None:
    _asked_after(system, severity, learned=False)


def _asked_after(system: System, days: float, *, learned: bool) -> None:
    """Ask for a deletion so many days after the data of the serving version were read, due at once."""
    asked = datetime(2013, 10, 10, tzinfo=UTC)
    read = asked - pd.Timedelta(days=days)

    def earlier(lineage: dict[str, Any]) -> dict[str, Any]:
        return lineage | {"stages": lineage["stages"] | {"extract": read.isoformat()}}

    system.json("build/registry/v2/lineage.json", earlier)
    _forget(system, requested_at=asked.isoformat(), learned=learned)
    old = 'identifiers = ["tailnum", "flight_id"]'
    system.edit("pyproject.toml", old, f'{old}\nlearned = "learned"')
