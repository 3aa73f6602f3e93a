"""Rows that a schema allows, drawn to probe a model: typical ones, every edge, every category, missing, far values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.schema import CATEGORIES, TYPES, Domain, Schema
from mltestscore.unstructured import require_single_values

DRAWN = "drawn at random"
OBSERVED = "training rows"
UNSEEN = "never seen before"
FAR = 10  # an end that no rule closes is probed at this many spans beyond the training rows
UNBOUNDED = 1e6  # the span where nothing was observed
MOST_CATEGORIES = 50
MOST_OBSERVED = 500
ROWS_PER_EDGE = 3
ALLOW_ANY_TEXT = ("expect_column_values_to_not_be_null", *TYPES)

Cells = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Values:
    """What a feature may hold.

    Attributes:
        low: least number to draw, or ``None`` for a feature that is drawn from ``choices``.
        high: largest number to draw, likewise.
        integer: whether numbers are whole.
        choices: the values to draw from: categories, or what training holds.
        nullable: whether it may be missing.
        edges: legal values worth rows of their own, by what they are.
        dtype: the dtype that training holds it in, or ``None``.
    """

    low: float | None = None
    high: float | None = None
    integer: bool = False
    choices: tuple[Any, ...] = ()
    nullable: bool = False
    edges: tuple[tuple[str, Any], ...] = ()
    dtype: Any = None

    def draw(self, rng: np.random.Generator, n: int) -> list[Any]:
        """Return ``n`` legal values, none of them missing."""
        if self.low is None or self.high is None:
            return [self.choices[place] for place in rng.integers(0, len(self.choices), n)]
        if self.integer:
            ends = int(np.ceil(self.low)), int(np.floor(self.high))
            kind = np.int64 if ends[1] <= np.iinfo(np.int64).max else np.uint64
            return list(rng.integers(*ends, n, dtype=kind, endpoint=True).tolist())
        return list((self.low + (self.high - self.low) * rng.random(n)).tolist())


@dataclass(frozen=True)
class Probe:
    """Rows to score.

    Attributes:
        frame: the rows, with the model's features in order.
        origins: shape (n,), where each row comes from: :data:`DRAWN`, :data:`OBSERVED`, or its edge in words.
        unknown: features of which neither schema nor training say what they hold; if there are any, no rows are drawn.
    """

    frame: pd.DataFrame
    origins: npt.NDArray[Any]
    unknown: tuple[str, ...] = ()


def probe_rows(
    features: Sequence[str], schema: Schema, training: Dataset | None, rows: int, rng: np.random.Generator
) -> Probe:
    """Return ``rows`` rows drawn from the domains of the features, rows for every edge, and up to 500 training rows.

    A row for an edge is a drawn row with one value replaced, so that what breaks it is known. Features that a rule ties
    together (one greater than the other) keep the values of training rows and are not pushed to their edges. Missing
    values come where the schema allows them, unless it merely tolerates what no training row had.

    Raises :class:`InputError` when the training rows lack a feature.
    """
    observed = None if training is None else _observed(training, features, schema)
    tied = {name for rule in schema.rules if len(rule.columns) > 1 for name in rule.columns if name in features}
    if observed is not None:
        require_single_values(observed, features, "no rule says what their edges are")
    known = {name: values_of(name, schema, None if observed is None else observed[name]) for name in features}
    unknown = tuple(name for name, values in known.items() if values is None)
    always = always_there([name for name, found in known.items() if found], schema, training)
    values = {
        name: replace(found, nullable=found.nullable and name not in always)
        for name, found in known.items()
        if found is not None
    }
    if unknown:
        return Probe(pd.DataFrame(columns=list(features)), np.empty(0, dtype=object), unknown)
    blocks: list[tuple[str, Cells]] = [(DRAWN, _drawn(values, tied, observed, rng, rows))]
    for label, changes in _edges({name: found for name, found in values.items() if name not in tied}):
        base = _drawn(values, tied, observed, rng, ROWS_PER_EDGE)
        blocks.append((label, {**base, **{name: [value] * ROWS_PER_EDGE for name, value in changes.items()}}))
    if observed is not None:
        blocks.append((OBSERVED, {name: observed[name].tolist() for name in features}))
    frame = pd.DataFrame(
        {name: _column([cell for _, block in blocks for cell in block[name]], values[name]) for name in features}
    )
    origins = [label for label, block in blocks for _ in block[features[0]]]
    return Probe(frame, np.array(origins, dtype=object))


def values_of(name: str, schema: Schema, seen: pd.Series[Any] | None) -> Values | None:
    """Return what the feature may hold by the schema, completed by what training rows hold; ``None`` if neither says.

    Without a rule on the feature's values, only what training rows hold is legal.
    """
    ruled = name in schema.columns
    present = pd.Series(dtype=object) if seen is None else seen.dropna()
    domain = schema.domain(name) if ruled else _seen_domain(seen)
    dtype = None if seen is None else seen.dtype
    choices = domain.categories or ((True, False) if domain.dtype == "boolean" else ())
    if not choices and (_is_number(present) or domain.dtype in ("integer", "number") or domain.low is not None):
        return _numbers(_rules(name, schema), domain, present, dtype)
    choices = tuple(choices) or tuple(pd.unique(present).tolist())
    if not choices:
        return None
    edges = [(f"= {choice!s:.40}", choice) for choice in choices[:MOST_CATEGORIES]]
    if _allows_unseen(_rules(name, schema), choices) and not isinstance(dtype, pd.CategoricalDtype):
        edges.append((f"= a category {UNSEEN}", UNSEEN))
    return Values(choices=choices, nullable=domain.nullable, edges=tuple(edges), dtype=dtype)


def always_there(names: Sequence[str], schema: Schema, data: Dataset | None) -> frozenset[str]:
    """Return the columns that no row lacks, and of which the schema allows no more gaps than so many rows leave open.

    Their rule keeps a few gaps among many rows from raising an alarm; that code must take them, nobody has said.
    """
    if data is None:
        return frozenset()
    from mltestscore.inputs.inference import tolerates_surprises_only

    shares = {name: schema.domain(name).max_null_share for name in names}
    asked = [name for name, share in shares.items() if tolerates_surprises_only(share, data.rows)]
    if not asked:
        return frozenset()
    counts = {str(place): data.table[name].count() for place, name in enumerate(asked)}
    (found,) = data.table.aggregate(**counts).to_pyarrow().to_pylist()
    return frozenset(name for name, present in zip(asked, found.values(), strict=True) if present == data.rows)


def _numbers(rules: list[Any], domain: Domain, present: pd.Series[Any], dtype: Any) -> Values:
    integer = domain.dtype == "integer" or (dtype is not None and pd.api.types.is_integer_dtype(dtype))
    seen = present.to_numpy(dtype=np.float64)
    seen = seen[np.isfinite(seen)]
    low, high = _ends(rules, domain, integer)
    start = low if low is not None else seen.min() if len(seen) else (high or 0.0) - UNBOUNDED
    stop = max(start, high if high is not None else seen.max() if len(seen) else start + UNBOUNDED)
    least, most = _storable(dtype, integer, start)
    start, stop = np.clip([start, stop], least, most).tolist()
    span = max(1.0, stop - start)
    bottom = ("least allowed", low) if low is not None else ("far below, which no rule forbids", start - FAR * span)
    top = ("largest allowed", high) if high is not None else ("far above, which no rule forbids", stop + FAR * span)
    edges = {label: float(np.clip(end, least, most)) for label, end in (bottom, top)}
    if edges[bottom[0]] < 0 < edges[top[0]]:
        edges["zero"] = 0.0
    forbidden = {value for rule in rules if rule.type.endswith("not_be_in_set") for value in rule.kwargs["value_set"]}
    shown = [(f"= {value:g} ({label})", int(value) if integer else float(value)) for label, value in edges.items()]
    legal = tuple((label, value) for label, value in shown if value not in forbidden)
    return Values(float(start), float(stop), integer, (), domain.nullable, legal, dtype)


def _storable(dtype: Any, integer: bool, start: float) -> tuple[float, float]:
    """Return the least and largest number of a column of this dtype: a rule may allow more, the model never sees it."""
    if not integer:
        return -np.inf, np.inf
    kind = getattr(dtype, "numpy_dtype", dtype)
    whole = isinstance(kind, np.dtype) and kind.kind in "iu"
    ends = np.iinfo(kind if whole else np.int64 if start < 0 else np.uint64)
    most = float(ends.max)
    return float(ends.min), most if int(most) <= ends.max else float(np.nextafter(most, 0))


def _ends(rules: list[Any], domain: Domain, integer: bool) -> tuple[float | None, float | None]:
    """The declared ends that a value may take: the next one inside where a rule excludes the end itself."""
    low, high = domain.low, domain.high
    if low is not None and any(rule.kwargs.get("strict_min") for rule in rules):
        low = np.floor(low) + 1 if integer else np.nextafter(low, np.inf)
    if high is not None and any(rule.kwargs.get("strict_max") for rule in rules):
        high = np.ceil(high) - 1 if integer else np.nextafter(high, -np.inf)
    whole = (np.ceil, np.floor) if integer else (float, float)
    return None if low is None else float(whole[0](low)), None if high is None else float(whole[1](high))


def _seen_domain(seen: pd.Series[Any] | None) -> Domain:
    if seen is None:
        return Domain(nullable=False)
    nullable, present = bool(seen.isna().any()), seen.dropna()
    if not _is_number(present):
        return Domain(nullable=nullable)
    finite = present[np.isfinite(present.to_numpy(dtype=np.float64))]
    return Domain(low=float(finite.min()), high=float(finite.max()), nullable=nullable) if len(finite) else Domain()


def _rules(name: str, schema: Schema) -> list[Any]:
    return [rule for rule in schema.rules if name in rule.columns and rule.on_values]


def _allows_unseen(rules: list[Any], choices: Sequence[Any]) -> bool:
    open_rules = (rule.type in ALLOW_ANY_TEXT or (rule.type in CATEGORIES and rule.mostly < 1) for rule in rules)
    return bool(rules) and all(isinstance(choice, str) for choice in choices) and all(open_rules)


def _is_number(present: pd.Series[Any]) -> bool:
    types = pd.api.types
    return len(present) > 0 and bool(types.is_numeric_dtype(present)) and not types.is_bool_dtype(present)


def _observed(training: Dataset, features: Sequence[str], schema: Schema) -> pd.DataFrame:
    """Training rows that obey the domains of the schema: only what is allowed may be held against a model."""
    training.require(*features)
    frame = training.sample(MOST_OBSERVED).frame(features)
    legal = np.ones(len(frame), dtype=bool)
    for name in set(features) & schema.columns:
        column, domain = frame[name], schema.domain(name)
        missing = column.isna().to_numpy()
        inside = column.isin(domain.categories) if domain.categories else pd.Series(True, index=column.index)
        if _is_number(column.dropna()):
            low, high = (
                (-np.inf if domain.low is None else domain.low),
                (np.inf if domain.high is None else domain.high),
            )
            inside = inside & (column >= low) & (column <= high)
        legal &= np.where(missing, domain.nullable, inside)
    return frame[legal].reset_index(drop=True)


def _drawn(
    values: Mapping[str, Values], tied: set[str], observed: pd.DataFrame | None, rng: np.random.Generator, n: int
) -> dict[str, list[Any]]:
    cells = {name: found.draw(rng, n) for name, found in values.items()}
    if tied and observed is not None and len(observed):
        places = rng.integers(0, len(observed), n)
        cells |= {name: observed[name].iloc[places].tolist() for name in tied}
    return cells


def _edges(values: Mapping[str, Values]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, found in values.items():
        for label, value in found.edges:
            yield f"{name} {label}", {name: value}
        if found.nullable:
            yield f"{name} missing", {name: None}
    for words, kind in (("least", "(least"), ("largest", "(largest"), ("zero", "(zero")):
        together = {name: value for name, found in values.items() for label, value in found.edges if kind in label}
        if len(together) > 1:
            yield f"every number at once at its {words}" if words != "zero" else "every number zero at once", together
    missing = {name: None for name, found in values.items() if found.nullable}
    if len(missing) > 1:
        yield "everything missing at once that may be", missing


def _column(cells: list[Any], values: Values) -> pd.Series[Any]:
    """The cells in the dtype that training holds them in, or in the plainest that holds them."""
    missing = bool(pd.Series(cells, dtype=object).isna().any())
    floats = values.low is not None and (missing or not values.integer)
    column = pd.Series(cells, dtype=np.float64 if floats else None)
    holds_missing = not (isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub")
    return column.astype(values.dtype) if values.dtype is not None and (holds_missing or not missing) else column
