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
