"""Machinery of data.4: how well one model input tells a protected attribute, on rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.contest import clusters_of, judged_rows
from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.interval import CLEAR, TwoLevels, two_levels
from mltestscore.stats.paired import auc
from mltestscore.unstructured import as_texts

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

MOST_VALUES = 10  # a numeric attribute with more values is cut into quarters
MOST_GROUPS = 20
BINS = 64
SHRUNK_BY = 2.0  # rows of the average that every bin starts with: a bin of one row says little
LEAST_CLUSTERS = (
    10  # on either side: chance separates 10 from 10 clusters once in 180,000 times, so such an AUC is real
)


@dataclass(frozen=True)
class Association:
    """How well a feature alone tells one group of a protected attribute from all others.

    Attributes:
        feature: the model input.
        group: the group that it tells best, as text.
        area: under the ROC curve, 0.5 for chance and 1 for certainty.
    """

    feature: str
    group: str
    area: TwoLevels


@dataclass(frozen=True)
class Sides:
    """Rows to learn from and rows to judge, for one attribute.

    Attributes:
        frame: rows that have the attribute.
        judged: shape (n,); the others teach.
        clusters: shape (n,), as numbers, or ``None``.
        groups: by name, shape (n,) each.
    """

    frame: pd.DataFrame
    judged: Mask
    clusters: Codes | None
    groups: dict[str, Mask]


def sides(data: Dataset, features: Sequence[str], attribute: str, rows: int, least: int) -> Sides:
    """Return at most ``rows`` rows, split, and the groups of which ``least`` rows and ten clusters are judged.

    Three quarters teach and a quarter judges; rows of one cluster, or key, stay on one side, so that an input that
    only knows the cluster by heart tells nothing.
    """
    roles = data.roles
    columns = dict.fromkeys([*features, attribute, *roles.key, *([roles.cluster] if roles.cluster else [])])
    frame = data.sample(rows).frame(columns)
    frame = frame[frame[attribute].notna()].reset_index(drop=True)
    judged = ~judged_rows(frame, data, "data.4", attribute) if len(frame) else np.zeros(0, dtype=bool)
    given = clusters_of(frame, data)
    clusters = None if given is None else codes_of(given)
    groups = {name: mask for name, mask in _groups(frame[attribute]) if _enough(mask, judged, clusters, max(1, least))}
    return Sides(frame, judged, clusters, groups)


def associations(some: Sides, features: Sequence[str], alpha: float, limit: float) -> list[Association]:
    """Return one association a feature, that of the group nearest to or beyond ``limit``; the worst feature first.

    Each input is cut into categories or 64 quantiles; the share of the group in each, learned on one side, ranks the
    rows of the other. The bound that accuses holds at ``alpha`` over all inputs and groups together.
    """

    def harm(one: Association) -> tuple[bool, float]:
        return one.area.low > limit, one.area.high

    found = []
    level = alpha / max(1, len(features) * len(some.groups))
    for feature in features:
        codes = _binned(some.frame[feature], ~some.judged)
        each = [Association(feature, name, _area(codes, mask, some, level)) for name, mask in some.groups.items()]
        found.append(max(each, key=harm))
    return sorted(found, key=harm, reverse=True)


def _numeric(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _groups(values: pd.Series[Any]) -> Iterator[tuple[str, Mask]]:
    if _numeric(values) and values.nunique() > MOST_VALUES:
        numbers = values.to_numpy(dtype=np.float64)
        ends = np.unique(np.quantile(numbers[np.isfinite(numbers)], [0.25, 0.5, 0.75]))
        names = [*(f"up to {end:.4g}" for end in ends), f"above {ends[-1]:.4g}"]
        values = pd.Series(np.array(names)[np.searchsorted(ends, numbers)])
    texts = as_texts(values)
    common = texts.value_counts().index[:MOST_GROUPS]
    for name in common[1:] if texts.nunique() == 2 else common:  # of two groups, either tells the other
        yield name, (texts == name).to_numpy(dtype=bool)


def _enough(mask: Mask, judged: Mask, clusters: Codes | None, least: int) -> bool:
    for side in (mask & judged, ~mask & judged):
        if side.sum() < least or (clusters is not None and len(np.unique(clusters[side])) < LEAST_CLUSTERS):
            return False
    return True


def _binned(values: pd.Series[Any], learned: Mask) -> Codes:
    """Return the bin of each row; a missing value has one of its own."""
    if pd.api.types.is_datetime64_any_dtype(values):
        values = (values - values.min()).dt.total_seconds()
    if _numeric(values) and values.nunique() > BINS:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        taught = numbers[learned & np.isfinite(numbers)]
        edges = np.unique(np.quantile(taught, np.linspace(0, 1, BINS + 1)[1:-1])) if len(taught) else np.zeros(0)
        return np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
    codes = pd.factorize(as_texts(values) if values.dtype == object else values, use_na_sentinel=True)[0]
    return np.where(codes < 0, codes.max(initial=-1) + 1, codes)


def _area(codes: Codes, mask: Mask, some: Sides, level: float) -> TwoLevels:
    learned, judged = ~some.judged, some.judged
    bins = int(codes.max()) + 1
    rows = np.bincount(codes[learned], minlength=bins)
    hits = np.bincount(codes[learned & mask], minlength=bins)
    average = mask[learned].mean() if learned.any() else 0.5
    shares = (hits + SHRUNK_BY * average) / (rows + SHRUNK_BY)
    clusters = None if some.clusters is None else some.clusters[judged]
    accusing, clearing = (auc(mask[judged], shares[codes[judged]], one, clusters) for one in (level, CLEAR))
    return two_levels(accusing, clearing)
