"""How well scores order the rows of each query: one number a query, since its rows are judged by one another.

Rows of equal score count as in any order, each as likely as the other, so that a constant is worth what chance is.
"""

from __future__ import annotations

import numpy
from numpy.typing import ArrayLike, NDArray

from mltestscore.stats.cluster import Clusters, codes_of

Vector = NDArray[numpy.float64]
Codes = NDArray[numpy.intp]

METRICS = ("ndcg", "mrr")
LEVELS = 50  # of grades: what is finer is no order that a query shows


def qualities(metric: str, y: ArrayLike, scores: ArrayLike, queries: Clusters) -> Vector:
    """Return the metric of each query that has an order to find, in order of the queries' codes; higher is better.

    Args:
        metric: ``"ndcg"``, the gain of each row over the logarithm of its rank, as a share of the best order's
            (Järvelin and Kekäläinen 2002); or ``"mrr"``, one over the rank of the first row of a positive grade.
        y: shape (n,), grades of relevance, at least 0.
        scores: shape (n,), finite, higher for what comes first.
        queries: shape (n,), the query of each row.

    >>> qualities("ndcg", [1, 0, 0, 1], [0.9, 0.1, 0.5, 0.2], [1, 1, 2, 2]).round(3).tolist()
    [1.0, 0.631]
    >>> qualities("mrr", [1, 0, 0, 1], [0.9, 0.1, 0.5, 0.5], [1, 1, 2, 2]).tolist()
    [1.0, 0.75]
    """
    grades, given, codes = numpy.asarray(y, dtype=numpy.float64), numpy.asarray(scores, dtype=numpy.float64), queries
    codes = codes_of(codes)
    if metric == "mrr":
        found = _reciprocal(grades > 0, given, codes)
    else:
        best = _gain(grades, grades, codes)
        with numpy.errstate(invalid="ignore", divide="ignore"):
            found = _gain(grades, given, codes) / best
    return found[answerable(grades, codes)]


def pairwise(y: ArrayLike, scores: ArrayLike, queries: Clusters) -> Vector:
    """Return which share of the rows of a lower grade in its query each row is placed above, shape (n,); ties half.

    NaN for a row that has none below it. Over the rows of a group it says how well they are placed for what they are
    worth, whatever the length of queries and the share of relevant rows (Beutel et al. 2019, pairwise fairness). Of
    more than :data:`LEVELS` different grades, those that are nearest count as equal.

    >>> pairwise([1, 0, 0, 2], [0.9, 0.1, 0.9, 0.2], [1, 1, 1, 1]).tolist()
    [0.75, nan, nan, 0.3333333333333333]
    """
    given, codes = numpy.asarray(scores, dtype=numpy.float64), codes_of(queries)
    level = levels(y)
    order, _, tied = _placed(-given, codes)  # worst first
    query, own = codes[order], level[order]
    first = numpy.searchsorted(query, query)
    start = numpy.searchsorted(tied, tied)
    end = numpy.searchsorted(tied, tied, side="right")
    size = numpy.searchsorted(query, query, side="right")
    found = numpy.full(len(given), numpy.nan)
    for one in range(1, int(level.max(initial=0)) + 1):
        lower = numpy.r_[0, numpy.cumsum(own < one)]
        rows = numpy.flatnonzero(own == one)
        among = lower[size[rows]] - lower[first[rows]]
        above = lower[start[rows]] - lower[first[rows]] + (lower[end[rows]] - lower[start[rows]]) / 2
        with numpy.errstate(invalid="ignore"):
            found[order[rows]] = numpy.where(among > 0, above / among, numpy.nan)
    return found


def levels(y: ArrayLike) -> Codes:
    """Return grades as numbers from 0 in their order; of more than :data:`LEVELS`, as many of about equal size."""
    grades = numpy.asarray(y, dtype=numpy.float64)
    found, places = numpy.unique(grades, return_inverse=True)
    if len(found) > LEVELS:
        ends = numpy.unique(numpy.quantile(grades, numpy.linspace(0, 1, LEVELS + 1)[1:-1]))
        return numpy.asarray(numpy.searchsorted(ends, grades), dtype=numpy.intp)
    return numpy.asarray(places.reshape(-1), dtype=numpy.intp)


def exposure(scores: ArrayLike, queries: Clusters) -> Vector:
    """Return what the rank of each row in its query is worth, shape (n,), 1 for the first: one over its logarithm.

    The discount of NDCG (Singh and Joachims 2018); rows of equal score share the worth of their ranks.

    >>> exposure([0.9, 0.1, 0.1], [1, 1, 1]).round(3).tolist()
    [1.0, 0.565, 0.565]
    """
    order, rank, tied = _placed(numpy.asarray(scores, dtype=numpy.float64), codes_of(queries))
    found = numpy.empty(len(order))
    found[order] = (numpy.bincount(tied, weights=1 / numpy.log2(rank + 2)) / numpy.bincount(tied))[tied]
    return found


def answerable(y: ArrayLike, queries: Clusters) -> NDArray[numpy.bool_]:
    """Return which queries, in order of their codes, have rows of different grades: the others have no order."""
    grades, codes = numpy.asarray(y, dtype=numpy.float64), codes_of(queries)
    many = int(codes.max(initial=-1)) + 1
    low, high = numpy.full(many, numpy.inf), numpy.full(many, -numpy.inf)
    numpy.minimum.at(low, codes, grades)
    numpy.maximum.at(high, codes, grades)
    return high > low


def _placed(scores: Vector, codes: Codes) -> tuple[Codes, Codes, Codes]:
    """Return the rows query by query, best first, the rank of each from 0, and the number of its group of ties."""
    order = numpy.lexsort((-scores, codes))
    first = numpy.r_[True, numpy.diff(codes[order]) != 0]
    rank = numpy.arange(len(order)) - numpy.maximum.accumulate(numpy.where(first, numpy.arange(len(order)), 0))
    tied = numpy.cumsum(first | numpy.r_[True, numpy.diff(scores[order]) != 0]) - 1
    return order, rank, tied


def _gain(grades: Vector, scores: Vector, codes: Codes) -> Vector:
    order, rank, tied = _placed(scores, codes)
    discount = numpy.bincount(tied, weights=1 / numpy.log2(rank + 2)) / numpy.bincount(tied)
    return numpy.bincount(codes[order], weights=grades[order] * discount[tied]).astype(numpy.float64)


def _reciprocal(hits: NDArray[numpy.bool_], scores: Vector, codes: Codes) -> Vector:
    """One over the rank of the first hit: of a group of ties, the mean over its orders."""
    order, rank, tied = _placed(scores, codes)
    starts = numpy.flatnonzero(numpy.r_[True, numpy.diff(tied) != 0])
    found = numpy.zeros(int(codes.max()) + 1)
    counts, hit = numpy.bincount(tied), numpy.bincount(tied, weights=hits[order]).astype(int)
    for group in numpy.flatnonzero(hit)[::-1]:  # of one query, the best group is seen last, and stays
        none, total = 1.0, 0.0
        for place in range(int(counts[group] - hit[group]) + 1):
            chance = hit[group] / (counts[group] - place)
            total += none * chance / (rank[starts[group]] + place + 1)
            none *= 1 - chance
        found[codes[order[starts[group]]]] = total
    return found
