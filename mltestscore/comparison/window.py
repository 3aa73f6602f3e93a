"""Two datasets compared as distributions over the time that both cover: for systems that log no key.

Only the common time is compared: across time the world changes, and that is no fault of the serving path. Every row is
counted, numbers over a grid (see :mod:`mltestscore.comparison.grid`), whose error widens the interval of a distance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from mltestscore.comparison import grid
from mltestscore.comparison.columns import Kind
from mltestscore.comparison.grid import Cells
from mltestscore.comparison.levels import rate
from mltestscore.comparison.sides import FEW, Side, counted, cut, kinds_of, times
from mltestscore.comparison.tallies import Tally
from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.distribution import Counted, Distance, category_distance, ks_distance
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels

ATOMS = 10
PARTS = 5


@dataclass(frozen=True)
class Window:
    """The rows of both datasets in their common time, counted by feature.

    Attributes:
        low, high: the common time, seconds since 1970.
    """

    low: float
    high: float
    served: Side
    computed: Side
    kinds: dict[str, Kind]

    @property
    def rows(self) -> tuple[int, int]:
        """How many served and how many computed rows lie in the window."""
        return self.served.rows, self.computed.rows


@dataclass(frozen=True)
class Part:
    """One comparison of one feature: what was measured, its interval, its cause in words, the usual share before."""

    name: str
    interval: Interval
    cause: str
    usual: float = 0.0


def common_window(serving: Dataset, recomputed: Dataset, features: Sequence[str]) -> Window | str:
    """Return the rows of both datasets in the time that both cover, or why there is no such time."""
    if not (serving.roles.time and recomputed.roles.time):
        which = " and ".join(one.name for one in (serving, recomputed) if not one.roles.time)
        return f"nothing tells which rows belong together: no key, and no time column in {which}"
    ends = [times(one) for one in (serving, recomputed)]
    if not all(one.known for one in ends):
        return "a time column holds no time"
    low, high = max(one.low for one in ends), min(one.high for one in ends)
    if low > high:
        return "the two datasets share no time: across time, distributions drift without a fault"
    left, right = (cut(one, own, low, high) for one, own in zip((serving, recomputed), ends, strict=True))
    kinds = kinds_of(left, right, features)
    return Window(low, high, *counted(left, right, kinds), kinds)


def compare(window: Window, feature: str, alpha: float) -> Iterator[Part]:
    """Yield the parts of the battery for one feature; ``alpha`` is the level of the whole check's accusations each."""
    served, computed = window.served, window.computed
    effects = served.effects[feature], computed.effects[feature]
    yield _missing(served, computed, feature, alpha)
    left, right = computed[feature], served[feature]
    if left is None or right is None or not left.present or not right.present:
        return
    n = left.present / effects[1], right.present / effects[0]
    few = _few(left)
    if few is not None:
        yield _categories(few, _labels(right), computed, served, feature, alpha, n)
    elif isinstance(left, Cells) and isinstance(right, Cells):
        yield from _numbers(window, feature, left, right, alpha, n)


def _few(computed: Cells | Tally) -> dict[object, int] | None:
    """Return the categories of a text, of flags, ratings, weekdays; ``None`` for measurements."""
    if isinstance(computed, Tally) or (len(computed.place) <= FEW and computed.single.all()):
        return _labels(computed)
    return None


def _labels(side: Cells | Tally) -> dict[object, int]:
    if isinstance(side, Tally):
        return dict(side.counts)
    names = [
        low if low == high else f"{low:.6g} … {high:.6g}"
        for low, high in zip(side.low.tolist(), side.high.tolist(), strict=True)
    ]
    return dict(zip(names, side.count.astype(int).tolist(), strict=True))


def _share_gap(p: float, q: float, alpha: float, n: tuple[float, float], unseen: float = 0.0) -> TwoLevels:
    """Return the difference of two shares as an interval at two levels; it may be larger by ``unseen``."""
    counts = [Counted((True, False), (round(share * 1e9), 10**9 - round(share * 1e9))) for share in (p, q)]
    accusing, clearing = (
        category_distance(counts[0], counts[1], alpha=level, n_effective=n) for level in (alpha, CLEAR)
    )
    return two_levels(accusing, replace(clearing, high=min(1.0, clearing.high + unseen)))


