"""Family-wise corrections: published examples, order, and the family error rate."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltestscore.stats.multiplicity import bonferroni, holm

P_VALUES = st.lists(st.floats(0, 1), max_size=20)


def test_holm_stops_at_the_first_p_value_that_is_not_small_enough():
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == (True, False, False, True)


@given(P_VALUES, st.floats(1e-6, 0.5))
def test_holm_rejects_whatever_bonferroni_rejects(p_values, alpha):
    rejected = holm(p_values, alpha)
    assert all(rejected[i] for i, p in enumerate(p_values) if p <= bonferroni(alpha, len(p_values)))
    assert all(p <= alpha for i, p in enumerate(p_values) if rejected[i])


@given(P_VALUES, st.randoms())
def test_holm_does_not_depend_on_the_order(p_values, random):
    order = list(range(len(p_values)))
    random.shuffle(order)
    shuffled = holm([p_values[i] for i in order], 0.05)
    assert shuffled == tuple(holm(p_values, 0.05)[i] for i in order)


def test_the_family_errs_at_most_at_the_level():
    families = numpy.random.default_rng(8).random((3000, 5))
    assert sum(any(holm(list(row), 0.05)) for row in families) <= 150 + 3 * math.sqrt(150)


@pytest.mark.parametrize(("alpha", "m"), [(0, 3), (1, 3), (0.05, 0)])
def test_impossible_levels_and_counts_are_refused(alpha, m):
    with pytest.raises(ValueError, match="must"):
        bonferroni(alpha, m)


def test_impossible_p_values_are_refused():
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, 1.2], 0.05)
