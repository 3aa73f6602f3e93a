"""What a model gains from its features: its quality on rows as they are, less that with features permuted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.dependence import dependent
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.stats.interval import CLEAR, Interval, Side, exactly
from mltestscore.stats.proportion import bounds
from mltestscore.stats.quality import advantage, lost_by_row
from mltestscore.stats.seeds import generator

Vector = npt.NDArray[np.float64]
State = Literal["useful", "useless", "unknown"]

BATCH = 200_000  # rows scored in one call: some ten megabytes of inputs
CHANGED = 20  # rows with another value than before, after which "the score never answered" says something


@dataclass(frozen=True)
class Rows:
    """Labelled rows on which a model is judged, and how.

    Attributes:
        model: gives the scores.
        frame: shape (n, …), with the model's features.
        truth: shape (n,), class numbers from 0, or values.
        metric: one of :data:`mltestscore.stats.quality.METRICS`.
        clusters: shape (n,), or ``None`` where rows are independent.
        repeats: how often features are permuted; a row's repeats count as one cluster.
        seed: of the permutations.
        dead: features that stand still in these rows, and cannot do so by chance; see :func:`cannot_vary`.
    """

    model: Model
    frame: pd.DataFrame
    truth: npt.NDArray[Any]
    metric: str
    clusters: npt.NDArray[Any] | None
    repeats: int
    seed: str
    dead: frozenset[str] = frozenset()
    _known: dict[tuple[str, ...], tuple[Vector, int]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def scores(self) -> Vector:
        """The model's scores of the rows as they are."""
        return self.model.predict(self.frame)

    @cached_property
    def _cluster_codes(self) -> npt.NDArray[np.intp]:
        if self.clusters is None:
            return np.arange(len(self.frame))
        return np.asarray(pd.factorize(self.clusters)[0])

    def benefit(self, features: Sequence[str], alpha: float) -> Interval:
        """Return the quality that is lost when ``features`` are permuted together, with bounds each at ``alpha``.

        Values of one row stay together, so that what several features say in common is lost with them. A model whose
        scores do not answer at all gains exactly nothing, if values did change, or cannot change any more; else
        nothing is known and the bounds are open.
        """
        self.permute([tuple(features)])
        permuted, changed = self._known[tuple(features)]
        before = np.concatenate([self.scores] * self.repeats)
        if np.array_equal(permuted, before):
            if changed >= CHANGED or self.dead.issuperset(features):
                return exactly(0.0, len(self.frame))
            return Interval(0.0, -math.inf, math.inf, len(self.frame), 1 - alpha, "does not vary")
        finite = np.isfinite(permuted.reshape(len(permuted), -1)).all(axis=1)
        rows = np.tile(np.arange(len(self.frame)), self.repeats)[finite]
        clusters = None if self.clusters is None and self.repeats == 1 else self._cluster_codes[rows]
        gain = advantage(self.metric, self.truth[rows], before[finite], permuted[finite], alpha, clusters)
        return replace(gain, n=min(gain.n, len(self.frame)))

    def permute(self, groups: Sequence[tuple[str, ...]]) -> None:
        """Score the rows with each of the groups permuted: many at once, since a call has its price too."""
        new = [group for group in dict.fromkeys(groups) if group not in self._known]
        size = max(1, BATCH // (self.repeats * len(self.frame)))
        for start in range(0, len(new), size):
            batch = new[start : start + size]
            frames, changed = zip(*(self._permuted(group) for group in batch), strict=True)
            scores = self.model.predict(pd.concat(frames, ignore_index=True))
            parts = np.split(scores, len(batch))
            self._known.update(zip(batch, zip(parts, changed, strict=True), strict=True))

    def _permuted(self, features: Sequence[str]) -> tuple[pd.DataFrame, int]:
        """Return the model's inputs, repeats × n rows, and how many of them have another value in any feature."""
        draw = generator("permuted", self.seed, *features)
        taken = np.concatenate([draw.permutation(len(self.frame)) for _ in range(self.repeats)])
        rows = np.tile(np.arange(len(self.frame)), self.repeats)
        changed = np.zeros(len(rows), dtype=bool)
        frame = self.frame[list(self.model.features)].iloc[rows].reset_index(drop=True)
        for name in features:
            codes = pd.factorize(self.frame[name])[0]
            changed |= codes[taken] != codes[rows]
            frame[name] = self.frame[name].iloc[taken].reset_index(drop=True)
        return frame, int(changed.sum())


@dataclass(frozen=True)
class Benefit:
    """What a group of features brings.

    Attributes:
        features: the group.
        accusing: the interval whose upper bound may show that it brings too little.
        clearing: the interval whose lower bound may show that it brings something, at 95 %.
        state: what the two came to.
    """

    features: tuple[str, ...]
    accusing: Interval
    clearing: Interval
    state: State = "unknown"

    @property
    def name(self) -> str:
        """The group in words, cut at 200 characters."""
        return ", ".join(self.features)[:200]

    def acquitted(self) -> Benefit:
        """Return this benefit as unknown: permuting it showed it useless, and something else spoke against that."""
        return replace(self, state="unknown")


def together(
    model: Model, frame: pd.DataFrame, truth: npt.NDArray[Any], metric: str, holdout: Dataset
) -> npt.NDArray[np.intp] | None:
    """Return which rows belong together when features are permuted; ``None`` where rows are independent.

    How long losses stay alike, and how long the answers do, which are as alike as the features that they come from.
    """

    def values() -> Vector:
        scores = model.predict(frame)
        constant = np.broadcast_to(scores.mean(axis=0), scores.shape)
        return np.column_stack([lost_by_row(metric, truth, scores, constant), scores.reshape(len(frame), -1)])

    return dependent(frame, holdout, values)


def benefits(rows: Rows, groups: Sequence[tuple[str, ...]], limit: float, alpha: float) -> list[Benefit]:
    """Return each group's benefit, judged: useful, useless or unknown.

    Useful is what brings anything at all, shown at 95 %. Useless are those of the others whose upper bounds lie below
    ``limit`` one by one, and all together: many small benefits may add up to a large one, and features that stand in
    for each other are missed only when all are gone. Where they do add up, the larger ones are unknown instead.
    """
    rows.permute(groups)
    found = [_measured(rows, group, alpha) for group in groups]
    found = [replace(one, state="useful") if one.clearing.low > 0 else one for one in found]
    suspects = sorted((one for one in found if one.state == "unknown" and one.accusing.high < limit), key=_upper)
    useless = {one.features for one in _together(rows, suspects, limit, alpha)}
    return [replace(one, state="useless") if one.features in useless else one for one in found]


def _upper(one: Benefit) -> float:
    return one.accusing.high


def _measured(rows: Rows, group: tuple[str, ...], alpha: float) -> Benefit:
    accusing = rows.benefit(group, alpha)
    return Benefit(group, accusing, accusing if accusing.low > 0 else rows.benefit(group, CLEAR))


def _together(rows: Rows, suspects: list[Benefit], limit: float, alpha: float) -> list[Benefit]:
    """Return as many of the first suspects as bring less than ``limit`` together, by bisection."""
    if len(suspects) < 2 or _joint(rows, suspects, alpha).high < limit:
        return suspects
    least, most = 1, len(suspects)  # the first alone is known to bring less; all are known to bring more
    while most - least > 1:
        middle = (least + most) // 2
        if _joint(rows, suspects[:middle], alpha).high < limit:
            least = middle
        else:
            most = middle
    return suspects[:least]


def _joint(rows: Rows, suspects: Sequence[Benefit], alpha: float) -> Interval:
    return rows.benefit([name for one in suspects for name in one.features], alpha)


@dataclass(frozen=True, slots=True)
class UselessShare(Interval):
    """The share of features shown useless; ``high`` counts those not shown useful too. ``n`` counts features.

    Attributes:
        rows_wanted: the holdout rows that would show enough of the unknown ones useful or useless, if known.
    """

    rows_wanted: int | None

    def smallest_visible(self, limit: float, side: Side) -> float | None:
        """Return ``None``: what is visible is a matter of each feature."""
        return None

    def n_to_settle(self, limit: float) -> int | None:
        """Return the number of holdout rows that would decide the share, as far as the estimates stand."""
        return self.rows_wanted


def share_useless(found: Sequence[Benefit], limit: float, allowed: float, alpha: float, rows: int) -> UselessShare:
    """Return the share of features that are shown useless (lower end) or not shown useful (upper end).

    Args:
        found: as :func:`benefits` gives them for ``limit``.
        limit: the least benefit that counts.
        allowed: the share that is tolerated.
        alpha: the level at which uselessness was shown for the whole set.
        rows: on which all was measured.
    """
    count = {state: sum(len(one.features) for one in found if one.state == state) for state in ("useless", "unknown")}
    total = sum(len(one.features) for one in found)
    low, high = count["useless"] / total, (count["useless"] + count["unknown"]) / total
    wanted = _rows_wanted(found, limit, allowed * total - count["useless"], rows)
    return UselessShare(low, low, high, total, 1 - alpha, "grouped permutation", wanted)


def _rows_wanted(found: Sequence[Benefit], limit: float, tolerated: float, rows: int) -> int | None:
    """The rows at which so many unknown features are decided that the tolerated number is left, if widths go by √n."""
    open_ones = sorted(
        (_factor(one, limit), len(one.features)) for one in found if one.state == "unknown" and tolerated >= 0
    )
    left = sum(size for _, size in open_ones)
    for factor, size in open_ones:
        left -= size
        if left <= tolerated:
            return math.ceil(rows * factor) if math.isfinite(factor) else None
    return None


def _factor(one: Benefit, limit: float) -> float:
    """How many times the rows would show this benefit to be useful, or useless; not those of which others decided."""
    value = one.clearing.value
    if one.accusing.high < limit:
        return math.inf
    if value >= limit / 2:
        return max(1.0, ((value - one.clearing.low) / value) ** 2)
    return max(1.0, ((one.accusing.high - value) / (limit - value)) ** 2)


def cannot_vary(before: npt.NDArray[Any], rows: int, alpha: float) -> bool:
    """Say whether a column that is the same in ``rows`` later rows must be dead, given its values before.

    A rare flag may well be quiet for some rows; a reading that changed in more than the share which so many quiet
    rows leave possible at ``alpha`` does not stand still by chance.
    """
    codes = pd.factorize(before)[0]
    other = len(codes) - int(np.bincount(codes + 1).max())
    return bounds(other, len(codes), alpha)[0] > bounds(0, rows, alpha)[1]
