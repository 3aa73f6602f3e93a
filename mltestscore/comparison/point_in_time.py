"""Training values from after their row: what the model learns from but can never have when it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mltestscore.comparison import columns
from mltestscore.comparison.cause import duration
from mltestscore.comparison.keys import row
from mltestscore.comparison.levels import rate
from mltestscore.comparison.pictures import condensed
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset

FUTURE = "training values from after their row"


def future_values(recomputed: Dataset, limit: float, *, clock_skew: float, alpha: float) -> Iterator[Finding]:
    """Yield for each feature with times the share of its values from more than ``clock_skew`` seconds after the row.

    A value as old as the row, or older, is sound; one without a time is not judged, which is said.
    """
    times = dict(recomputed.roles.feature_times)
    if not times:
        return
    if not recomputed.roles.time:
        yield undecided(
            FUTURE, f"{recomputed.name} has feature_times but no time to hold them to; name its time column"
        )
        return
    found = _counts(recomputed, times, clock_skew)
    findings = [_finding(name, found[name], limit, alpha / len(times)) for name in times]
    yield from condensed(findings)


def _counts(recomputed: Dataset, times: dict[str, str], clock_skew: float) -> dict[str, dict[str, Any]]:
    table = recomputed.table
    at = columns.seconds(table[recomputed.roles.time])
    asked: dict[str, Any] = {}
    for place, (name, column) in enumerate(times.items()):
        lead = columns.seconds(table[column]) - at
        present = ~columns.missing(table[name])
        asked[f"present_{place}"] = table.count(where=present)
        asked[f"timed_{place}"] = table.count(where=present & lead.notnull())
        asked[f"future_{place}"] = table.count(where=present & (lead > clock_skew))
        asked[f"lead_{place}"] = lead.max(where=present)
    values = row(table.aggregate(**asked))
    parts = ("present", "timed", "future", "lead")
    return {name: {part: values[f"{part}_{place}"] for part in parts} for place, name in enumerate(times)}


def _finding(name: str, seen: dict[str, Any], limit: float, alpha: float) -> Finding:
    if not seen["timed"]:
        why = "no value has a readable time, or the rows have none; write the time that each value became known"
        return undecided(FUTURE, why, where=name, unit="share")
    without = seen["present"] - seen["timed"]
    note = f"{without:,} of {seen['present']:,} values have no time and are not judged" if without else ""
    cause = f"known up to {duration(seen['lead'])} after the row" if seen["future"] else ""
    interval = rate(seen["future"], seen["timed"], alpha)
    return at_most(FUTURE, interval, limit, where=name, unit="share", cause=cause, note=note)