def _missing(served: Side, computed: Side, feature: str, alpha: float) -> Part:
    p, q = computed.missing[feature] / computed.rows, served.missing[feature] / served.rows
    n = computed.rows / computed.effects[feature], served.rows / served.effects[feature]
    cause = "always missing in serving" if q == 1 > p else f"missing: {q:.2%} served, {p:.2%} computed"
    return Part("same-window difference of missing values", _share_gap(p, q, alpha, n), cause, p)


def _categories(
    left: dict[object, int],
    right: dict[object, int],
    computed: Side,
    served: Side,
    feature: str,
    alpha: float,
    n: tuple[float, float],
) -> Part:
    # What only one side lists may still be there on the other, beyond the list.
    left |= computed.rows_with(feature, [one for one in right if one not in left])
    right |= served.rows_with(feature, [one for one in left if one not in right])
    sides = (computed, left), (served, right)
    others = [max(0, side.rows - side.missing[feature] - sum(own.values())) for side, own in sides]
    rest = ["(all others)"] if any(others) else []
    counts = [
        Counted([*own, *rest], [*own.values(), *[more][: len(rest)]])
        for (_, own), more in zip(sides, others, strict=True)
    ]
    accusing, clearing = (
        category_distance(counts[0], counts[1], alpha=level, n_effective=n) for level in (alpha, CLEAR)
    )
    cause = f"the share of {str(accusing.at)[:40]!r} differs most"
    return Part("same-window distance of categories", two_levels(accusing, clearing), cause)


def _numbers(
    window: Window, feature: str, computed: Cells, served: Cells, alpha: float, n: tuple[float, float]
) -> Iterator[Part]:
    values = list(dict.fromkeys([*list(served.atoms)[:ATOMS], *_hidden(served), *_hidden(computed)]))
    left, right = (side.rows_at(feature, values) for side in (window.computed, window.served))
    accusing, clearing = distances(computed, served, left, right, (alpha, CLEAR), n)
    cause = f"medians: {served.quantile(0.5):.6g} served, {computed.quantile(0.5):.6g} computed"
    yield Part("same-window distance of numbers (KS)", two_levels(accusing, clearing), cause)
    yield _excess(computed, served, left, right, alpha, n)
    p, q = computed.fractions / computed.present, served.fractions / served.present
    cause = "rounded or truncated in serving" if q < p else "rounded or truncated in the training path"
    yield Part("same-window difference of fractions", _share_gap(p, q, alpha, n), cause)
    yield _range(computed, served, alpha, n)


def _hidden(cells: Cells) -> list[float]:
    """Return the frequent values that share their cell with others."""
    return [one for one in cells.atoms if (place := cells.holding(one)) is not None and not cells.single[place]]


def distances(
    computed: Cells,
    served: Cells,
    computed_at: dict[float, int],
    served_at: dict[float, int],
    levels: tuple[float, ...],
    n: tuple[float, float],
) -> list[Distance]:
    """Return the Kolmogorov-Smirnov distance of two columns over one grid, by level, its bounds widened by the cells.

    ``computed_at`` and ``served_at`` are the rows at the same values, told apart from the rest of their cells.
    Between the ends of a cell, the distance is known to within the rows of it whose order is not.
    """
    value, most, at = _gap(_steps(computed, computed_at), _steps(served, served_at))
    method = f"KS distance, DKW bound; a grid of {2 * grid.HALF:,} cells, off by at most {most - value:.2g}"
    found = []
    for level in levels:
        reach = ks_distance(Counted([0, 1], [1, 0]), Counted([0, 1], [1, 0]), level, n).reach
        low, high = max(0.0, value - reach), min(1.0, most + reach)
        found.append(Distance(value, low, high, int(n[1]), 1 - level, method, at, reach))
    return found


Steps = NDArray[numpy.float64]
"""Rows in order: cell, value (-inf for those of a cell whose values are not known) and number; shape (3, steps)."""


