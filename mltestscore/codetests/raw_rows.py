"""Raw rows to try feature code on: sampled ones, values at the edges of the rules, times at which clocks misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from mltestscore.inputs.feature_code import FeatureCode
from mltestscore.inputs.schema import Schema
from mltestscore.numerics.probe_rows import always_there, values_of

MOST_ROWS = 300
MOST_EDGES = 40
"""Rows sampled, and edges kept of one column: each edge costs a call or two of both paths."""


@dataclass(frozen=True)
class Edges:
    """Values worth a try in one column: what each is, and the values in the column's dtype."""

    column: str
    labels: tuple[str, ...]
    values: pd.Series[Any]


def raw_rows(features: FeatureCode) -> tuple[pd.DataFrame, list[Edges]]:
    """Return up to 300 of the raw rows, and the edges of their columns.

    Edges of a column come from its rules, where it has any and no rule ties it to another column; a column without
    rules keeps the values that it has, so that every row stays one that could come in service. Columns that may be
    moved in time get :func:`moments`.
    """
    assert features.raw is not None  # the caller looked
    frame = features.raw.sample(MOST_ROWS).frame()
    schema = features.raw_schema or Schema("no rules", [])
    tied = {name for rule in schema.rules if len(rule.columns) > 1 for name in rule.columns}
    always = always_there([name for name in map(str, frame.columns) if name in schema.columns], schema, features.raw)
    edges = []
    for name in map(str, frame.columns):
        pairs: list[tuple[str, Any]] = []
        if name in schema.columns and name not in tied and name not in features.dates:
            values = values_of(name, schema, frame[name])
            may_lack = values is not None and values.nullable and name not in always
            pairs = [*(values.edges if values else ()), *([("missing", None)] if may_lack else [])]
        elif name in features.dates:
            pairs = list(moments(frame[name].dropna(), features.timezone))
        if found := _column(name, pairs[:MOST_EDGES], frame[name]):
            edges.append(found)
    return frame, edges


def moments(times: pd.Series[Any], zone: str) -> Iterator[tuple[str, object]]:
    """Yield times around which code about time goes wrong, in the form (aware, naive, date) that ``times`` has.

    Midnight, the turn of the year, the leap day, and the changes of the clock in ``zone``, all in or next to the last
    year of ``times``. Naive times count as wall clock time in the zone; times that its clocks skip are not given.
    """
    if times.empty:
        return
    latest = pd.Timestamp(times.max())
    local = latest.tz_convert(zone) if latest.tzinfo is not None else latest
    year, day = local.year, local.date()
    leap = next(candidate for candidate in range(year, year - 9, -1) if _is_leap(candidate))
    wall = [
        ("midnight", datetime(day.year, day.month, day.day)),
        ("the last minute of a day", datetime(day.year, day.month, day.day, 23, 59)),
        ("New Year", datetime(year, 1, 1)),
        ("the last minute of a year", datetime(year, 12, 31, 23, 59)),
        ("the leap day", datetime(leap, 2, 29, 12)),
        ("the day after the leap day", datetime(leap, 3, 1)),
    ]
    place = ZoneInfo(zone)
    for label, time in wall:
        yield label, _like(time.replace(tzinfo=place), times)
    for instant in _changes_of_the_clock(year, place):
        for minutes, when in ((-1, "the minute before"), (0, "the moment of"), (30, "half an hour after")):
            moment = (instant + timedelta(minutes=minutes)).astimezone(place)
            yield f"{when} a change of the clock", _like(moment, times)


def _like(moment: datetime, times: pd.Series[Any]) -> object:
    if isinstance(times.iloc[0], date) and not isinstance(times.iloc[0], datetime):
        return moment.date()
    stamp = pd.Timestamp(moment)
    zone = getattr(times.dtype, "tz", None) or getattr(times.iloc[0], "tzinfo", None)
    return stamp.tz_convert(zone) if zone is not None else stamp.tz_localize(None)


def _changes_of_the_clock(year: int, place: ZoneInfo) -> Iterator[datetime]:
    """Yield the instants of a year, to the hour, from which the zone's offset is another."""
    hour = datetime(year, 1, 1, tzinfo=UTC)
    before = hour.astimezone(place).utcoffset()
    while hour.year == year:
        offset = hour.astimezone(place).utcoffset()
        if offset != before:
            yield hour
        before = offset
        hour += timedelta(hours=1)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _column(name: str, pairs: list[tuple[str, Any]], like: pd.Series[Any]) -> Edges | None:
    """Return the edges in the dtype of the column; those that it cannot hold are no values that could come."""
    labels, values = [], []
    for label, value in pairs:
        try:
            values.append(pd.Series([value], dtype=like.dtype))
            labels.append(f"{name} {label}")
        except (TypeError, ValueError, OverflowError):
            continue
    return Edges(name, tuple(labels), pd.concat(values, ignore_index=True)) if values else None
