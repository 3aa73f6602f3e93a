"""`mltestscore acknowledge`: somebody agrees to what a dependency promises, now or soon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mltestscore.dependencies.acknowledged import Acknowledgement, write_acknowledged
from mltestscore.dependencies.contracts import Contract, read_contract
from mltestscore.errors import InputError, near
from mltestscore.inputs.dependencies import Dependencies
from mltestscore.words.tame import visible

SHOWN = 20


def open_questions(dependencies: Dependencies) -> Iterator[str]:
    """Yield a line for each contract that nobody agreed to, that changed, or that cannot be read."""
    count = 0
    for name, reading in dependencies.readings.items():
        changed = dependencies.changed(name)
        if reading.contract is None and not changed:
            yield visible(f"{name}: cannot be read: {reading.why}")
        elif changed:
            yield visible(f"{name}: {', '.join(changed[:SHOWN])}")
        elif name not in dependencies.acknowledged:
            yield visible(f"{name}: nobody has agreed to it yet")
        else:
            continue
        count += 1
    yield f"{count} to look at; agree with `mltestscore acknowledge NAME --by YOU`." if count else "All are as agreed."


def agree(
    dependencies: Dependencies,
    names: Sequence[str],
    by: str,
    at: datetime,
    upcoming: str,
    file: Path,
    base: Path,
) -> Iterator[str]:
    """Write into ``file`` that ``by`` agrees to what ``names`` promise now; yield what that is.

    With ``upcoming``, an announced contract is accepted beside the present one until the next agreement.

    Raises :class:`InputError` without a person, for an unknown name, or for a contract that cannot be read.
    """
    if not by.strip():
        raise InputError("Say who agrees: --by NAME.")
    if upcoming and len(names) > 1:
        raise InputError("--upcoming is the contract of one dependency; name only that one.")
    held = dict(dependencies.acknowledged)
    for name in names:
        if name not in dependencies.readings:
            raise InputError(f"{name!r:.80} is no dependency with a contract.{near(name, dependencies.readings)}")
        now = read_contract(upcoming, base) if upcoming else _read(dependencies, name)
        one = Acknowledgement(now, at.astimezone(UTC), by.strip()[:200])
        changed = ", ".join(dependencies.changed(name)[:SHOWN]) if name in held and not upcoming else ""
        held[name] = (*held.get(name, ()), one) if upcoming else (one,)
        yield visible(f"{name}: {now.digest}, {len(now.fields)} fields, by {one.by}{': ' if changed else ''}{changed}")
    write_acknowledged(file, held)
    yield f"{file}: written; commit it."


def _read(dependencies: Dependencies, name: str) -> Contract:
    reading = dependencies.readings[name]
    if reading.contract is None:
        raise InputError(f"The contract of {name!r:.80} cannot be read: {reading.why}")
    return reading.contract