def _gap(computed: Steps, served: Steps) -> tuple[float, float, float]:
    """Return the largest difference of the two shares that is certain, the largest possible one, and where it is."""
    both = numpy.hstack([computed, served])
    order = numpy.lexsort((both[1], both[0]))
    places, values, _ = both[:, order]
    first = numpy.append(True, (places[1:] != places[:-1]) | (values[1:] != values[:-1]))
    step = numpy.empty(len(order), dtype=numpy.intp)
    step[order] = numpy.cumsum(first) - 1
    places, values, sides = places[first], values[first], (step[: computed.shape[1]], step[computed.shape[1] :])
    counts = numpy.zeros((2, len(places)))
    for own, steps, known in zip(counts, sides, (computed, served), strict=True):
        own[steps] = known[2]
    shares = counts / counts.sum(axis=1, keepdims=True)
    gaps = numpy.abs(numpy.diff(numpy.cumsum(shares, axis=1), axis=0))[0]
    mixed = (values == -numpy.inf) & (numpy.abs(places) <= grid.HALF)
    last = numpy.append(places[1:] != places[:-1], True)
    cell = numpy.cumsum(last) - last
    unknown = numpy.zeros(len(places))
    unknown[cell[mixed]] = shares.max(axis=0)[mixed]
    unknown = unknown[cell]
    exact = last | (unknown == 0)
    value, at = min(1.0, float(gaps[exact].max())), int(numpy.where(exact, gaps, -1.0).argmax())
    where = float(values[at]) if values[at] > -numpy.inf else float(places[at])
    return value, max(value, min(1.0, float((gaps + unknown).max()))), where


def _steps(cells: Cells, known: dict[float, int]) -> Steps:
    """Return the rows by cell and value, those at the known values apart from the rest of their cells."""
    single, rest = cells.single, cells.count.copy()
    apart = []
    for value, rows in known.items():
        place = cells.holding(value)
        if place is not None and rows and not single[place]:
            rest[place] -= rows
            apart.append((float(cells.place[place]), value, float(rows)))
    values = numpy.where(single, cells.low, -numpy.inf)
    return numpy.hstack([numpy.stack([cells.place, values, rest]), numpy.array(apart).reshape(-1, 3).T])


def _excess(
    computed: Cells,
    served: Cells,
    computed_at: dict[float, int],
    served_at: dict[float, int],
    alpha: float,
    n: tuple[float, float],
) -> Part:
    name = "same-window excess of one value"
    top = list(served.atoms)[:ATOMS]
    # A value is no atom where it is rarer than this, or hardly more frequent than those around it.
    unseen = max((grid.LEAST - 1) / served.present, grid.RARE)
    if not top:
        return Part(name, _share_gap(0.0, 0.0, alpha / ATOMS, n, unseen), "", 0.0)
    gains = [(served_at[one] / served.present - computed_at[one] / computed.present, one) for one in top]
    gain, value = max(gains)
    p = computed_at[value] / computed.present
    gap = _share_gap(p, max(p, p + gain), alpha / ATOMS, n)
    return Part(name, gap, f"default or clip: {value:.6g} is served too often", p)


def _range(computed: Cells, served: Cells, alpha: float, n: tuple[float, float]) -> Part:
    surely, perhaps = (rows / served.present for rows in served.beyond(*computed.range))
    interval = two_levels(rate(surely * n[1], n[1], alpha).accusing, rate(perhaps * n[1], n[1], alpha).clearing)
    # Values beyond the other side's extremes are expected: about m / (n + m) for each of the k most extreme.
    if beyond_by_chance(surely * n[1], n[0], n[1]) > alpha:
        interval = replace(interval, low=0.0)
    return Part("same-window values out of the computed range", interval, "a unit, or another population")


def beyond_by_chance(k: float, n: float, m: float) -> float:
    """Return an upper bound of the probability that k of m rows lie beyond the extremes of n others, at one end.

    Under exchangeability it is the product of ``(m - i) / (n + m - i)``; no distribution is assumed. Both ends: twice.

    >>> beyond_by_chance(0, 100, 100)
    1.0
    """
    half = k / 2  # k may lie at both ends; one of them holds at least half
    return float(min(1.0, 2.0 * (m / (n + m)) ** half)) if k > 0 else 1.0
