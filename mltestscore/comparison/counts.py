"""In how many rows events hold and keys repeat, and what that says where rows come in clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.cluster import design_effect, kish


@dataclass(frozen=True)
class Count:
    """How many rows an event holds in, of how many, and by how much clusters reduce what they say (≥ 1)."""

    hits: int
    rows: int
    design_effect: float


def count_events(dataset: Dataset, events: dict[str, Any], known: Mapping[str, int] | None = None) -> dict[str, Count]:
    """Return the count of each event (Boolean columns of the dataset's table), with its design effect.

    ``known`` are the hits of events that need not be counted again. One query for the others, and one for the clusters
    of the events that happened at all.
    """
    table, hits = dataset.table, dict(known or {})
    asked = {f"e{place}": event for place, event in enumerate(events) if event not in hits}
    if asked:
        counts = {place: table.count(where=events[event]) for place, event in asked.items()}
        seen = table.aggregate(**counts).to_pyarrow().to_pylist()[0]
        hits |= {event: int(seen[place]) for place, event in asked.items()}
    effects = _design_effects(dataset, {name: event for name, event in events.items() if hits[name]})
    return {name: Count(hits[name], dataset.rows, effects.get(name, 1.0)) for name in events}


def _design_effects(dataset: Dataset, events: dict[str, Any]) -> dict[str, float]:
    """Return the variance of each share between clusters (the linearised ratio estimator, Cochran 1977) over that of
    independent rows; dividing the rows by it before the exact bounds is the method of Korn and Graubard (1998).
    """
    if not events or not dataset.roles.cluster:
        return {}
    table = dataset.table
    # As floats: a sum of whole numbers is a decimal to some databases, and n² may not fit 64 bits.
    hits = {f"e{place}": table.count(where=event).cast("float64") for place, event in enumerate(events.values())}
    groups = table.group_by(cluster=table[dataset.roles.cluster]).aggregate(n=table.count().cast("float64"), **hits)
    sums = {"clusters": groups.count(), "rows": groups["n"].sum(), "rows2": (groups["n"] * groups["n"]).sum()}
    for name in hits:
        sums[name] = groups[name].sum()
        sums[f"{name}2"] = (groups[name] * groups[name]).sum()
        sums[f"{name}n"] = (groups[name] * groups["n"]).sum()
    seen = {name: float(value) for name, value in groups.aggregate(**sums).to_pyarrow().to_pylist()[0].items()}
    whole = seen["clusters"], seen["rows"]
    return {
        event: design_effect(*whole, seen[name], seen["rows2"], seen[f"{name}2"], seen[f"{name}n"])
        for event, name in zip(events, hits, strict=True)
    }


def row_effects(dataset: Dataset, values: Mapping[str, Any]) -> dict[str, float]:
    """Return by how much fewer independent rows each column of numbers has than rows, at least 1; 1 without clusters.

    The design effect of Kish (1965) from the intra-class correlation, as :func:`mltestscore.stats.cluster.effective_n`
    has it, out of sums by cluster.
    """
    if not dataset.roles.cluster or not values:
        return dict.fromkeys(values, 1.0)
    table = dataset.table
    known = table.filter(table[dataset.roles.cluster].notnull())
    own: dict[str, Any] = {}
    for place, column in enumerate(values.values()):
        own |= {f"n{place}": column.count().cast("float64"), f"s{place}": column.sum(), f"q{place}": (column**2).sum()}
    groups = known.group_by(cluster=known[dataset.roles.cluster]).aggregate(**own)
    sums: dict[str, Any] = {}
    for place in range(len(values)):
        n, s = groups[f"n{place}"], groups[f"s{place}"]
        of = {"g": groups.count(where=n > 0), "n": n.sum(), "n2": (n * n).sum(), "s": s.sum()}
        of |= {"q": groups[f"q{place}"].sum(), "m": (s * s / n.nullif(0.0)).sum()}
        sums |= {f"{key}_{place}": value for key, value in of.items()}
    seen = {name: float(value or 0.0) for name, value in groups.aggregate(**sums).to_pyarrow().to_pylist()[0].items()}
    return {
        name: kish(*(seen[f"{key}_{place}"] for key in ("g", "n", "n2", "s", "q", "m")))
        for place, name in enumerate(values)
    }


def repeated_keys(dataset: Dataset) -> tuple[int, int]:
    """Return how many rows repeat the key of another row, and how many rows have a key."""
    table, keys = dataset.table, list(dataset.roles.key)
    known = table.filter([table[name].notnull() for name in keys])
    times = known.group_by(keys).aggregate(n=lambda rows: rows.count())
    seen = times.aggregate(rows=times["n"].cast("float64").sum(), keys=times.count()).to_pyarrow().to_pylist()[0]
    rows = int(seen["rows"] or 0)
    return rows - int(seen["keys"]), rows
