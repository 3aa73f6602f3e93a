"""The search for deleted subjects: every value by which they are known, in every column that could hold it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.deletions import Deletion
from mltestscore.privacy.kinds import masked
from mltestscore.privacy.scan import texts

# What is also searched inside of longer texts, the latest deletions first: as much as one pattern does quickly.
MOST_EMBEDDED, MOST_CHARACTERS = 400, 8_000
MOST_LITERALS = 1_000
MAX_FOUND = 10_000  # distinct values of a column that are traced to their subjects
EXACT = 2.0**53
INSIDE = r"(?:^|[^0-9A-Za-z])({})(?:$|[^0-9A-Za-z])"


@dataclass(frozen=True)
class Trace:
    """A value of a deleted subject that a column still holds."""

    table: str
    column: str
    subject: str
    value: str

    @property
    def masked(self) -> str:
        """The value as it may be shown."""
        return masked(self.value)


@dataclass(frozen=True)
class Wanted:
    """What is searched.

    Attributes:
        subjects: the subject of each value that means nobody else wherever it stands.
        named: the subject of each value, by the identifier's name, for columns that hold this identifier.
        before: only rows from before this time count, because the subjects came back then; ``None``: all rows.
    """

    subjects: tuple[tuple[str, str], ...]
    named: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    before: datetime | None = None


def distinctive(value: str) -> bool:
    """Say whether a value is so peculiar that it means the subject in any column: 17 or ``Anna`` do not.

    >>> [distinctive(one) for one in ("N344AA", "17", "Anna", "anna@posteo.de", "123456789012", "20131112")]
    [True, False, False, True, True, False]
    """
    digits, letters = sum(one.isdigit() for one in value), sum(one.isalpha() for one in value)
    if not letters:
        return digits >= 12
    return len(value) >= (6 if digits else 9) and (digits > 0 or letters < len(value))


def wanted(deletions: Iterable[Deletion]) -> list[Wanted]:
    """Return what to search, the latest deletion first; subjects that came back are searched by themselves."""
    groups: dict[datetime | None, list[Deletion]] = {}
    for one in sorted(deletions, key=lambda one: (one.requested_at, one.subject), reverse=True):
        groups.setdefault(one.returned_at, []).append(one)
    return [_group(members, before) for before, members in groups.items()]


def _group(members: Iterable[Deletion], before: datetime | None) -> Wanted:
    anywhere: dict[str, str] = {}
    named: dict[str, dict[str, str]] = {}
    for one in members:
        for identifier, values in one.values.items():
            for value in values:
                named.setdefault(identifier, {}).setdefault(value, one.subject)
                if distinctive(value):
                    anywhere.setdefault(value, one.subject)
    return Wanted(tuple(anywhere.items()), tuple((name, tuple(held.items())) for name, held in named.items()), before)


def traces(dataset: Dataset, searched: Wanted, columns: Mapping[str, str] | None = None) -> list[Trace]:
    """Return what is left of the subjects in a table, one trace a column and subject; asked once a dataset.

    ``columns`` maps a column to the identifier that it holds, where its name is another. Of subjects that came back,
    only rows with a time before that count: without a time, nothing can be held against the table.
    """
    mapped = tuple(sorted((columns or {}).items()))
    found = dataset.recall("deleted subjects", [(searched, mapped)], lambda _: [_searched(dataset, searched, mapped)])
    return found[0]


def _searched(dataset: Dataset, searched: Wanted, mapped: tuple[tuple[str, str], ...]) -> list[Trace]:
    table = _earlier(dataset, searched.before)
    if table is None:
        return []
    anywhere, named, renamed = dict(searched.subjects), dict(searched.named), dict(mapped)
    looked: dict[str, tuple[Any, Any, dict[str, str]]] = {}
    for name, column in texts(table).items():
        if anywhere:
            looked[name] = (column, _holds(column, anywhere), anywhere)
    for name in table.columns:
        subjects = dict(named.get(renamed.get(name, name), ()))
        if subjects:
            column = _as_text(table[name])
            both = {**anywhere, **subjects}
            condition = _is_one(column, list(subjects))
            looked[name] = (column, condition | looked[name][1] if name in looked else condition, both)
    if not looked:
        return []
    sums = {f"c{at}": table.count(where=condition) for at, (_, condition, _) in enumerate(looked.values())}
    counts = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
    found: list[Trace] = []
    for at, (name, (column, condition, subjects)) in enumerate(looked.items()):
        if counts[f"c{at}"]:
            values = table.filter(condition).select(value=column).distinct().limit(MAX_FOUND)
            found += _traced(dataset.name, name, values.to_pyarrow()["value"].to_pylist(), subjects)
    return found


def _earlier(dataset: Dataset, before: datetime | None) -> Any:
    if before is None:
        return dataset.table
    time = dataset.roles.time
    if not time:
        return None
    kind = dataset.table.schema()[time]
    if not (kind.is_timestamp() or kind.is_date()):
        return None
    moment = before.astimezone(UTC).replace(tzinfo=None)
    return dataset.table.filter(dataset.table[time].cast("timestamp") < moment)


def _holds(column: Any, subjects: Mapping[str, str]) -> Any:
    """Return whether a text is one of the values, or holds one of the latest between signs that are no letters."""
    latest = embedded(subjects)
    inside = column.re_search(_inside(latest)) if latest else column.isin([])
    return inside if len(latest) == len(subjects) else inside | _is_one(column, list(subjects))


def embedded(values: Iterable[str]) -> list[str]:
    """Return the values, the latest first, that are also searched inside of longer texts."""
    chosen: list[str] = []
    left = MOST_CHARACTERS
    for value in values:
        left -= len(value)
        if left < 0 or len(chosen) == MOST_EMBEDDED:
            break
        chosen.append(value)
    return chosen


def _inside(values: Iterable[str]) -> str:
    return INSIDE.format("|".join(map(re.escape, values)))


def _is_one(column: Any, values: list[str]) -> Any:
    if len(values) <= MOST_LITERALS or column.get_backend() is not database.connection():
        return column.isin(values)
    import pyarrow as pa

    return column.isin(database.as_table(pa.table({"value": values})).value)


def _as_text(column: Any) -> Any:
    """Return a column as text that is the same for 5, 5.0 and a nullable 5."""
    if column.type().is_floating():
        import ibis

        small = ibis.ifelse(column.abs() < EXACT, column, 0.0)  # of a larger one, or an infinity, no database makes one
        is_whole = (small == small.floor()) & (column.abs() < EXACT)
        return ibis.ifelse(is_whole, small.cast("int64").cast("string"), column.cast("string"))
    return column.cast("string")


def _traced(table: str, column: str, values: Iterable[str | None], subjects: Mapping[str, str]) -> list[Trace]:
    """Return one trace a subject: of which value, the text says."""
    inside = re.compile(_inside(embedded(value for value in subjects if distinctive(value))))
    found: dict[str, Trace] = {}
    for text in values:
        if text is None:
            continue
        held = [text] if text in subjects else [match.group(1) for match in inside.finditer(text)]
        for value in filter(None, held):
            found.setdefault(subjects[value], Trace(table, column, subjects[value], value))
    return list(found.values())
