"""Rows that come in clusters (many per user, per hour) say less than as many independent ones: by how much."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import ArrayLike, NDArray
from scipy import special

Clusters = ArrayLike | Sequence[object]
ACCUSE = 0.0005  # the level of most checks, at which few clusters must not accuse too often


def codes_of(clusters: Clusters) -> NDArray[numpy.intp]:
    """Return the clusters as codes 0 … G-1, one per row; labels may be numbers, texts or objects of mixed type."""
    labels = numpy.asarray(clusters)
    if labels.dtype == object:
        first_seen: dict[object, int] = {}
        return numpy.array([first_seen.setdefault(label, len(first_seen)) for label in labels], dtype=numpy.intp)
    return numpy.unique(labels, return_inverse=True)[1].reshape(-1)


def icc(values: ArrayLike, clusters: Clusters) -> float:
    """Return the intra-class correlation, in [0, 1], by one-way analysis of variance.

    Args:
        values: shape (n,), finite numbers.
        clusters: shape (n,), the cluster of each row.

    Source: Donner (1986), with the mean cluster size for unequal clusters; a negative estimate becomes 0. Values that
    do not vary at all say nothing about dependence and count as fully dependent (1), the careful reading. Where every
    cluster holds one row there is nothing to depend on: 0.

    Raises :class:`ValueError` for no rows, unequal lengths or values that are not finite.

    >>> icc([1, 1, 5, 5, 9, 9], ["a", "a", "b", "b", "c", "c"])
    1.0
    """
    x, codes, sizes = _grouped(values, clusters)
    groups, n = len(sizes), len(x)
    if groups == n:
        return 0.0
    means = numpy.bincount(codes, weights=x) / sizes
    within = float(((x - means[codes]) ** 2).sum()) / (n - groups)
    if groups == 1:
        return 1.0
    between = float((sizes * (means - x.mean()) ** 2).sum()) / (groups - 1)
    mean_size = (n - float((sizes**2).sum()) / n) / (groups - 1)
    total = between + (mean_size - 1) * within
    if total <= 0:
        return 1.0
    return min(1.0, max(0.0, (between - within) / total))


def effective_n(values: ArrayLike, clusters: Clusters) -> float:
    """Return how many independent rows the clustered rows are worth, between 1 and n: n over the design effect.

    The design effect is ``1 + (k - 1) * icc`` with ``k`` the mean cluster size as a row sees it (Kish 1965), so that
    unequal clusters are not flattered. Arguments and errors as for :func:`icc`.

    >>> effective_n([1, 1, 5, 5, 9, 9], ["a", "a", "b", "b", "c", "c"])
    3.0
    """
    x, _, sizes = _grouped(values, clusters)
    size_seen_by_a_row = float((sizes**2).sum()) / len(x)
    return len(x) / (1 + (size_seen_by_a_row - 1) * icc(values, clusters))


def kish(groups: float, rows: float, rows2: float, total: float, squares: float, between: float) -> float:
    """Return the design effect of :func:`effective_n` from sums, between 1 and ``rows``.

    Args:
        groups: clusters that hold a value; rows: values in them.
        rows2: sum over the clusters of the squared number of values.
        total, squares: sum of the values and of their squares.
        between: sum over the clusters of the squared sum of its values over their number.

    >>> kish(groups=3, rows=6, rows2=12, total=30, squares=214, between=214)
    2.0
    """
    if groups in (0, rows):
        return 1.0
    size = rows2 / rows
    if groups == 1:
        return size
    within = max(0.0, squares - between) / (rows - groups)
    across = max(0.0, between - total * total / rows) / (groups - 1)
    mean_size = (rows - rows2 / rows) / (groups - 1)
    variance = across + (mean_size - 1) * within
    # What does not vary but for rounding says nothing about dependence, and counts as fully dependent.
    share = 1.0 if variance <= 1e-12 * squares / rows else min(1.0, max(0.0, (across - within) / variance))
    return 1 + (size - 1) * share


def design_effect(clusters: float, rows: float, hits: float, rows2: float, hits2: float, both: float) -> float:
    """Return by how much clusters inflate the variance of the share ``hits / rows``, between 1 and ``rows``.

    Args:
        clusters: how many there are, at least 1.
        rows: their rows in all, at least 1.
        hits: rows in which the event happened.
        rows2: sum over the clusters of the squared number of rows.
        hits2: sum of the squared number of hits.
        both: sum of hits times rows.

    Source: the linearised ratio estimator (Cochran 1977) over the binomial variance. Dividing rows and hits by it
    before the exact bounds is the method of Korn and Graubard (1998), with their factor for a variance from few
    clusters: (t / z)², here at 0.0005, where most checks accuse, with the clusters that unequal sizes leave. A share
    of 1 has no variance to compare: there every cluster counts once.

    Where nothing happened, no effect can be seen, and where little did, less than there is: an upper bound of a rare
    share that comes in few clusters rules out too much. Of shares of 2 % in 15 clusters it misses not 5 % but 11 %
    (tests/stats/coverage.md).

    >>> round(design_effect(clusters=400, rows=4000, hits=2000, rows2=40000, hits2=20000, both=20000), 1)
    10.2
    """
    if hits == 0:
        return 1.0
    if hits == rows:
        return max(1.0, rows / clusters)
    if clusters <= 1:
        return rows
    share = hits / rows
    variance = clusters / (clusters - 1) * max(0.0, hits2 - 2 * share * both + share * share * rows2)
    freedom = rows * rows / rows2 - 1
    few = (special.stdtrit(freedom, ACCUSE) / special.ndtri(ACCUSE)) ** 2 if freedom > 0 else rows
    return min(rows, max(1.0, float(few) * variance / (rows * share * (1 - share))))


def _grouped(
    values: ArrayLike, clusters: Clusters
) -> tuple[NDArray[numpy.float64], NDArray[numpy.intp], NDArray[numpy.float64]]:
    x = numpy.asarray(values, dtype=numpy.float64)
    codes = codes_of(clusters)
    if x.ndim != 1 or len(x) == 0 or len(x) != len(codes):
        raise ValueError(f"values and clusters must be two lists of the same length ≥ 1, not {x.shape}, {codes.shape}")
    if not numpy.isfinite(x).all():
        raise ValueError(f"values must be finite; {int((~numpy.isfinite(x)).sum())} of {len(x)} are not")
    return x, codes, numpy.bincount(codes).astype(numpy.float64)
