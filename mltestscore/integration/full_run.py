"""When the pipeline last ran at full size: the date that a file of the team tells."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from typing import Any

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs.pipeline import TABLE, Pipeline

MOST_BYTES = 20_000_000
LEFT = 'name what a full run leaves, such as "runs/last.json"'
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


def days_since(pipeline: Pipeline) -> float | None:
    """Return the days since the last full run; ``None`` where no file or no clock is given.

    Raises :class:`InputError` for a file that tells no date, :class:`ConfigError` for a field that is not there.
    """
    if not pipeline.last_full_run or pipeline.now is None:
        return None
    file = pipeline.folder / pipeline.last_full_run
    if not file.is_file():
        raise InputError(f"{TABLE} last_full_run: there is no file {pipeline.last_full_run!r:.200}; {LEFT}.")
    if file.stat().st_size > MOST_BYTES:
        raise InputError(f"{TABLE} last_full_run: {pipeline.last_full_run!r:.200} has over 20 MB; name a small one.")
    text = file.read_text(encoding="utf-8", errors="replace")
    if pipeline.last_full_run_field:
        text = str(_field(file.suffix.lower(), text, pipeline.last_full_run_field))
    found = DATE.search(text)
    try:
        at = datetime.fromisoformat(found[0]) if found else None
    except ValueError:
        at = None
    if at is None:
        raise InputError(
            f"{TABLE} last_full_run: {pipeline.last_full_run!r:.200} tells no date such as 2024-02-29T12:00Z; it says "
            f"{text.strip()[:80]!r}."
        )
    days = (pipeline.now - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds() / 86_400
    if days < -1:  # less may be a time zone
        raise InputError(
            f"{TABLE} last_full_run: {at.isoformat()} lies {-days:.0f} days ahead of the clock; is it a start?"
        )
    return days


def _field(suffix: str, text: str, dotted: str) -> Any:
    """Return what stands under a dotted name in JSON or TOML."""
    try:
        value: Any = tomllib.loads(text) if suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise InputError(f"{TABLE} last_full_run is neither JSON nor TOML, so it has no fields: {error}.") from None
    for name in dotted.split("."):
        if isinstance(value, list) and value and name.lstrip("-").isdigit() and -len(value) <= int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            known = map(str, value) if isinstance(value, dict) else ()
            raise ConfigError(f"{TABLE} last_full_run_field: there is no {name!r:.80} in it.{near(name, known)}")
    return value
