"""Two datasets joined by their key: which rows meet, and which values differ beyond numerical noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mltestscore.comparison import columns
from mltestscore.comparison.columns import Kind
from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset

if TYPE_CHECKING:
    import ibis

# 1e-6 lets float32 meet float64 (relative 6e-8) and catches a float16 (5e-4) or a value rounded to 5 digits.
NOISE_OF_SPREAD = 1e-9


@dataclass(frozen=True)
class Differences:
    """How one feature differs on the joined rows.

    Attributes:
        differing: rows that have a value on both sides, but not the same one.
        missing_served: rows that lack only the served value.
        missing_computed: rows that lack only the recomputed value.
        place: the feature's number: its columns in the joined table are ``served_{place}`` and ``computed_{place}``.
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
class KeyJoin:
    """The joined rows, as a table with ``key_0`` …, ``entity``, ``at`` (seconds), ``served_i``, ``computed_i``.

    Attributes:
        served, computed: keys of each side, where every row without a key counts as one.
        served_once, computed_once: keys that name one row only; exact repetitions of a row (a retry) are one row.
        joined: rows that met.
        history: all recomputed rows, where they are: ``entity``, ``at``, ``computed_i``.
        timed, with_entity: whether ``at`` and ``entity`` are there.
    """

    table: ibis.Table
    history: ibis.Table
    served: int
    computed: int
    served_once: int
    computed_once: int
    joined: int
    features: tuple[Differences, ...]
    timed: bool
    with_entity: bool


def key_of(serving: Dataset, recomputed: Dataset) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the key columns of both sides; a key declared on one side only is used where the other has the columns."""
    left, right = serving.roles.key, recomputed.roles.key
    if left and not right and set(left) <= set(recomputed.columns):
        right = left
    if right and not left and set(right) <= set(serving.columns):
        left = right
    return (left, right) if left and len(left) == len(right) else ((), ())


def join(serving: Dataset, recomputed: Dataset, features: Sequence[str], rel_tol: float) -> KeyJoin:
    """Join by key and compare the features; both datasets must have a key (see :func:`key_of`) and the features.

    A feature's values match when ``|a - b| <= rel_tol * max(|a|, |b|) + 1e-9 * IQR``, and when both are missing.
    """
    left, right = columns.together(serving.table, recomputed.table)
    keys = list(zip(*key_of(serving, recomputed), strict=True))
    kinds: list[Kind] = []
    served, computed = {}, {}
    for place, (mine, theirs) in enumerate(keys):
        served[f"key_{place}"] = columns.key_text(left[mine], right[theirs])
        computed[f"key_{place}"] = columns.key_text(right[theirs], left[mine])
    context = _context(recomputed, right, [theirs for _, theirs in keys])
    for place, name in enumerate(features):
        served[f"served_{place}"], computed[f"computed_{place}"], kind = columns.comparable(left[name], right[name])
        served[f"gone_{place}"] = columns.missing(left[name])
        computed[f"none_{place}"] = columns.missing(right[name])
        kinds.append(kind)
    names = [f"key_{place}" for place in range(len(keys))]
    left_once = _once(left.select(**served), names)
    timed, with_entity = "at" in context, "entity" in context
    left_once, right_once = _once(left.select(**served), names), _once(right.select(**computed, **context), names)
    # The joined rows are asked several times; Arrow keeps them without a temporary table to clean up.
    rows = left_once.inner_join(right_once, names).to_pyarrow()
    table = database.as_table(rows)
    differences = _differences(table, features, kinds, rel_tol)
    history = right.select(**computed, **context)
    seen = _keys(left.select(**served), names), _keys(right.select(**computed), names)
    (own, own_once), (other, other_once) = seen
    return KeyJoin(table, history, own, other, own_once, other_once, rows.num_rows, differences, timed, with_entity)


def differs(table: Any, place: int, kind: Kind, spread: float, rel_tol: float) -> Any:
    """Return whether a row has two values of a feature that are not the same."""
    a, b = table[f"served_{place}"], table[f"computed_{place}"]
    present = ~table[f"gone_{place}"] & ~table[f"none_{place}"]
    if kind in ("text", "other"):
        return present & (a != b)
    import ibis

    noise = rel_tol * ibis.greatest(a.abs(), b.abs()) + NOISE_OF_SPREAD * spread
    if kind == "time":
        noise = ibis.literal(1e-6)
    # A text that is no number stands against a number as NULL: that is a difference, not a missing value.
    return present & (a.isnull() | b.isnull() | ((a != b) & ((a - b).abs() > noise)))


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


def _once(table: Any, names: Sequence[str]) -> Any:
    """Return the rows whose key names one row only; exact repetitions of a row are one row."""
    import ibis

    known = table.filter([table[name].notnull() for name in names]).distinct()
    counted = known.mutate(same_key=known.count().over(ibis.window(group_by=names)))
    return counted.filter(counted.same_key == 1).drop("same_key")


def _keys(table: Any, names: Sequence[str]) -> tuple[int, int]:
    """Return how many keys there are (a row without one counts), and how many name one row only."""
    without = table[names[0]].isnull()
    for name in names[1:]:
        without = without | table[name].isnull()
    known = table.filter(~without).distinct().group_by(names).aggregate(rows=lambda same: same.count())
    counted = _row(known.aggregate(keys=known.count(), once=known.count(where=known["rows"] == 1)))
    return int(counted["keys"]) + _number(table.count(where=without)), int(counted["once"] or 0)


def _differences(table: Any, features: Sequence[str], kinds: Sequence[Kind], rel_tol: float) -> tuple[Differences, ...]:
    numbers = [place for place, kind in enumerate(kinds) if kind == "number"]
    quartiles = {
        f"{name}_{place}": table[f"computed_{place}"].quantile(at)
        for place in numbers
        for name, at in (("low", 0.25), ("high", 0.75))
    }
    found = _row(table.aggregate(**quartiles)) if quartiles else {}
    spreads = [_spread(found.get(f"low_{place}"), found.get(f"high_{place}")) for place in range(len(kinds))]
    counts = {}
    for place, kind in enumerate(kinds):
        gone, none = table[f"gone_{place}"], table[f"none_{place}"]
        counts[f"differing_{place}"] = table.count(where=differs(table, place, kind, spreads[place], rel_tol))
        counts[f"gone_{place}"] = table.count(where=gone & ~none)
        counts[f"none_{place}"] = table.count(where=none & ~gone)
    seen = _row(table.aggregate(**counts)) if counts else {}
    found_rows = {name: int(value or 0) for name, value in seen.items()}
    return tuple(
        Differences(
            feature=name,
            place=place,
            kind=kinds[place],
            differing=found_rows[f"differing_{place}"],
            missing_served=found_rows[f"gone_{place}"],
            missing_computed=found_rows[f"none_{place}"],
            spread=spreads[place],
        )
        for place, name in enumerate(features)
    )


def _spread(low: float | None, high: float | None) -> float:
    if low is None or high is None or not abs(high - low) < float("inf"):
        return 0.0
    return float(high - low) or 1.0


def _row(table: Any) -> dict[str, Any]:
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows[0]


def _number(expression: Any) -> int:
    return int(expression.to_pyarrow().as_py() or 0)
