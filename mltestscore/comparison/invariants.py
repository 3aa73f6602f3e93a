"""What held in the whole past and is broken now: limits learned from past windows, and structural breaks.

A part may accuse only where the past says what is unusual (at least twelve windows) or where the break is one of kind
and not of degree; all else is shown and judges nothing, because the world changes without a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from mltestscore.comparison import columns, profile
from mltestscore.comparison.numbers import DEFAULTS
from mltestscore.comparison.profile import Past, Windows
from mltestscore.comparison.texts import difference, twin
from mltestscore.inputs import families

HARDLY_EVER = 0.001


@dataclass(frozen=True)
class Tolerance:
    """What is tolerated beyond the past; see the options of the check ``monitor.2``."""

    missing: float
    spike: float
    out_of_range: float
    fraction: float
    category: float
    twins: float
    new_value: float


@dataclass(frozen=True)
class Part:
    """One part of the battery on one feature: the rows in which it is broken, and how many may be.

    Attributes:
        event: Boolean column of the serving table: the invariant is broken in this row.
        advisory: shown only, since the past cannot say what is unusual.
        chance: rows beyond the past extremes, where only more of them than chance brings may accuse.
    """

    name: str
    feature: str
    event: Any
    limit: float
    cause: str
    advisory: bool = False
    chance: Any = None


@dataclass(frozen=True)
class Now:
    """The serving side of one feature: its column as the past's kind, its most frequent values and rows."""

    column: Any
    raw: Any
    frequent: Sequence[tuple[Any, int]]
    rows: int


def parts(
    past: Past, now: Now, windows: Windows, shares: Any, atoms: Sequence[float], allowed: Tolerance
) -> Iterator[Part]:
    """Yield the parts of the battery that apply to a feature; a limit that nothing can exceed is none."""
    for part in _parts(past, now, windows, shares, atoms, allowed):
        if part.limit < 1:
            yield part


def _parts(
    past: Past, now: Now, windows: Windows, shares: Any, atoms: Sequence[float], allowed: Tolerance
) -> Iterator[Part]:
    yield _missing(past, now, windows, allowed)
    if past.present < profile.ROWS or past.nameless or past.grows:
        return
    if past.kind == "text":
        yield from _categories(past, now, windows, allowed)
        return
    yield from _type(past, now, allowed)
    yield from _range(past, now, windows, allowed)
    yield from _granularity(past, now, allowed)
    if len(atoms):
        yield _spike(past, now, windows, shares, atoms, allowed)


def _missing(past: Past, now: Now, windows: Windows, allowed: Tolerance) -> Part:
    name, gone = "missing values", columns.missing(now.raw)
    before = float(past.missing.sum() / past.rows.sum())
    kept = past.rows >= profile.ROWS
    said = f"missing more often than ever: {before:.2%} in the past" if before else "missing, which it never was"
    if windows.enough:
        worst = float((past.missing[kept] / past.rows[kept]).max())
        limit = 2 * worst + allowed.missing
        return Part(
            name, past.name, gone, limit, f"{said}, at worst {worst:.2%} in one of {windows.count} past {windows.name}"
        )
    if before == 0:
        return Part(name, past.name, gone, max(allowed.missing, 0.005), said)
    # Without past windows only a break of kind can accuse: most of what used to be there is gone.
    return Part(name, past.name, gone, (1 + before) / 2, said, advisory=before >= 0.5)


def _type(past: Past, now: Now, allowed: Tolerance) -> Iterator[Part]:
    if now.raw.type().is_string():
        broken = now.column.isnull() & ~columns.missing(now.raw)
        yield Part("texts that are no number", past.name, broken, 0.005, "type: text is served where numbers were")


def _range(past: Past, now: Now, windows: Windows, allowed: Tolerance) -> Iterator[Part]:
    low, high = past.range
    span = high - low
    if not 0 < span < float("inf"):
        return
    outside = (now.column < low) | (now.column > high)
    far = (now.column < low - span / 2) | (now.column > high + span / 2)
    cause = f"a unit or a default: the past range is {low:.6g} … {high:.6g}"
    yield Part("values far out of the past range", past.name, far, allowed.out_of_range, cause, chance=outside)
    new = _new_value(past, now, far_share=0.1 if windows.enough else 0.5)
    if new is not None:
        cause = f"default-filled: {new:.6g} is new, and alone beyond {low:.6g} … {high:.6g}"
        yield Part("a new value out of the past range", past.name, now.column == new, allowed.new_value, cause)


def _new_value(past: Past, now: Now, far_share: float) -> float | None:
    """Return the frequent value beyond the range that stands alone there: a sentinel, or one far away."""
    low, high = past.range
    beyond = [(float(one), n) for one, n in now.frequent if one < low or one > high]
    for one, n in beyond:
        side = sum(count for other, count in beyond if (other < low) == (one < low))
        far = max(low - one, one - high) > far_share * (high - low)
        if n >= 0.95 * side and (one in DEFAULTS or far):
            return one
    return None


