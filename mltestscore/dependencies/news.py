"""Past notifications of changes, and who acknowledged them when: a table that the team keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mltestscore.errors import InputError

SENT, ACKNOWLEDGED = "sent_at", "acknowledged_at"
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Notice:
    """One notification: when it was sent and, if it was, acknowledged; both UTC."""

    sent_at: datetime
    acknowledged_at: datetime | None


def read_notices(source: str, base: Path) -> tuple[Notice, ...]:
    """Return the notifications of a table with the columns ``sent_at`` and ``acknowledged_at`` (empty: not yet).

    Raises :class:`InputError` where it cannot be read, lacks a column, or a time is none.
    """
    from mltestscore.inputs.dataset import Dataset, Roles
    from mltestscore.inputs.sources import open_source

    data = Dataset("notices", open_source("notices", source, base), Roles())  # it may still be without a row
    frame = data.frame([SENT, ACKNOWLEDGED], limit=MAX_ROWS)
    sent, acknowledged = (_times(source, name, frame[name].tolist()) for name in (SENT, ACKNOWLEDGED))
    if None in sent:
        raise InputError(f"notices: {source:.200} has a row without {SENT}; write when it was sent.")
    return tuple(Notice(at, done) for at, done in zip(sent, acknowledged, strict=True) if at is not None)


def unacknowledged(notices: Sequence[Notice], now: datetime, days: float) -> int:
    """Return how many notifications nobody acknowledged within so many days."""
    return sum(((one.acknowledged_at or now) - one.sent_at).total_seconds() > days * 86_400 for one in notices)


def _times(source: str, name: str, values: Sequence[Any]) -> list[datetime | None]:
    import pandas as pd

    found: list[datetime | None] = []
    for value in values:
        try:
            time = None if pd.isna(value) or value == "" else pd.Timestamp(value)
        except (TypeError, ValueError):
            said = f"{name} holds {str(value)[:80]!r}, which is no time"
            raise InputError(f"notices: {source:.200}: {said}; write 2027-01-31T10:00:00Z.") from None
        found.append(None if time is None else _utc(time.to_pydatetime()))
    return found


def _utc(time: datetime) -> datetime:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
