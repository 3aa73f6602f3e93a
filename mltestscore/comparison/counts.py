"""In how many rows events hold and keys repeat, and what that says where rows come in clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.cluster import design_effect


@dataclass(frozen=True)
class Count:
    """How many rows an event holds in, of how many, and by how much clusters reduce what they say (≥ 1)."""

    hits: int
    rows: int
    design_effect: float


def count_events(dataset: Dataset, events: dict[str, Any]) -> dict[str, Count]:
    """Return the count of each event (Boolean columns of the dataset's table), with its design effect.

    One query, and one for the clusters of the events that happened at all.
    """
    if not events:
        return {}
    table = dataset.table
    hits = {f"e{place}": table.count(where=event) for place, event in enumerate(events.values())}
    seen = table.aggregate(rows=table.count(), **hits).to_pyarrow().to_pylist()[0]
    counts = {name: int(seen[f"e{place}"]) for place, name in enumerate(events)}
    effects = _design_effects(dataset, {name: event for name, event in events.items() if counts[name]})
    return {name: Count(count, int(seen["rows"]), effects.get(name, 1.0)) for name, count in counts.items()}


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


def repeated_keys(dataset: Dataset) -> tuple[int, int]:
    """Return how many rows repeat the key of another row, and how many rows have a key."""
    table, keys = dataset.table, list(dataset.roles.key)
    known = table.filter([table[name].notnull() for name in keys])
    times = known.group_by(keys).aggregate(n=lambda rows: rows.count())
    seen = times.aggregate(rows=times["n"].cast("float64").sum(), keys=times.count()).to_pyarrow().to_pylist()[0]
    rows = int(seen["rows"] or 0)
    return rows - int(seen["keys"]), rows