def _granularity(past: Past, now: Now, allowed: Tolerance) -> Iterator[Part]:
    share = past.fractions.sum() / past.present
    whole = families.whole(now.column)
    name = "values of another granularity"
    if share < 0.001 and float((past.fractions / numpy.maximum(1, past.rows)).max()) < 0.01:
        yield Part(name, past.name, ~whole, allowed.fraction, "fractions where only whole numbers were")
    elif share > 0.999:
        yield Part(name, past.name, whole, allowed.fraction, "truncated: whole numbers where only fractions were")


def _spike(past: Past, now: Now, windows: Windows, shares: Any, atoms: Sequence[float], allowed: Tolerance) -> Part:
    """Return the value whose share grew most beyond its limit."""
    name, kept = "one value too often", past.rows >= profile.ROWS
    pooled = (shares * past.rows[:, None]).sum(axis=0) / past.rows.sum()
    if not windows.enough:
        growth = numpy.maximum(pooled, 0.05)
    else:
        growth = numpy.maximum(
            allowed.spike, _tolerated_growth(_worst_growth(shares[kept], past.rows[kept]), pooled, atoms)
        )
    served = dict(now.frequent)
    current = numpy.array([served.get(atom, 0) / now.rows for atom in atoms])
    worst = int((current - pooled - growth).argmax())
    cause = (
        f"default or clip: {atoms[worst]:.6g} holds {current[worst]:.2%} of the rows, {pooled[worst]:.2%} in the past"
    )
    event = now.column == float(atoms[worst])
    return Part(name, past.name, event, float(pooled[worst] + growth[worst]), cause, advisory=not windows.enough)


def _tolerated_growth(
    worst: NDArray[numpy.float64], pooled: NDArray[numpy.float64], atoms: Sequence[float]
) -> NDArray[numpy.float64]:
    """Return how much each value may grow: three times as much as any value ever did, since weather and fashion drift.

    A usual default (0, -1, 999) that hardly ever was there is under suspicion beforehand: as much as any value did.
    """
    any_value = float(worst.max())
    suspected = numpy.array([atom in DEFAULTS for atom in atoms]) & (pooled < HARDLY_EVER)
    return numpy.asarray(numpy.where(suspected, any_value, 3 * any_value))


def _worst_growth(shares: NDArray[numpy.float64], rows: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Return by how much the share of each value ever grew over its share in all windows before, shape (values,)."""
    before = numpy.cumsum(shares * rows[:, None], axis=0)[:-1] / numpy.cumsum(rows)[:-1, None]
    return numpy.asarray(numpy.maximum(0.0, (shares[1:] - before).max(axis=0)))


def _categories(past: Past, now: Now, windows: Windows, allowed: Tolerance) -> Iterator[Part]:
    known: dict[str, list[str]] = {}
    for one in past.categories:
        known.setdefault(twin(one), []).append(one)
    unseen = [(str(one), n) for one, n in now.frequent if str(one) not in past.categories]
    # Where the past itself holds two names of one form, the form does not matter there.
    twins = [(one, n) for one, n in unseen if len(known.get(twin(one), ())) == 1]
    others = [(one, n) for one, n in unseen if twin(one) not in known]
    cause = ""
    if twins:
        one, usual = twins[0][0], known[twin(twins[0][0])][0]
        cause = f"{one[:30]!r} for {usual[:30]!r}: {difference(one, usual)}"
    names = [one for one, _ in twins]
    yield Part("known categories in another form", past.name, _among(now.column, names), allowed.twins, cause)
    names = [one for one, _ in others]
    cause = f"new categories: {', '.join(repr(one[:30]) for one in names[:3])}" if names else ""
    limit = allowed.category + (3 * _worst_new(past) if windows.enough else 0.0)
    event = _among(now.column, names)
    yield Part("categories never seen before", past.name, event, limit, cause, advisory=not windows.enough)


def _among(column: Any, names: Sequence[str]) -> Any:
    import ibis

    return column.isin(list(names)) if names else column.isnull() & ibis.literal(False)


def _worst_new(past: Past) -> float:
    """Return the largest share of rows that categories new in their window ever had, after the first three windows."""
    kept = past.rows >= profile.ROWS
    counts = numpy.array([one[kept] for one in past.categories.values()])
    if counts.ndim != 2 or counts.shape[1] < 4:
        return 1.0
    seen_before = numpy.cumsum(counts, axis=1) - counts > 0
    new = numpy.where(seen_before, 0.0, counts).sum(axis=0) / past.rows[kept]
    return float(new[3:].max())
