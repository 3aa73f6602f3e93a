"""What a model loses with age: its loss beyond that of a fresh model on the same rows, for each age that was tried."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from mltestscore.details import Cell, Series, Table
from mltestscore.staleness.plan import DAY, SIBLINGS, Plan
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.paired import difference
from mltestscore.stats.quality import loss_of_a_constant, losses
from mltestscore.stats.ranking import METRICS, answerable, qualities

Vector = npt.NDArray[np.float64]

CHUNKS = 10  # of time in each block: rows of one chunk are alike and count as one
METHOD = "paired t over blocks of time, with the luck of training from models that saw other rows"
SHARED = (SIBLINGS - 2) / (SIBLINGS - 1)  # of the rows of two siblings
OF_MEAN = 1 / SIBLINGS + SHARED / (1 - SHARED)  # variance of their mean, over the variance seen among them


@dataclass(frozen=True)
class Aged:
    """What a model of one age loses.

    Attributes:
        days: how much older it is than the fresh model.
        blocks: on how many blocks of time it was judged.
        rows: on how many rows.
        quality: of the fresh and of the aged model on these rows.
        lost: quality lost, at two levels.
    """

    days: float
    blocks: int
    rows: int
    quality: tuple[float, float]
    lost: TwoLevels


class Curve:
    """Losses of the models of a plan on its judged rows, and what age adds to them.

    Args:
        plan: when models were trained and judged.
        metric: one of the skill scores of :mod:`mltestscore.stats.quality`.
        truth: shape (n,), of the judged rows: class numbers from 0, values or grades; of several labels, shape (n, k).
        scores: shape (n, models) or (n, models, classes or labels), origin by origin, sibling by sibling.
        alpha: the level of the bound that shows harm.
    """

    def __init__(self, plan: Plan, metric: str, truth: npt.NDArray[Any], scores: Vector, alpha: float) -> None:
        self._plan, self._alpha = plan, alpha
        self.metric = metric
        self._losses, first = _lost(metric, truth, scores, plan)
        self._block, rows = plan.block[first], plan.judged[first]
        self._times = plan.rows.times[rows]
        cluster = plan.rows.dataset.roles.cluster if plan.rows.queries is None else ""
        self._clusters = codes_of(plan.rows.frame[cluster].iloc[rows].to_numpy()) if cluster else None
        ages = range(1, len(plan.origins))
        self.ages = [self._aged(steps) for steps in ages if len(np.unique(self._block[self._block >= steps])) > 1]

    def at(self, days: float) -> Aged:
        """Return the age of ``days``, which is one of those that were tried."""
        return min(self.ages, key=lambda one: abs(one.days - days))

    def tolerable(self, limit: float) -> float:
        """Return the largest age, in days, up to which every age tried is shown to lose at most ``limit``; or 0."""
        days = 0.0
        for one in self.ages:
            if one.lost.high > limit:
                break
            days = one.days
        return days

    def _aged(self, steps: int) -> Aged:
        plan = self._plan
        rows = np.flatnonzero(self._block >= steps)
        block = self._block[rows]
        fresh, old = self._losses[rows, block], self._losses[rows, block - steps]
        accusing, clearing = (self._interval(rows, old - fresh, steps, level) for level in (self._alpha, CLEAR))
        quality = (1 - float(fresh.mean()), 1 - float(old.mean()))
        blocks = len(np.unique(block))
        return Aged(steps * plan.step / DAY, blocks, len(rows), quality, two_levels(accusing, clearing))

    def _interval(self, rows: npt.NDArray[np.intp], gaps: Vector, steps: int, alpha: float) -> Interval:
        """Join the margin of rows and that of trainings as Zou and Donner (2008) do.

        Rows: the mean over siblings, within blocks, in chunks of time or in the clusters declared, whichever is wider.
        Trainings: how siblings differ; what they share by their rows counts as not seen. Gaps of neighbouring blocks
        share luck as they share the time between an aged and a fresh model: Bartlett's weights (Newey and West 1987).
        """
        block = np.unique(self._block[rows], return_inverse=True)[1].reshape(-1)
        sizes = np.bincount(block).astype(np.float64)
        blocks = len(sizes)
        means = np.stack([np.bincount(block, weights=one) / sizes for one in gaps.T], axis=1)
        mean = gaps.mean(axis=1)
        within = mean - means.mean(axis=1)[block]
        clusters = [_chunks(self._times[rows], block)]
        if self._clusters is not None:
            clusters.append(self._clusters[rows])
        margin = max(_margin(within, one, blocks, alpha) for one in clusters)
        luck = sizes / sizes.sum() * means.std(axis=1, ddof=1) * math.sqrt(OF_MEAN)
        places = np.arange(blocks)
        shared = np.clip(1 - np.abs(places[:, None] - places) / steps, 0, None)
        error = math.sqrt(float(luck @ shared @ luck))
        reach = math.hypot(margin, float(scipy.stats.t.isf(alpha, blocks * (SIBLINGS - 1))) * error)
        value = float(mean.mean())
        return Interval(value, value - reach, value + reach, len(rows), 1 - alpha, METHOD)

    def findings_table(self) -> Table:
        """Return the curve in numbers."""
        columns = ["days older", "blocks of time", "rows", "fresh model", "aged model", "lost", "at least", "at most"]
        lines: list[list[Cell]] = [
            [one.days, one.blocks, one.rows, *one.quality, one.lost.value, *_finite(one.lost.clearing)]
            for one in self.ages
        ]
        return Table(f"{self.metric} by age, against a fresh model on the same rows; bounds at 95%", columns, lines)

    def blocks_table(self, steps: int) -> Table:
        """Return, block by block, the quality of the fresh model and of one so many steps older: the season's part."""
        plan = self._plan
        lines: list[list[Cell]] = []
        for number in range(steps, len(plan.origins)):
            rows = np.flatnonzero(self._block == number)
            if len(rows):
                since = np.datetime64(plan.origins[number], "ns").astype("datetime64[m]")
                fresh, old = (1 - float(self._losses[rows, one].mean()) for one in (number, number - steps))
                lines.append([f"{since}Z".replace("T", " "), len(rows), fresh, old, fresh - old])
        columns = ["block from", "rows", "fresh model", f"{steps * plan.step / DAY:g} days older", "lost"]
        return Table(f"{self.metric} by block of time", columns, lines)

    def picture(self, limit: float) -> Iterator[Series]:
        """Yield the curve with its band, where more than one age has one."""
        drawn = [one for one in self.ages if math.isfinite(one.lost.clearing.high)]
        if len(drawn) > 1:
            lines: dict[str, Sequence[float]] = {
                "lost": [0.0, *(one.lost.value for one in drawn)],
                "at least": [0.0, *(one.lost.clearing.low for one in drawn)],
                "at most": [0.0, *(one.lost.clearing.high for one in drawn)],
                "limit": [limit] * (len(drawn) + 1),
            }
            days = [0.0, *(one.days for one in drawn)]
            yield Series("Quality lost with age", "days older than a fresh model", days, lines, "quality lost")


