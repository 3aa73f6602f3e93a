"""The two sides of a same-window comparison: their rows in the common time, counted by feature where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mltestscore.comparison import cells, columns, counting, tallies
from mltestscore.comparison.columns import Kind
from mltestscore.comparison.counts import row_effects
from mltestscore.comparison.grid import Cells
from mltestscore.comparison.tallies import Tally
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.sources import Content

FEW = 10  # numbers and times with no more distinct values are categories: flags, ratings, weekdays, batches
COMMON = 5  # categories whose clusters are looked at


@dataclass(frozen=True)
class Side:
    """One side by feature.

    Attributes:
        columns: the feature in the form in which both sides compare.
        counts: its cells or its categories; none for a time or a nested value with many values.
        missing: rows without a value.
        effects: by how much clusters reduce what its rows say (≥ 1).
    """

    dataset: Dataset
    columns: dict[str, Any]
    counts: dict[str, Cells | Tally]
    missing: dict[str, int]
    effects: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, feature: str) -> Cells | Tally | None:
        """Return the cells or the categories of a feature."""
        return self.counts.get(feature)

    @property
    def rows(self) -> int:
        """Rows in the window."""
        return self.dataset.rows

    def rows_at(self, feature: str, values: Sequence[float]) -> dict[float, int]:
        """Return how many rows hold each of the numbers."""
        counted = self.counts[feature]
        assert isinstance(counted, Cells)  # a measurement has them
        return cells.rows_at(self.dataset.table, self.columns[feature], counted, values)

    def rows_with(self, feature: str, names: Sequence[object]) -> dict[object, int]:
        """Return how many rows hold each of the categories, those that none holds left out."""
        tally = self.counts[feature]
        if not names or not isinstance(tally, Tally) or not tally.rest:
            return {}
        known = self.dataset.known.get(feature)
        if known is not None and known.values is not None:
            return {name: known.values[name] for name in names if name in known.values}
        some = self.dataset.table.select(value=self.columns[feature])
        some = some.filter(some["value"].isin(list(names)))
        rows = some.group_by("value").aggregate(n=some.count()).to_pyarrow().to_pylist()
        return {row["value"]: int(row["n"]) for row in rows}


@dataclass(frozen=True)
class Times:
    """The first and last time of a dataset, in seconds since 1970, and how many rows have one."""

    low: float
    high: float
    known: int


def times(dataset: Dataset) -> Times:
    """Return from when to when a dataset with a time column is."""
    low, high, known = columns.extent(dataset.table, dataset.roles.time)
    return Times(low if low is not None else 0.0, high if high is not None else 0.0, known)


def cut(dataset: Dataset, own: Times, low: float, high: float) -> Dataset:
    """Return the rows between two times, ends included: the dataset itself, with what is known of it, if all are."""
    if low <= own.low and own.high <= high and own.known == dataset.rows:
        return dataset
    table = dataset.table
    inside = table.filter(columns.between(table[dataset.roles.time], low, high))
    return Dataset(dataset.name, Content(dataset.source, table=inside), dataset.roles, whole=dataset.whole)


def kinds_of(serving: Dataset, recomputed: Dataset, features: Sequence[str]) -> dict[str, Kind]:
    """Return as what each feature is compared."""
    left, right = serving.table, recomputed.table
    return {name: columns.comparable(left[name], right[name])[2] for name in features}


def counted(serving: Dataset, recomputed: Dataset, kinds: Mapping[str, Kind]) -> tuple[Side, Side]:
    """Return both sides, the numbers of the served one counted over the grids of the computed one."""
    pairs = {name: columns.comparable(serving.table[name], recomputed.table[name])[:2] for name in kinds}
    served, computed = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    texts = [name for name, kind in kinds.items() if kind == "text"]
    usual: dict[str, Cells] = counting.laid(recomputed, numbers)
    now: dict[str, Cells] = counting.over(serving, {name: one.grid for name, one in usual.items()})
    others = _few(
        {name: (served[name], computed[name]) for name, kind in kinds.items() if kind in ("time", "other")},
        serving,
        recomputed,
    )
    return (
        _side(serving, served, {**now, **_texts(serving, texts), **others[0]}),
        _side(recomputed, computed, {**usual, **_texts(recomputed, texts), **others[1]}),
    )


def _texts(dataset: Dataset, names: Sequence[str]) -> dict[str, Tally]:
    """Return the categories of each text; of a text with a different value in most rows, the frequent ones."""
    found = counting.tallied(dataset, names)
    return {name: one if isinstance(one, Tally) else counting.frequent(dataset, name) for name, one in found.items()}


def _few(pairs: Mapping[str, tuple[Any, Any]], serving: Dataset, recomputed: Dataset) -> tuple[dict[str, Tally], ...]:
    """Return the values of the columns that hold few on both sides."""
    sides = [{name: pair[side] for name, pair in pairs.items()} for side in (0, 1)]
    tables = serving.table, recomputed.table
    many = {name for table, side in zip(tables, sides, strict=True) for name in tallies.varied(table, side, FEW)}
    kept = [{name: column for name, column in side.items() if name not in many} for side in sides]
    found = [tallies.tallied(table, side, FEW) for table, side in zip(tables, kept, strict=True)]
    few = [name for name in kept[0] if not any(side[name].rest for side in found)]
    return tuple({name: side[name] for name in few} for side in found)


def _side(dataset: Dataset, own: dict[str, Any], counts: dict[str, Cells | Tally]) -> Side:
    missing = {name: one.missing for name, one in counts.items()}
    rest = {str(place): name for place, name in enumerate(name for name in own if name not in counts)}
    if rest:
        table = dataset.table
        known = (
            table.aggregate(**{place: own[name].count() for place, name in rest.items()}).to_pyarrow().to_pylist()[0]
        )
        missing |= {name: dataset.rows - int(known[place]) for place, name in rest.items()}
    return Side(dataset, own, counts, missing, _effects(dataset, own, counts))


def _effects(dataset: Dataset, own: Mapping[str, Any], counts: Mapping[str, Cells | Tally]) -> dict[str, float]:
    """Return the design effect of each feature: of a number's rank, and the largest of the most common categories."""
    nan = float("nan")
    values = {}
    for name, one in counts.items():
        if isinstance(one, Cells):
            values[name, ""] = one.grid.squashed(own[name]).nullif(nan)
        else:
            for place, label in enumerate(list(one.counts)[:COMMON]):
                values[name, str(place)] = (own[name] == label).cast("int32").cast("float64")
    effects = dict.fromkeys(own, 1.0)
    asked = {str(place): column for place, column in enumerate(values.values())}
    for (name, _), effect in zip(values, row_effects(dataset, asked).values(), strict=True):
        effects[name] = max(effects[name], effect)
    return effects
