"""A first schema, inferred from the training data: what every column was like. A person must review it.

What the data show is not what may be: ranges get slack, rules on values tolerate what so many rows cannot rule
out, and the suite says that nobody has looked at it yet. Else the next rows of a sound system would break it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mltestscore.inputs.families import family, whole
from mltestscore.inputs.rules import Rule

if TYPE_CHECKING:
    import ibis

    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.schema import Schema

SLACK = 0.5  # of the span, on each side of a range: another season goes beyond; monitor.2 calls that far as well
UNSEEN = 12  # of n rows: what never was among n rows holds a larger share with a probability below 0.0001, see unseen
LEAST_UNSEEN = 0.001  # in however many rows: the world changes a little
NULL_SLACK = (0.02, 0.25)  # missing values may grow by two points, or by a quarter
FULL_SET = 50  # up to so many categories a new one is a surprise; from there to MOST one row in a hundred may be new
MOST = 1_000
NEW_CATEGORIES = 0.005  # of later rows, in however many: a new carrier is no fault; monitor.2 tolerates as much
FEW_CODES = 20  # whole numbers within so small a span are codes or counts: no slack
MOST_SHARE = 0.05  # of different values among the rows: above, a text is a name and no category
TYPES = {
    "integer": ["int64", "int32", "int16", "int8", "Int64", "INTEGER"],
    "number": ["float64", "float32", "FLOAT"],
    "text": ["str", "string", "object"],
    "boolean": ["bool", "boolean"],
    "time": ["datetime64[ns]", "datetime64[us]", "timestamp"],
}


def inferred(dataset: Dataset) -> Schema:
    """Return a schema of the dataset's features, key and label.

    One query for the figures of all columns, a second one for the values of those that hold few texts.
    """
    from mltestscore.inputs.schema import Schema

    roles = dataset.roles
    wanted = [*roles.key, *dataset.features, *filter(None, [roles.label])]
    names = [name for name in dict.fromkeys(wanted) if family(dataset.table[name].type()) in TYPES]
    (rules,) = dataset.recall("inferred", [tuple(names)], lambda keys: [tuple(_rules(dataset, key)) for key in keys])
    arrays = [name for name in dict.fromkeys(wanted) if dataset.table[name].type().is_nested()]
    return Schema(f"inferred from {dataset.source}", (*rules, *_presence(dataset, arrays)))


def suite(schema: Schema, name: str) -> dict[str, Any]:
    """Return the schema as a Great Expectations 1.x suite, ready to be written as JSON.

    >>> from mltestscore.inputs.schema import Schema
    >>> suite(Schema("", [Rule("expect_column_values_to_not_be_null", {"column": "a"})]), "mine")["expectations"]
    [{'type': 'expect_column_values_to_not_be_null', 'kwargs': {'column': 'a'}}]
    """
    return {
        "name": name,
        "notes": f"{schema.source}; not reviewed: ask of every rule whether it is what may be, or only what was.",
        "expectations": [{"type": rule.type, "kwargs": dict(rule.kwargs)} for rule in schema.rules],
        "meta": {},
    }


def thoughtless(low: float | None, high: float | None) -> tuple[tuple[float, float], ...]:
    """Return the ranges that nobody need have thought about: the data's own, and those that are inferred from it.

    >>> thoughtless(0.0, 6.0)
    ((0.0, 6.0), (0, 9), (0, 6))
    """
    if low is None or high is None:
        return ()
    ends = float(low), float(high)
    return ends, _range(*ends), _range(*ends, codes=True)


def _rules(dataset: Dataset, names: tuple[str, ...]) -> Iterator[Rule]:
    table, roles = dataset.table, dataset.roles
    figures = _figures(table, names)
    sets = _categories(table, [name for name in names if _has_categories(table, name, figures[name])])
    for name in names:
        known = figures[name], sets.get(name)
        yield from _column(table, name, *known, once=roles.key == (name,), key=name in roles.key)
    if len(roles.key) > 1:
        yield Rule("expect_compound_columns_to_be_unique", {"column_list": list(roles.key)})


def _presence(dataset: Dataset, arrays: list[str]) -> Iterator[Rule]:
    """Yield the one rule that there is on arrays, such as images: whether they may be missing."""
    for name in arrays:
        known = int(dataset.table[name].count().to_pyarrow().as_py())
        yield from _gaps(name, {"known": known, "rows": dataset.rows})


def _gaps(name: str, figure: Mapping[str, Any], *, strict: bool = False) -> Iterator[Rule]:
    """Yield the rule on missing values; ``strict`` for a key, without which a row cannot be found again.

    Where nothing was missing, a few gaps among many later rows contradict nothing that the data said; that they are
    tolerated does not mean that a model must take them, see :func:`tolerates_surprises_only`.
    """
    missing = 1 - figure["known"] / figure["rows"] if figure["rows"] else 1.0
    if not missing:
        surprises = {} if strict else {"mostly": 1 - unseen(figure["rows"])}
        yield Rule("expect_column_values_to_not_be_null", {"column": name, **surprises})
    elif (allowed := missing + max(NULL_SLACK[0], NULL_SLACK[1] * missing)) < 1:
        mostly = math.floor(100 * (1 - allowed)) / 100
        yield Rule("expect_column_values_to_not_be_null", {"column": name, "mostly": mostly})


def tolerates_surprises_only(share: float, rows: int) -> bool:
    """Say whether a rule that allows this share of missing values asks no model to take them.

    That is where so many rows, of which none had a gap, cannot rule the share out: the rule says nothing about gaps,
    it only does not accuse the few that no data could have announced.

    >>> tolerates_surprises_only(0.001, 30_000), tolerates_surprises_only(0.02, 30_000), tolerates_surprises_only(0, 9)
    (True, False, False)
    """
    return 0 < share <= unseen(rows) + 1e-9


def _figures(table: ibis.Table, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    wanted: dict[str, Any] = {"rows": table.count()}
    for place, name in enumerate(names):
        column = table[name]
        wanted |= {f"n{place}": column.count(), f"d{place}": column.approx_nunique()}
        kind = family(column.type())
        value = column.cast("string").length() if kind == "text" else column
        if kind != "boolean":
            wanted |= {f"low{place}": value.min(), f"high{place}": value.max()}
        if kind == "number":
            wanted[f"whole{place}"] = whole(column).fill_null(True).all()
    found = table.aggregate(**wanted).to_pyarrow().to_pylist()[0]
    keys = {"known": "n", "distinct": "d", "low": "low", "high": "high", "whole": "whole"}
    return {
        name: {key: found.get(f"{short}{place}") for key, short in keys.items()} | {"rows": found["rows"]}
        for place, name in enumerate(names)
    }


def _has_categories(table: ibis.Table, name: str, figure: Mapping[str, Any]) -> bool:
    most = min(MOST, max(2, MOST_SHARE * figure["known"]))
    return family(table[name].type()) == "text" and 0 < figure["distinct"] <= most


def _categories(table: ibis.Table, names: list[str]) -> dict[str, list[str]]:
    if not names:
        return {}
    asked = {f"s{place}": table[name].collect(distinct=True) for place, name in enumerate(names)}
    found = table.aggregate(**asked).to_pyarrow().to_pylist()[0]
    return {
        name: sorted(value for value in found[f"s{place}"] if value is not None) for place, name in enumerate(names)
    }


def _column(
    table: ibis.Table, name: str, figure: Mapping[str, Any], values: list[str] | None, *, once: bool, key: bool
) -> Iterator[Rule]:
    kind = family(table[name].type())
    # A whole number with gaps became floating in pandas; the rule on its type says what it means.
    meant = "integer" if kind == "number" and figure["whole"] and figure["known"] else kind
    yield Rule("expect_column_values_to_be_in_type_list", {"column": name, "type_list": TYPES[meant]})
    if not figure["known"]:
        return
    surprises = {"mostly": 1 - unseen(figure["known"])}
    yield from _gaps(name, figure, strict=key)
    if once:
        yield Rule("expect_column_values_to_be_unique", {"column": name})
    elif figure["distinct"] > 1:
        yield Rule("expect_column_unique_value_count_to_be_between", {"column": name, "min_value": 2})
    if values is not None:
        new = {"mostly": min(surprises["mostly"], 1 - NEW_CATEGORIES if len(values) <= FULL_SET else 0.99)}
        yield Rule("expect_column_values_to_be_in_set", {"column": name, "value_set": values, **new})
    elif kind == "text":
        lengths = {"min_value": 0 if figure["low"] < 2 else 1, "max_value": 2 * figure["high"]}
        yield Rule("expect_column_value_lengths_to_be_between", {"column": name, **lengths, **surprises})
    elif kind in ("integer", "number") and not (once or _names_things(figure, meant)):
        low, high = _range(float(figure["low"]), float(figure["high"]), codes=meant == "integer")
        yield Rule(
            "expect_column_values_to_be_between", {"column": name, "min_value": low, "max_value": high, **surprises}
        )


def _names_things(figure: Mapping[str, Any], meant: str) -> bool:
    """Say whether whole numbers are names, of which the next is new: nearly each row has another one."""
    return meant == "integer" and figure["known"] >= FEW_CODES and figure["distinct"] > 0.9 * figure["known"]


def unseen(rows: int) -> float:
    """Return the share of later rows that may be as no row was, in steps of 0.001.

    The share of a population beyond the least and largest of n rows is Beta(2, n - 1) (Wilks 1941): it exceeds t with
    probability ``(1 - t)^(n - 1) (1 + (n - 1) t)``, which is below 0.0001 for t = 12 / n.

    >>> unseen(245_000), unseen(1_000), unseen(10)
    (0.001, 0.012, 0.5)
    """
    return min(0.5, max(LEAST_UNSEEN, math.ceil(1000 * UNSEEN / rows) / 1000))


def _range(low: float, high: float, *, codes: bool = False) -> tuple[float, float]:
    """Return the range with slack, at round numbers; what was never negative stays so, ``codes`` of a few numbers too.

    >>> _range(0.0, 97.3), _range(-12.0, 38.5), _range(5.0, 5.0), _range(0.0, 6.0, codes=True)
    ((0, 146), (-38, 64), (0, 10), (0, 6))
    """
    span = high - low or abs(high) or 1.0
    if not math.isfinite(span) or (codes and span <= FEW_CODES):
        return _tidy(low), _tidy(high)
    room = SLACK * span if high > low else span
    step = 10.0 ** math.floor(math.log10(span) - 1)
    floor, ceiling = math.floor((low - room) / step) * step, math.ceil((high + room) / step) * step
    return _tidy(0.0 if low >= 0 > floor else floor), _tidy(0.0 if high <= 0 < ceiling else ceiling)


def _tidy(end: float) -> float:
    short = float(f"{end:.12g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short
