"""Orders are judged as scikit-learn judges them, query by query; ties count as every order of them."""

from __future__ import annotations

from itertools import permutations

import numpy
import pytest
from sklearn.metrics import ndcg_score

from mltestscore.stats.quality import advantage, quality
from mltestscore.stats.ranking import answerable, qualities

RANDOM = numpy.random.default_rng(2)
GRADES, QUERIES = RANDOM.integers(0, 4, 900), numpy.arange(900) // 9
SCORES = GRADES + 2 * RANDOM.standard_normal(900)


@pytest.mark.parametrize("digits", [12, 0])
def test_ndcg_is_that_of_scikit_learn_ties_or_not(digits):
    scores = SCORES.round(digits)
    ours = qualities("ndcg", GRADES, scores, QUERIES)
    theirs = [ndcg_score([GRADES[one == QUERIES]], [scores[one == QUERIES]]) for one in range(100)]
    assert ours == pytest.approx(numpy.array(theirs)[answerable(GRADES, QUERIES)])


@pytest.mark.parametrize("scores", [[3, 3, 3, 3], [3, 2, 2, 1], [2, 2, 1, 1], [1, 3, 3, 3]])
def test_the_reciprocal_rank_of_ties_is_the_mean_over_their_orders(scores):
    grades, found = [0, 1, 0, 1], []
    for order in permutations(range(4)):
        ranked = sorted(order, key=lambda row: -scores[row])
        found.append(1 / (1 + next(rank for rank, row in enumerate(ranked) if grades[row])))
    assert qualities("mrr", grades, scores, [7] * 4).tolist() == [pytest.approx(numpy.mean(found))]


def test_queries_of_rows_all_alike_have_no_order_and_do_not_count():
    assert len(qualities("ndcg", [0, 0, 2, 2, 0, 1], [1, 2, 1, 2, 1, 2], ["a", "a", "b", "b", "c", "c"])) == 1


@pytest.mark.parametrize("metric", ["ndcg", "mrr"])
def test_the_advantage_of_one_order_over_another_counts_queries(metric):
    order = RANDOM.permutation(900)
    gap = advantage(metric, GRADES[order], SCORES[order], numpy.zeros(900), 0.0005, QUERIES[order])
    assert gap.n == answerable(GRADES, QUERIES).sum()
    assert gap.value == pytest.approx(
        quality(metric, GRADES, SCORES, QUERIES) - quality(metric, GRADES, numpy.zeros(900), QUERIES)
    )


def test_without_queries_nothing_is_judged():
    with pytest.raises(ValueError, match="query by query"):
        quality("ndcg", GRADES, SCORES)
