"""Two datasets compared as distributions over the time that both cover: for systems that log no key.

Only the common time is compared: across time the world changes, and that is no fault of the serving path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy

from mltestscore.comparison import columns
from mltestscore.comparison.columns import Kind
from mltestscore.comparison.levels import rate
from mltestscore.inputs import database
from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.cluster import effective_n
from mltestscore.stats.distribution import Counted, category_distance, ks_distance
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels

if TYPE_CHECKING:
    import pandas as pd

ROWS = 100_000
ATOMS = 10
FEW = 10  # numbers with no more distinct values are categories: flags, ratings, weekdays
PARTS = 5


@dataclass(frozen=True)
class Window:
    """The rows of both datasets in their common time, in comparable columns named after the features.

    Attributes:
        low, high: the common time, seconds since 1970; served, computed: at most 100,000 rows each, with ``cluster``
            as the column ``""`` where one is declared.
        rows: how many rows each side has in the window.
    """

    low: float
    high: float
    served: pd.DataFrame
    computed: pd.DataFrame
    rows: tuple[int, int]
    kinds: dict[str, Kind]


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
    left, right = columns.together(serving.table, recomputed.table)
    moments = columns.seconds(left[serving.roles.time]), columns.seconds(right[recomputed.roles.time])
    ends = [
        table.aggregate(low=at.min(), high=at.max(), rows=at.count()).to_pyarrow().to_pylist()[0]
        for table, at in zip((left, right), moments, strict=True)
    ]
    if not all(end["rows"] for end in ends):
        return "a time column holds no time"
    low, high = max(end["low"] for end in ends), min(end["high"] for end in ends)
    if low > high:
        return "the two datasets share no time: across time, distributions drift without a fault"
    kinds, pair = _aligned(left, right, features)
    for table, at, side, dataset in zip((left, right), moments, pair, (serving, recomputed), strict=True):
        side["mltestscore_at"] = at
        if dataset.roles.cluster:
            side[""] = table[dataset.roles.cluster].cast("string")
    served, computed = (
        _inside(table.select(**_safe(side)), low, high) for table, side in zip((left, right), pair, strict=True)
    )
    names = {f"f{place}": name for place, name in enumerate(features)} | {"cluster": ""}
    frames = [frame.rename(columns=names) for frame, _ in (served, computed)]
    return Window(low, high, frames[0], frames[1], (served[1], computed[1]), kinds)


def compare(window: Window, feature: str, alpha: float) -> Iterator[Part]:
    """Yield the parts of the battery for one feature; ``alpha`` is the level of the whole check's accusations each."""
    served, computed = window.served[feature], window.computed[feature]
    effects = design_effect(window.served, feature), design_effect(window.computed, feature)
    yield _missing(computed.isna(), served.isna(), alpha, effects)
    served_values, computed_values = served.dropna(), computed.dropna()
    if served_values.empty or computed_values.empty:
        return
    n = len(computed_values) / effects[1], len(served_values) / effects[0]
    if window.kinds[feature] == "text" or computed_values.nunique() <= FEW:
        yield _categories(computed_values, served_values, alpha, n)
        return
    if window.kinds[feature] != "number":
        return
    left, right = (numpy.asarray(side, dtype=numpy.float64) for side in (computed_values, served_values))
    yield _distance(left, right, alpha, n)
    yield _atoms(left, right, alpha, n)
    yield _grain(left, right, alpha, n)
    yield _range(left, right, alpha, n)


def design_effect(frame: pd.DataFrame, feature: str) -> float:
    """Return by how much fewer independent rows a feature has than rows, at least 1; 1 without clusters."""
    if "" not in frame.columns:
        return 1.0
    rows = frame[[feature, ""]].dropna()
    if len(rows) < 2:
        return 1.0
    values = rows[feature]
    codes = values.astype("category").cat.codes if values.dtype.kind not in "fiu" else values
    finite = numpy.nan_to_num(codes.to_numpy(dtype=numpy.float64), posinf=0.0, neginf=0.0)
    return max(1.0, len(rows) / effective_n(finite, rows[""].to_numpy(dtype=object)))