def _lost(metric: str, truth: npt.NDArray[Any], scores: Vector, plan: Plan) -> tuple[Vector, npt.NDArray[np.intp]]:
    """Return losses, shape (m, origins, siblings), of rows or of the queries that have an order, and their places."""
    models = range(scores.shape[1])
    if metric in METRICS and plan.rows.queries is not None:
        queries = codes_of(plan.rows.queries[plan.judged])
        first = np.unique(queries, return_index=True)[1][answerable(truth, queries)]
        each = [1 - qualities(metric, truth, scores[:, number], queries) for number in models]
    else:
        first, scale = np.arange(len(truth)), loss_of_a_constant(metric, truth)
        each = [losses(metric, truth, scores[:, number]) / scale for number in models]
    return np.stack(each, axis=1).reshape(len(first), -1, SIBLINGS), first


def _chunks(times: npt.NDArray[np.int64], numbers: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the chunk of time that each row lies in; rows of one time stay together."""
    chunk = np.zeros(len(times), dtype=np.intp)
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        places = scipy.stats.rankdata(times[rows], method="min") - 1
        chunk[rows] = number * CHUNKS + (places * CHUNKS // len(rows)).astype(np.intp)
    return chunk


def _margin(within: Vector, clusters: npt.NDArray[Any], blocks: int, alpha: float) -> float:
    """Return how far the mean reaches to its wider side; blocks had their own mean taken away, which costs freedom."""
    gap = difference(within, np.zeros(len(within)), alpha, clusters)
    if gap.n <= blocks:
        return math.inf
    return max(gap.high - gap.value, gap.value - gap.low) * math.sqrt((gap.n - 1) / (gap.n - blocks))


def _finite(interval: Interval) -> tuple[float | None, float | None]:
    low, high = (one if math.isfinite(one) else None for one in (interval.low, interval.high))
    return low, high
