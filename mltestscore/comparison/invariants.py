"""What held in the whole past and is broken now: limits learned from past windows, and structural breaks.

A part may accuse only where the past says what is unusual (at least twelve windows) or where the break is one of kind
and not of degree; all else is shown and judges nothing, because the world changes without a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from mltestscore.comparison import columns, profile
from mltestscore.comparison.grid import Cells
from mltestscore.comparison.numbers import DEFAULTS
from mltestscore.comparison.profile import Past, Windows
from mltestscore.comparison.tallies import Tally
from mltestscore.comparison.texts import difference, twin
from mltestscore.inputs import families

HARDLY_EVER = 0.001
OFTEN = 0.05  # of the rows: what one text among many may gain over twice its past share; engineering judgement


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
        hits: in how many rows, where the profile knows.
        advisory: shown only, since the past cannot say what is unusual; unsure: neither passed nor failed.
        chance: rows beyond the past extremes, where only more of them than chance brings may accuse.
    """

    name: str
    feature: str
    event: Any
    limit: float
    cause: str
    advisory: bool = False
    chance: Any = None
    hits: int | None = None
    unsure: bool = False


@dataclass(frozen=True)
class Now:
    """The serving side of one feature: its column as the past's kind, its most frequent values and rows.

    Where it was counted, ``cells`` hold the numbers and ``tally`` the texts, and most events need not be counted again.
    """

    column: Any
    raw: Any
    frequent: Sequence[tuple[Any, int]]
    rows: int
    cells: Cells | None = None
    tally: Tally | None = None

    @property
    def only(self) -> tuple[Any, int] | None:
        """The one value that all rows with a value hold, and how many they are; ``None`` where it varies."""
        if self.cells is None:
            return self.frequent[0] if len(self.frequent) == 1 else None
        low, high = self.cells.range
        return (low, self.cells.present) if low == high else None

    @property
    def missing(self) -> int | None:
        """Rows without a value; ``None`` where that is not known."""
        if self.tally is not None:
            return self.tally.missing
        # A served text that is no number is none of the cells', but it is not missing.
        return self.cells.missing if self.cells is not None and not self.raw.type().is_string() else None

    def beyond(self, low: float, high: float) -> int | None:
        """Return how many rows lie below ``low`` or above ``high``; ``None`` where the cells do not tell."""
        if self.cells is None:
            return None
        surely, perhaps = self.cells.beyond(low, high)
        return surely if surely == perhaps else None

    def at(self, values: Sequence[Any]) -> int | None:
        """Return how many rows hold one of these frequent values; ``None`` where that is not known."""
        known: dict[Any, int] = dict(self.frequent)
        if (self.cells is None and self.tally is None) or any(one not in known for one in values):
            return None
        return sum(known[one] for one in values)


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
    before = float(past.missing.sum() / past.rows.sum())
    kept = past.rows >= profile.ROWS
    cause = f"missing more often than ever: {before:.2%} in the past" if before else "missing, which it never was"
    advisory = False
    if windows.enough:
        worst = float((past.missing[kept] / past.rows[kept]).max())
        limit = 2 * worst + allowed.missing
        cause += f", at worst {worst:.2%} in one of {windows.count} past {windows.name}"
    elif before == 0:
        limit = max(allowed.missing, 0.005)
    else:
        # Without past windows only a break of kind can accuse: most of what used to be there is gone.
        limit, advisory = (1 + before) / 2, before >= 0.5
    gone = columns.missing(now.raw)
    return Part("missing values", past.name, gone, limit, cause, advisory=advisory, hits=now.missing)


def _type(past: Past, now: Now, allowed: Tolerance) -> Iterator[Part]:
    if now.raw.type().is_string():
        broken = now.column.isnull() & ~columns.missing(now.raw)
        yield Part("texts that are no number", past.name, broken, 0.005, "type: text is served where numbers were")


def _range(past: Past, now: Now, windows: Windows, allowed: Tolerance) -> Iterator[Part]:
    low, high = past.range
    span = high - low
    if not 0 < span < float("inf"):
        return
    ends = low - span / 2, high + span / 2
    outside = (now.column < low) | (now.column > high)
    far, hits = (now.column < ends[0]) | (now.column > ends[1]), now.beyond(*ends)
    cause = f"a unit or a default: the past range is {low:.6g} … {high:.6g}"
    name = "values far out of the past range"
    chance = None if hits == 0 else outside
    yield Part(name, past.name, far, allowed.out_of_range, cause, chance=chance, hits=hits)
    new = _new_value(past, now, far_share=0.1 if windows.enough else 0.5)
    if new is not None:
        cause = f"default-filled: {new:.6g} is new, and alone beyond {low:.6g} … {high:.6g}"
        name, event = "a new value out of the past range", now.column == new
        yield Part(name, past.name, event, allowed.new_value, cause, hits=now.at([new]))