def _aligned(left: Any, right: Any, features: Sequence[str]) -> tuple[dict[str, Kind], tuple[dict[str, Any], ...]]:
    kinds: dict[str, Kind] = {}
    served: dict[str, Any] = {}
    computed: dict[str, Any] = {}
    for place, name in enumerate(features):
        served[f"f{place}"], computed[f"f{place}"], kinds[name] = columns.comparable(left[name], right[name])
    return kinds, (served, computed)


def _safe(side: dict[str, Any]) -> dict[str, Any]:
    return {name or "cluster": column for name, column in side.items()}


def _inside(table: Any, low: float, high: float) -> tuple[pd.DataFrame, int]:
    import ibis

    rows = table.filter(table["mltestscore_at"].between(low, high)).drop("mltestscore_at")
    total = int(rows.count().to_pyarrow().as_py())
    if total > ROWS:
        place = database.md5(ibis.row_number().cast("string"))
        rows = rows.mutate(mltestscore_mark=place).order_by("mltestscore_mark").limit(ROWS).drop("mltestscore_mark")
    return rows.to_pyarrow().to_pandas(), total


def _share_gap(p: float, q: float, alpha: float, n: tuple[float, float]) -> TwoLevels:
    """Return the difference of two shares as an interval at two levels."""
    sides = [Counted((True, False), (round(share * 1e9), 10**9 - round(share * 1e9))) for share in (p, q)]
    accusing, clearing = (category_distance(sides[0], sides[1], alpha=level, n_effective=n) for level in (alpha, CLEAR))
    return two_levels(accusing, clearing)


def _missing(computed: Any, served: Any, alpha: float, effects: tuple[float, float]) -> Part:
    p, q = float(computed.mean()), float(served.mean())
    gap = _share_gap(p, q, alpha, (len(computed) / effects[1], len(served) / effects[0]))
    cause = "always missing in serving" if q == 1 > p else f"missing: {q:.2%} served, {p:.2%} computed"
    return Part("same-window difference of missing values", gap, cause, p)


def _categories(computed: Any, served: Any, alpha: float, n: tuple[float, float]) -> Part:
    sides = [Counted(list(counts.index), list(counts)) for counts in (computed.value_counts(), served.value_counts())]
    accusing, clearing = (category_distance(sides[0], sides[1], alpha=level, n_effective=n) for level in (alpha, CLEAR))
    cause = f"the share of {str(accusing.at)[:40]!r} differs most"
    return Part("same-window distance of categories", two_levels(accusing, clearing), cause)


def _distance(computed: Any, served: Any, alpha: float, n: tuple[float, float]) -> Part:
    accusing, clearing = (ks_distance(computed, served, level, n) for level in (alpha, CLEAR))
    cause = f"medians: {numpy.median(served):.6g} served, {numpy.median(computed):.6g} computed"
    return Part("same-window distance of numbers (KS)", two_levels(accusing, clearing), cause)


def _atoms(computed: Any, served: Any, alpha: float, n: tuple[float, float]) -> Part:
    support, counts = numpy.unique(served, return_counts=True)
    top = support[numpy.argsort(-counts, kind="stable")[:ATOMS]]
    gains = [(float((served == value).mean() - (computed == value).mean()), float(value)) for value in top]
    gain, value = max(gains)
    p = float((computed == value).mean())
    gap = _share_gap(p, max(p, p + gain), alpha / ATOMS, n)
    return Part("same-window excess of one value", gap, f"default or clip: {value:.6g} is served too often", p)


def _grain(computed: Any, served: Any, alpha: float, n: tuple[float, float]) -> Part:
    p, q = (float((side != numpy.trunc(side)).mean()) for side in (computed, served))
    cause = "rounded or truncated in serving" if q < p else "rounded or truncated in the training path"
    return Part("same-window difference of fractions", _share_gap(p, q, alpha, n), cause)


def _range(computed: Any, served: Any, alpha: float, n: tuple[float, float]) -> Part:
    outside = float(((served < computed.min()) | (served > computed.max())).mean())
    interval = rate(outside * n[1], n[1], alpha)
    # Values beyond the other side's extremes are expected: about m / (n + m) for each of the k most extreme.
    if beyond_by_chance(outside * n[1], n[0], n[1]) > alpha:
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
