"""Whether a stage keeps its rows: counted, or followed by their key, against its own input."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pandas as pd

from mltestscore.errors import InputError, near
from mltestscore.inputs.pipeline import TABLE, RowRule, Stage
from mltestscore.integration.places import files_of, table

WHOLE = re.compile(r"[+-]?\d{1,40}(?:\.0+)?", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.{0,20})?", re.ASCII)


@dataclass(frozen=True)
class Kept:
    """Rows of one rule.

    Attributes:
        rule: what was asked.
        taken: rows that the stage took; ``None`` where the rule names no input.
        given: rows that it gave.
        aside: rows that it set aside.
        kept: of the rows taken, those that were given or set aside.
        strange: rows given that no row taken accounts for: unknown, or more often than allowed.
    """

    rule: RowRule
    taken: int | None
    given: int
    aside: int
    kept: int
    strange: int

    @property
    def share(self) -> float:
        """The share of the rows taken that was kept; 1 where none was taken."""
        return self.kept / self.taken if self.taken else 1.0

    @property
    def sound(self) -> bool:
        """Whether the rule holds."""
        few = self.given < self.rule.least and self.taken != 0
        return not few and not self.strange and self.share >= self.rule.keep


def rows_kept(folder: Path, stage: Stage, rule: RowRule) -> Kept:
    """Return what became of the rows of a stage that has just run in ``folder``.

    Raises :class:`InputError` for a table or key that cannot be read.
    """
    given = _keys(folder, stage, rule, rule.to)
    if not rule.of:
        return Kept(rule, None, len(given), 0, len(given), 0)
    taken = _keys(folder, stage, rule, rule.of)
    has_aside = bool(rule.set_aside) and any(file.stat().st_size for file in files_of(folder, rule.set_aside))
    aside = _keys(folder, stage, rule, rule.set_aside) if has_aside else given.head(0)
    if not rule.key:
        total = len(given) + len(aside)
        strange = 0 if rule.repeats else max(0, total - len(taken))
        return Kept(rule, len(taken), len(given), len(aside), min(total, len(taken)), strange)
    expected, found = _counts(taken), _counts(pd.concat([given, aside], ignore_index=True))
    kept, strange = 0, 0
    for name, times in expected.items():
        # a key that is there at all has kept its rows where one may become several
        kept += times if rule.repeats and name in found else min(times, found.get(name, 0))
    for name, times in found.items():
        allowed = expected.get(name, 0)
        strange += 0 if rule.repeats and allowed else max(0, times - allowed)
    return Kept(rule, len(taken), len(given), len(aside), kept, strange)


def _keys(folder: Path, stage: Stage, rule: RowRule, place: str) -> pd.DataFrame:
    data = table(folder, place)
    for name in rule.key:
        if name not in data.columns:
            raise InputError(
                f"{TABLE} stages: {stage.name!r:.80} is to keep rows by {name!r:.80}, and {place} has no such column."
                f"{near(name, data.columns)}"
            )
    if not rule.key:
        return pd.DataFrame(index=range(data.rows))
    frame = data.frame(rule.key)[list(rule.key)]
    return pd.DataFrame({name: as_text(frame[name]) for name in rule.key})


def as_text(values: pd.Series) -> pd.Series:
    """Return keys as texts that do not depend on the file format: 7, 7.0, "7" and "007" are one, so are times."""
    return values.map(_text)


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, date):  # a datetime and a pandas time stamp too
        return _moment(value if isinstance(value, datetime) else datetime.combine(value, time()))
    whole = isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value)
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def _plain(text: str) -> str:
    """Return a number or a time that was written as text as it is written here, any other text as it is."""
    if WHOLE.fullmatch(text):
        return str(int(text.partition(".")[0]))
    if MOMENT.fullmatch(text):
        with suppress(ValueError):
            return _moment(datetime.fromisoformat(text))
    return text


def _moment(at: datetime) -> str:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _counts(keys: pd.DataFrame) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = {}
    for row in keys.itertuples(index=False, name=None):
        counts[row] = counts.get(row, 0) + 1
    return counts