def _new_value(past: Past, now: Now, far_share: float) -> float | None:
    """Return the frequent value beyond the range that stands alone there: a sentinel, or one far away."""
    low, high = past.range
    beyond = [(float(one), n) for one, n in now.frequent if one < low or one > high]
    for one, n in beyond:
        below = one < low
        if now.cells is None:
            side = sum(count for other, count in beyond if (other < low) == below)
        else:
            side = now.cells.beyond(low, numpy.inf)[1] if below else now.cells.beyond(-numpy.inf, high)[1]
        far = max(low - one, one - high) > far_share * (high - low)
        if n >= 0.95 * side and (one in DEFAULTS or far):
            return one
    return None


def _granularity(past: Past, now: Now, allowed: Tolerance) -> Iterator[Part]:
    share = past.fractions.sum() / past.present
    whole, cells = families.whole(now.column), now.cells
    name, most = "values of another granularity", allowed.fraction
    fractions = None if cells is None else cells.fractions
    wholes = None if cells is None else cells.present - cells.fractions
    if share < 0.001 and float((past.fractions / numpy.maximum(1, past.rows)).max()) < 0.01:
        yield Part(name, past.name, ~whole, most, "fractions where only whole numbers were", hits=fractions)
    elif share > 0.999:
        yield Part(name, past.name, whole, most, "truncated: whole numbers where only fractions were", hits=wholes)


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
    held = f"{current[worst]:.2%} of the rows, {pooled[worst]:.2%} in the past"
    cause = f"default or clip: {atoms[worst]:.6g} holds {held}"
    event, limit = now.column == float(atoms[worst]), float(pooled[worst] + growth[worst])
    hits = now.at([atoms[worst]])
    return Part(name, past.name, event, limit, cause, advisory=not windows.enough, hits=hits)


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


def unseen(past: Past, now: Now) -> list[tuple[str, int]]:
    """Return the served categories that the past never had, and their rows."""
    return [(str(one), n) for one, n in now.frequent if str(one) not in past.categories]


def _categories(past: Past, now: Now, windows: Windows, allowed: Tolerance) -> Iterator[Part]:
    known: dict[str, list[str]] = {}
    for one in past.categories:
        known.setdefault(twin(one), []).append(one)
    new = unseen(past, now)
    # Where the past itself holds two names of one form, the form does not matter there.
    twins = [one for one, _ in new if len(known.get(twin(one), ())) == 1]
    others = [one for one, _ in new if twin(one) not in known]
    cause = ""
    if twins:
        one, usual = twins[0], known[twin(twins[0])][0]
        cause = f"{one[:30]!r} for {usual[:30]!r}: {difference(one, usual)}"
    name = "known categories in another form"
    yield Part(name, past.name, _among(now.column, twins), allowed.twins, cause, hits=now.at(twins))
    cause = f"new categories: {', '.join(repr(one[:30]) for one in others[:3])}" if others else ""
    limit = allowed.category + (3 * _worst_new(past) if windows.enough else 0.0)
    name, event = "categories never seen before", _among(now.column, others)
    yield Part(name, past.name, event, limit, cause, advisory=not windows.enough, hits=now.at(others))


def too_often(past: Past, now: Now, before: Mapping[str, int], *, advisory: bool) -> Iterator[Part]:
    """Yield the frequent text whose share grew most, of a feature that holds too many to know each one.

    ``before`` holds the rows of the texts that were frequent in the past. ``advisory`` where the texts are names: one
    large customer may fill a day, but no sentence repeats itself in one row of twenty.
    """
    if not now.frequent:
        return
    usual = {str(text): before.get(str(text), 0) / past.present for text, _ in now.frequent}
    text, rows = max(now.frequent, key=lambda one: one[1] / now.rows - 2 * usual[str(one[0])])
    share = usual[str(text)]
    cause = f"default-filled: {str(text)[:30]!r} holds {rows / now.rows:.2%} of the rows, {share:.2%} in the past"
    event, limit = now.column == str(text), 2 * share + OFTEN
    yield Part("one text too often", past.name, event, limit, cause, advisory=advisory)


def _among(column: Any, names: Sequence[str]) -> Any:
    import ibis

    return column.isin(list(names)) if names else column.isnull() & ibis.literal(False)


def _worst_new(past: Past) -> float:
    """Return the largest share of rows that categories new in their window ever had, after the first three windows."""
    kept = past.rows >= profile.ROWS
    if any(len(one) != len(kept) for one in past.categories.values()):
        return 0.0  # not counted by window, since nothing new is served and the rows are many
    counts = numpy.array([one[kept] for one in past.categories.values()])
    if counts.ndim != 2 or counts.shape[1] < 4:
        return 1.0
    seen_before = numpy.cumsum(counts, axis=1) - counts > 0
    new = numpy.where(seen_before, 0.0, counts).sum(axis=0) / past.rows[kept]
    return float(new[3:].max())
