"""Which features say much the same: groups that are judged together, so that twins do not excuse each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import ConfigError, near

if TYPE_CHECKING:
    from collections.abc import Hashable

Vector = npt.NDArray[np.float64]
Groups = list[tuple[str, ...]]

ROWS = 5_000  # evenly spaced: an association of 0.7 is known to 0.01 from so many


def feature_groups(
    frame: pd.DataFrame,
    features: Sequence[str],
    declared: Sequence[Sequence[str]] = (),
    limit: float = 0.7,
    flat: Collection[str] = (),
) -> Groups:
    """Return the features in groups: as declared, else by association, in the order of their first member.

    Args:
        frame: rows with the features: those that a model learned from, since it shares out there what twins say.
        features: the columns to group.
        declared: groups that the team wants judged as one.
        limit: of :func:`association`; complete linkage, so that any two of a found group are associated beyond it.
        flat: features that stand still in the rows that judge; they leave their group, which must not excuse them.

    Raises :class:`ConfigError` for a declared name that is no feature, or that stands in two groups.
    """
    _refuse_odd(declared, features)
    known = [tuple(name for name in features if name in group and name not in flat) for group in declared]
    taken = {name for group in known for name in group}.union(flat)
    some = frame.iloc[:: max(1, len(frame) // ROWS)]
    found = _found(some, [name for name in features if name not in taken], limit)
    groups = [group for group in (*known, *((name,) for name in features if name in flat), *found) if group]
    place = {name: number for number, name in enumerate(features)}
    return sorted(groups, key=lambda group: place[group[0]])


def association(frame: pd.DataFrame, features: Sequence[str]) -> Vector:
    """Return how strongly features are associated two by two, shape (k, k), from 0 to 1 with 1 on the diagonal.

    Numbers: Spearman's correlation, its size. Categories: Cramér's V, corrected for chance (Bergsma 2013). A category
    and a number: the correlation ratio of the ranks, corrected for chance (Kelley's epsilon).
    """
    numbers = {name: _ranks(frame[name]) for name in features if is_number(frame[name])}
    codes = {name: _codes(frame[name]) for name in features if name not in numbers}
    names = list(features)
    place = {name: number for number, name in enumerate(names)}
    found = np.eye(len(names))
    if numbers:
        ranks = np.column_stack(list(numbers.values()))
        at = [place[name] for name in numbers]
        found[np.ix_(at, at)] = np.abs(ranks.T @ ranks) / len(frame)
        for name, code in codes.items():
            found[place[name], at] = found[at, place[name]] = _correlation_ratio(code, ranks)
    for first, code in codes.items():
        for second, other in codes.items():
            if place[first] < place[second]:
                found[place[first], place[second]] = found[place[second], place[first]] = _cramers_v(code, other)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, 0.0, 1.0)


def is_number(column: pd.Series[Any]) -> bool:
    """Say whether a column holds numbers or times, which have an order; the others are categories."""
    from pandas.api import types

    return bool(types.is_numeric_dtype(column) or types.is_datetime64_any_dtype(column))


def as_numbers(column: pd.Series[Any]) -> Vector:
    """Return a column of numbers or times (as seconds) as floats; what is missing or infinite is NaN."""
    if pd.api.types.is_datetime64_any_dtype(column):
        column = (column - pd.Timestamp(0, tz=column.dt.tz)) / pd.Timedelta(seconds=1)
    values = np.array(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
    values[~np.isfinite(values)] = np.nan
    return values


def as_texts(column: pd.Series[Any]) -> npt.NDArray[Any]:
    """Return a column of categories as texts, the same whatever its dtype; what is missing is an empty text."""
    codes, found = pd.factorize(column)
    texts = np.array([*(str(value) for value in found), ""], dtype=object)
    return np.asarray(texts[codes])


def _refuse_odd(declared: Sequence[Sequence[str]], features: Sequence[str]) -> None:
    seen: set[Hashable] = set()
    for name in (name for group in declared for name in group):
        if name not in features:
            raise ConfigError(f"groups names {name!r}, which is no input of the model.{near(name, features)}")
        if name in seen:
            raise ConfigError(f"groups names {name!r} twice; a feature belongs to one group.")
        seen.add(name)


def _found(frame: pd.DataFrame, features: Sequence[str], limit: float) -> Groups:
    if len(features) < 2:
        return [(name,) for name in features]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    apart = 1 - association(frame, features)
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform(apart, checks=False), method="complete")
    labels = fcluster(tree, 1 - limit, criterion="distance")
    return [
        tuple(name for name, label in zip(features, labels, strict=True) if label == one)
        for one in dict.fromkeys(labels)
    ]


def _ranks(column: pd.Series[Any]) -> Vector:
    """Standardised ranks, with missing values in the middle; zeros where nothing varies."""
    ranks = pd.Series(as_numbers(column)).rank()
    centred = (ranks - ranks.mean()).fillna(0.0).to_numpy()
    spread = float(centred.std())
    return np.asarray(centred / spread if spread > 0 else centred)


def _codes(column: pd.Series[Any]) -> npt.NDArray[np.intp]:
    return np.asarray(pd.factorize(as_texts(column))[0])


def _correlation_ratio(codes: npt.NDArray[np.intp], ranks: Vector) -> Vector:
    rows, sizes = len(codes), np.bincount(codes)
    if len(sizes) >= rows:
        return np.zeros(ranks.shape[1])
    sums = np.stack([np.bincount(codes, weights=column) for column in ranks.T], axis=1)
    explained = (sums**2 / sizes[:, None]).sum(axis=0) / rows
    return np.asarray(np.sqrt(np.clip(1 - (1 - explained) * (rows - 1) / (rows - len(sizes)), 0.0, 1.0)))


def _cramers_v(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> float:
    rows, k, r = len(first), int(first.max()) + 1, int(second.max()) + 1
    pairs, counts = np.unique(first.astype(np.int64) * r + second, return_counts=True)
    expected = np.bincount(first)[pairs // r] * np.bincount(second)[pairs % r]
    phi2 = float((counts**2 / expected).sum()) - 1  # chi-squared over n, from the cells that are not empty
    phi2 = max(0.0, phi2 - (k - 1) * (r - 1) / (rows - 1))
    least = min(k - (k - 1) ** 2 / (rows - 1), r - (r - 1) ** 2 / (rows - 1)) - 1
    return float(np.sqrt(min(1.0, phi2 / least))) if least > 0 else 0.0
