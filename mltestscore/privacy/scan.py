"""Which columns of a table hold personal data: one pass over the table, then a look at what might be some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import scipy

from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset
from mltestscore.privacy.kinds import KINDS, PREFILTER, Kind, masked
from mltestscore.stats.interval import CLEAR
from mltestscore.stats.proportion import bounds

MAX_VALUES = 20_000  # distinct values of a column that are looked at
MAX_CHARACTERS = 4_000_000
MAX_LENGTH = 4_096  # characters of one value
CARD_DIGITS = (10**14, 10**16)
WRITTEN_OUT = ("nested", "json", "uuid", "binary", "inet", "unknown")
"""Kinds of columns that may hold text, and are searched as the database writes them; an enumeration is unknown."""


@dataclass(frozen=True)
class Hits:
    """What one column holds of one kind.

    Attributes:
        table: the dataset's name.
        column: the column's name.
        kind: the kind of personal data.
        candidates: distinct values of the kind's form among those looked at.
        valid: how many of them pass the kind's check.
        example: one of these, masked.
    """

    table: str
    column: str
    kind: Kind
    candidates: int
    valid: int
    example: str

    def shown(self, alpha: float, fewest: int) -> bool:
        """Say whether more candidates are valid than chance explains: the exact lower bound lies above its share."""
        least = 1 if self.kind.alone else fewest
        return self.valid >= least and bounds(self.valid, self.candidates, alpha)[0] > self.kind.chance

    def explained(self, tests: int = 1) -> bool:
        """Say whether chance explains the valid ones: an exact binomial test, 5 % shared by all ``tests`` of a run."""
        if not self.valid:
            return True
        return bool(scipy.stats.binom.sf(self.valid - 1, self.candidates, self.kind.chance) > CLEAR / tests)


def personal(dataset: Dataset) -> tuple[list[Hits], int]:
    """Return what looks like personal data, and the number of columns that could hold some; asked once a dataset."""
    return dataset.recall("personal data", ["columns"], lambda _: [_scanned(dataset)])[0]


def texts(table: Any) -> dict[str, Any]:
    """Return every column of an Ibis table that holds text, also inside of lists and structures, as text."""
    kinds = table.schema()
    found = {}
    for name in table.columns:
        kind = kinds[name]
        if kind.is_string():
            found[name] = table[name]
        elif any(getattr(kind, f"is_{one}")() for one in WRITTEN_OUT):
            found[name] = table[name].cast("string")
    return found


def _scanned(dataset: Dataset) -> tuple[list[Hits], int]:
    table = dataset.table
    held, numbers = texts(table), _numbers(table)
    wanted = {name: (column, column.re_search(PREFILTER)) for name, column in held.items()}
    low, high = CARD_DIGITS
    for name, column in numbers.items():
        wanted[name] = (column.cast("int64").cast("string"), (column >= low) & (column < high))
    if not wanted:
        return [], 0
    sums = {f"c{at}": table.count(where=condition) for at, (_, condition) in enumerate(wanted.values())}
    counts = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
    hits: list[Hits] = []
    for at, (name, (column, condition)) in enumerate(wanted.items()):
        if counts[f"c{at}"]:
            kinds = [kind for kind in KINDS if kind.in_numbers or name in held]
            hits += _valid(dataset.name, name, kinds, _values(table, column, condition))
    return hits, len(wanted)


def _numbers(table: Any) -> dict[str, Any]:
    kinds = table.schema()
    return {name: table[name] for name in table.columns if kinds[name].is_numeric() and not kinds[name].is_boolean()}


def _values(table: Any, column: Any, condition: Any) -> list[str]:
    """Return distinct texts that pass the condition, the same ones each time."""
    chosen = table.filter(condition).select(value=column.substr(0, MAX_LENGTH)).distinct()
    ordered = chosen.order_by(database.md5(chosen.value)).limit(MAX_VALUES)
    found: list[str] = [value for value in ordered.to_pyarrow()["value"].to_pylist() if value]
    return found


def _valid(table: str, column: str, kinds: Sequence[Kind], values: Iterable[str]) -> list[Hits]:
    candidates: dict[str, dict[str, bool]] = {kind.name: {} for kind in kinds}
    left = MAX_CHARACTERS
    for value in values:
        left -= len(value)
        if left < 0:
            break
        for kind in kinds:
            for match in kind.candidate.finditer(value):
                candidates[kind.name].setdefault(match.group(), False)
    hits = []
    for kind in kinds:
        valid = [one for one in candidates[kind.name] if kind.valid(one)]
        if candidates[kind.name]:
            example = masked(min(valid)) if valid else ""
            hits.append(Hits(table, column, kind, len(candidates[kind.name]), len(valid), example))
    return hits
