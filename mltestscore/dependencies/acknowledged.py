"""The record of which contract somebody agreed to, when and who: a JSON file that `mltestscore acknowledge` writes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mltestscore.dependencies.contracts import Contract
from mltestscore.errors import InputError

MAX_BYTES = 64 * 2**20
REMEDY = "take the file from version control again, or acknowledge anew with `mltestscore acknowledge`"


@dataclass(frozen=True)
class Acknowledgement:
    """One contract that a person agreed to.

    Attributes:
        contract: its fields and types at the time.
        at: when, UTC.
        by: who.
    """

    contract: Contract
    at: datetime
    by: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    digest: str
    at: AwareDatetime
    by: str = Field(min_length=1, max_length=200)
    fields: dict[str, str]


_Records = TypeAdapter(dict[str, list[_Record]])


def read_acknowledged(file: Path) -> dict[str, tuple[Acknowledgement, ...]]:
    """Return the contracts agreed to by dependency; nothing where there is no file yet.

    Raises :class:`InputError` for a file that is not ours, or whose fields are not those of its digests.
    """
    if not file.is_file():
        return {}
    if file.stat().st_size > MAX_BYTES:
        raise InputError(f"{file} has more than {MAX_BYTES:,} bytes; {REMEDY}.")
    try:
        records = _Records.validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(f"{part!s:.80}" for part in first["loc"])
        raise InputError(f"{file}: {where} {first['msg']:.200}; {REMEDY}.") from None
    found: dict[str, tuple[Acknowledgement, ...]] = {}
    for name, held in records.items():
        for one in held:
            if Contract(one.fields).digest != one.digest:
                raise InputError(f"{file}: the fields of {name!r:.80} are not those of its digest; {REMEDY}.")
        found[name] = tuple(Acknowledgement(Contract(one.fields), one.at.astimezone(UTC), one.by) for one in held)
    return found


def write_acknowledged(file: Path, held: Mapping[str, Sequence[Acknowledgement]]) -> None:
    """Write the record, in one step and in an order that a reviewer can compare.

    Raises :class:`InputError` when the file cannot be written.
    """
    records: dict[str, list[dict[str, Any]]] = {
        name: [
            {"digest": one.contract.digest, "at": one.at.isoformat(), "by": one.by, "fields": dict(one.contract.fields)}
            for one in held[name]
        ]
        for name in sorted(held)
    }
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}. Change its rights, or free space.") from error
    finally:
        temporary.unlink(missing_ok=True)
