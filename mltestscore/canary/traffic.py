"""Which requests a canary met: its traffic by slice beside what the other version got in the same time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mltestscore.details import Table
from mltestscore.errors import InputError, near
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.canary import TABLE, Canary, Traffic
from mltestscore.stats.distribution import Counted, category_distance
from mltestscore.stats.interval import CLEAR, two_levels

Counts = dict[object, tuple[int, int]]
"""For each value of a slice, how many requests of the rest, and of the canary, have it."""

SLICES = "difference between the canary's traffic and the rest"
MOST_VALUES = 50  # of a slice that are told apart; rarer ones count as one
OTHERS = "(all other values)"


def by_slice(canary: Canary, most: float, alpha: float) -> Iterator[Finding | Table]:
    """Yield for each slice the largest difference of a value's share between the canary and the rest.

    Raises :class:`InputError` for a canary that answered nothing.
    """
    traffic = canary.traffic
    assert traffic is not None  # only asked where a log is offered
    version, counted = canary.recall("traffic", lambda: _counted(traffic))
    for name, found in counted.items():
        counts = _easy(found) if canary.tampering == "one slice" else found
        if not all(any(column) for column in zip(*counts.values(), strict=True)):
            yield undecided(SLICES, "one version answered all requests of the log", where=name)
            continue
        kept = [tuple(pair[side] for pair in counts.values()) for side in (0, 1)]
        values = tuple(counts)
        sides = [Counted(values, side) for side in kept]
        gaps = [category_distance(sides[0], sides[1], level) for level in (alpha / len(traffic.slices), CLEAR)]
        yield at_most(
            SLICES, two_levels(gaps[0], gaps[1]), most, where=name, unit="share", note=f"most: {gaps[0].at!s:.80}"
        )
        totals = [sum(side) for side in kept]
        rows = [
            (str(value)[:80], rest, round(rest / totals[0], 4), own, round(own / totals[1], 4))
            for value, (rest, own) in sorted(counts.items(), key=lambda pair: -sum(pair[1]))
        ]
        yield Table(f"Traffic by {name}", [name, "rest", "share", f"canary {version}"[:80], "its share"], rows)


def _counted(traffic: Traffic) -> tuple[str, dict[str, Counts]]:
    """Return the canary's version, and the counts by value for each slice."""
    requests, version = _at_that_time(traffic)
    return version, {name: _counts(requests, traffic, name, version) for name in traffic.slices}


def _at_that_time(traffic: Traffic) -> tuple[Any, str]:
    """Return the requests from the canary's first to its last, unevaluated, and its version."""
    table = traffic.log.table
    version = table[traffic.version].cast("string")
    table = table.mutate(mltestscore_version=version)
    counted = table.group_by("mltestscore_version").aggregate(n=table.count()).to_pyarrow().to_pylist()
    seen = {one["mltestscore_version"]: one["n"] for one in counted if one["mltestscore_version"] is not None}
    canary = traffic.canary or min(seen, key=lambda name: (seen[name], name), default="")
    if canary not in seen:
        hint = near(canary, map(str, seen))
        raise InputError(f"{TABLE[:-1]}.traffic] canary is {canary!r:.80}, which answered no request of the log.{hint}")
    if traffic.time:
        own = table.filter(table.mltestscore_version == canary)
        low, high = own[traffic.time].min(), own[traffic.time].max()
        ends = own.aggregate(low=low, high=high).to_pyarrow().to_pylist()[0]
        table = table.filter(table[traffic.time].between(ends["low"], ends["high"]))
    return table, canary


def _counts(requests: Any, traffic: Traffic, name: str, canary: str) -> Counts:
    """Return for each value of a slice how many requests, or units, of the rest and of the canary have it."""
    kept = requests.mutate(value=requests[name].cast("string"), own=requests.mltestscore_version == canary)
    n = kept[traffic.unit].nunique() if traffic.unit else kept.count()
    rows = kept.group_by(["value", "own"]).aggregate(n=n).to_pyarrow().to_pylist()
    found: dict[object, list[int]] = {}
    for row in rows:
        if row["own"] is not None:
            found.setdefault(row["value"], [0, 0])[int(row["own"])] += int(row["n"])
    common = sorted(found, key=lambda value: (-sum(found[value]), str(value)))
    counts = {value: (found[value][0], found[value][1]) for value in common[:MOST_VALUES]}
    if rest := common[MOST_VALUES:]:
        counts[OTHERS] = tuple(sum(found[value][side] for value in rest) for side in (0, 1))  # type: ignore[assignment]
    return counts


def _easy(counts: Counts) -> Counts:
    """Return the counts as if the canary had met nothing but the slice's rarest value: how a fault is planted."""
    rarest = min(counts, key=lambda value: counts[value][0])
    own = sum(pair[1] for pair in counts.values())
    return {value: (pair[0], own if value is rarest else 0) for value, pair in counts.items()}
