"""Two datasets joined by their key: which rows meet, and which values differ beyond numerical noise.

All of it is counted where the data are. DuckDB keeps one side of a join in memory, so there wide tables are joined a
few features at a time; other databases see to that themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from mltestscore.comparison import columns
from mltestscore.comparison.columns import Kind
from mltestscore.comparison.keys import Keyed, alike, drawn, key_of, keyed, row
from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset

if TYPE_CHECKING:
    import ibis

# 1e-6 lets float32 meet float64 (relative 6e-8) and catches a float16 (5e-4) or a value rounded to 5 digits.
NOISE_OF_SPREAD = 1e-9
SPREAD_ROWS = 20_000
MEMORY = 1_300_000_000
LARGEST = 1e300
WIDTHS = {"number": 8, "time": 8, "text": 16, "other": 24}


@dataclass(frozen=True)
class Differences:
    """How one feature differs on the joined rows.

    Attributes:
        differing: rows that have a value on both sides, but not the same one.
        missing_served: rows that lack only the served value.
        missing_computed: rows that lack only the recomputed value.
        place: the feature's number: its columns in the joined table are ``served_{place}`` and ``computed_{place}``.
        spread: the interquartile range of about 20,000 recomputed values.
    """

    feature: str
    place: int
    kind: Kind
    differing: int
    missing_served: int
    missing_computed: int
    spread: float

    @property
    def rows(self) -> int:
        """Rows that do not match."""
        return self.differing + self.missing_served + self.missing_computed


@dataclass(frozen=True)
class Sides:
    """Both sides as queries, with ``key_0`` …; nothing of them is in memory.

    Attributes:
        left: the served rows whose key names one row, with ``served_i`` and, where text may be no number, ``gone_i``.
        right: such recomputed rows, with ``computed_i``, ``none_i``, ``order_0`` …, ``entity`` and ``at`` (seconds).
        history: all recomputed rows, with the same columns.
        names: ``key_0`` …
    """

    left: Keyed
    right: Keyed
    history: ibis.Table
    names: tuple[str, ...]

    @property
    def ours(self) -> bool:
        """Whether they lie on our own DuckDB connection."""
        return self.history.get_backend() is database.connection()

    def pairs(self, places: Sequence[int], left: Any = None) -> Any:
        """Return the joined rows with these features: ``served_i``, ``computed_i``, and whether each is missing.

        ``gone_i`` and ``none_i`` say so; ``parsed_i`` is there where a side is text that may be no number. ``left``
        takes the place of the served rows where only some of them are to be joined.
        """
        import ibis

        left, right = self.left.table if left is None else left, self.right.table

        about = [name for name in right.columns if name in ("entity", "at") or name.startswith("order_")]
        served = [name for i in places for name in (f"served_{i}", f"gone_{i}") if name in left.columns]
        computed = [name for i in places for name in (f"computed_{i}", f"none_{i}") if name in right.columns]
        names = list(self.names)
        joined = left.select(*names, *served).inner_join(right.select(*names, *about, *computed), names)
        flags = {f"{flag}_{i}": joined[f"{side}_{i}"].isnull() for i in places for flag, side in FLAGS.items()}
        parsed = {f"parsed_{i}": ibis.literal(True) for i in places if {f"gone_{i}", f"none_{i}"} & {*joined.columns}}
        return joined.mutate(**{name: value for name, value in flags.items() if name not in joined.columns}, **parsed)


FLAGS = {"gone": "served", "none": "computed"}


@dataclass(frozen=True)
class KeyJoin:
    """What a join found.

    Attributes:
        served, computed: keys of each side, where every row without a key counts as one.
        served_once, computed_once: keys that name one row only; exact repetitions of a row (a retry) are one row.
        joined: rows that met.
        timed, with_entity: whether the recomputed rows have ``at`` and ``entity``.
    """

    sides: Sides = field(repr=False)
    served: int
    computed: int
    served_once: int
    computed_once: int
    joined: int
    features: tuple[Differences, ...]
    timed: bool
    with_entity: bool
    rel_tol: float


def join(serving: Dataset, recomputed: Dataset, features: Sequence[str], rel_tol: float) -> KeyJoin:
    """Join by key and compare the features; both datasets must have a key (see :func:`key_of`) and the features.

    A feature's values match when ``|a - b| <= rel_tol * max(|a|, |b|) + 1e-9 * IQR``, and when both are missing.
    """
    left, right = columns.together(serving.table, recomputed.table)
    keys = list(zip(*key_of(serving, recomputed), strict=True))
    kinds: list[Kind] = []
    served, computed = {}, {}
    for place, (mine, theirs) in enumerate(keys):
        served[f"key_{place}"], computed[f"key_{place}"] = (
            alike(left[mine], right[theirs]),
            alike(right[theirs], left[mine]),
        )
    names = tuple(served)
    context = _context(recomputed, right, [theirs for _, theirs in keys])
    for place, name in enumerate(features):
        served[f"served_{place}"], computed[f"computed_{place}"], kind = columns.comparable(left[name], right[name])
        # Elsewhere a value is missing just where its comparable form is NULL.
        if kind in ("number", "time") and left[name].type().is_string():
            served[f"gone_{place}"] = columns.missing(left[name])
        if kind in ("number", "time") and right[name].type().is_string():
            computed[f"none_{place}"] = columns.missing(right[name])
        kinds.append(kind)
    history = right.select(**computed, **context)
    sides = Sides(keyed(left.select(**served), names), keyed(history, names), history, names)
    joined, found = _differences(sides, features, kinds, rel_tol)
    counts = sides.left.keys, sides.right.keys, sides.left.once, sides.right.once, joined
    return KeyJoin(sides, *counts, found, "at" in context, "entity" in context, rel_tol)


def differs(table: Any, place: int, kind: Kind, spread: float, rel_tol: float) -> Any:
    """Return whether a row has two values of a feature that are not the same; false or NULL where one is missing."""
    a, b = table[f"served_{place}"], table[f"computed_{place}"]
    if kind in ("text", "other"):
        return a != b
    import ibis

    # What infinity differs from, it differs from by more than any noise.
    size = ibis.least(ibis.greatest(a.abs(), b.abs()), LARGEST)
    noise = ibis.literal(1e-6) if kind == "time" else rel_tol * size + NOISE_OF_SPREAD * spread
    apart = ibis.ifelse(a == b, False, (a - b).abs() > noise)
    if f"parsed_{place}" not in table.columns:
        return apart
    # A text that is no number stands against a number as NULL: that is a difference, not a missing value.
    return ~table[f"gone_{place}"] & ~table[f"none_{place}"] & (a.isnull() | b.isnull() | apart)


def _context(recomputed: Dataset, table: Any, keys: Sequence[str]) -> dict[str, Any]:
    """Return when a row was true and whose it is: the cluster, else the key without the time."""
    roles = recomputed.roles
    moments = [name for name in keys if columns.kind_of(table[name].type()) == "time"]
    time = roles.time or (moments[0] if moments else "")
    context: dict[str, Any] = {}
    if time and columns.kind_of(table[time].type()) in ("time", "text"):
        context["at"] = columns.seconds(table[time])
    whose = [name for name in keys if name != time and name not in moments]
    if len(keys) > len(whose) and whose:
        context["entity"] = table[whose[0]].cast("string")
        for name in whose[1:]:
            context["entity"] = context["entity"] + "\x1f" + table[name].cast("string")
    elif roles.cluster and roles.cluster != time:
        context["entity"] = table[roles.cluster].cast("string")
    for place, name in enumerate(keys):
        context[f"order_{place}"] = table[name]
    return context


def _differences(
    sides: Sides, features: Sequence[str], kinds: Sequence[Kind], rel_tol: float
) -> tuple[int, tuple[Differences, ...]]:
    spreads = _spreads(sides, kinds)
    seen: dict[str, int] = {}
    for places in _few_at_a_time(sides, kinds):
        table = sides.pairs(places)
        counts = {"joined": table.count()}
        for i in places:
            gone, none = table[f"gone_{i}"], table[f"none_{i}"]
            counts[f"differing_{i}"] = table.count(where=differs(table, i, kinds[i], spreads[i], rel_tol))
            counts[f"gone_{i}"] = table.count(where=gone & ~none)
            counts[f"none_{i}"] = table.count(where=none & ~gone)
        seen |= {name: int(value or 0) for name, value in row(table.aggregate(**counts)).items()}
    return seen["joined"], tuple(
        Differences(
            feature=name,
            place=i,
            kind=kinds[i],
            differing=seen[f"differing_{i}"],
            missing_served=seen[f"gone_{i}"],
            missing_computed=seen[f"none_{i}"],
            spread=spreads[i],
        )
        for i, name in enumerate(features)
    )


def _few_at_a_time(sides: Sides, kinds: Sequence[Kind]) -> Iterator[list[int]]:
    """Yield the places of the features in groups of about equal width whose smaller side fits into memory."""
    widths = [WIDTHS[kind] for kind in kinds]
    rows = max(1, min(sides.left.once, sides.right.once))
    room = max(1.0, MEMORY / rows - 16 * (1 + len(sides.names)))
    groups = max(1, min(len(kinds), ceil(sum(widths) / room))) if sides.ours else 1
    ends = [sum(widths[: place + 1]) for place in range(len(kinds))]
    for group in range(groups):
        low, high = (sum(widths) * side / groups for side in (group, group + 1))
        yield [place for place, end in enumerate(ends) if low < end <= high]


def _spreads(sides: Sides, kinds: Sequence[Kind]) -> list[float]:
    """Return the interquartile range of each number in the recomputed rows that a hash of the key draws, else 0."""
    table = sides.right.table
    table = table.filter(drawn(table, sides.names, SPREAD_ROWS / max(1, sides.right.once)))
    numbers = [place for place, kind in enumerate(kinds) if kind == "number"]
    quartiles = {
        f"{name}_{place}": table[f"computed_{place}"].quantile(at)
        for place in numbers
        for name, at in (("low", 0.25), ("high", 0.75))
    }
    found = row(table.aggregate(**quartiles)) if quartiles else {}
    return [_spread(found.get(f"low_{place}"), found.get(f"high_{place}")) for place in range(len(kinds))]


def _spread(low: float | None, high: float | None) -> float:
    if low is None or high is None or not abs(high - low) < float("inf"):
        return 0.0
    return float(high - low) or 1.0
