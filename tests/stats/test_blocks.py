"""Paired blocks: exact signed-rank bounds, minimum block counts, the A/A guard."""

from __future__ import annotations

import itertools
import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.stats.blocks import block_ratio, minimum_blocks, noise

RATIOS = st.lists(st.floats(-2, 2), min_size=1, max_size=25)


def test_the_estimate_is_the_median_of_all_pairwise_means():
    x = [0.01, 0.2, 0.05, 0.11]
    walsh = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(x, 2)]
    assert block_ratio(x, 0.05).value == pytest.approx(math.expm1(numpy.median(walsh)))


def test_the_bound_excludes_a_centre_exactly_when_the_signed_rank_test_does():
    """Against all 2⁸ sign patterns: the mass of patterns with rank sums as large is the exact p-value."""
    x = numpy.array([0.31, -0.02, 0.11, 0.07, 0.23, 0.05, 0.19, 0.13])
    ranks = numpy.abs(x).argsort().argsort() + 1
    signs = numpy.array(list(itertools.product([0, 1], repeat=8)))
    p = ((signs * ranks).sum(1) >= ranks[x > 0].sum()).mean()
    assert block_ratio(x, alpha=p).low > 0
    assert block_ratio(x, alpha=p - 1e-6).low <= 0


@pytest.mark.parametrize(("alpha", "blocks"), [(0.5, 1), (0.05, 5), (0.0005, 11), (0.0002, 13), (2**-10, 10)])
def test_bounds_are_finite_from_the_minimum_number_of_blocks_on(alpha, blocks):
    x = numpy.linspace(0.1, 0.2, blocks)
    assert minimum_blocks(alpha) == blocks
    assert block_ratio(x, alpha).low == pytest.approx(math.expm1(0.1))
    assert block_ratio(x[1:], alpha).low == -math.inf


@pytest.mark.parametrize("few", [[], [0.3], [0.3, 0.4]])
def test_too_few_blocks_leave_the_bounds_open_and_say_how_many_are_needed(few):
    interval = block_ratio(few, alpha=0.0002)
    assert (interval.low, interval.high, interval.n) == (-math.inf, math.inf, len(few))
    assert interval.n_to_settle(0.1) == 13
    assert interval.smallest_visible(0.1, "above") is None


def test_the_number_that_settles_a_decided_estimate_is_not_below_the_minimum():
    assert block_ratio(numpy.linspace(0.5, 0.51, 13), alpha=0.0002).n_to_settle(0.1) == 13


def test_false_alarms_stay_at_the_level_for_heavy_tailed_noise():
    rng = numpy.random.default_rng(5)
    alarms = sum(block_ratio(row, 0.05).low > 0 for row in rng.standard_t(3, size=(1000, 12)))
    assert alarms <= 50 + 3 * math.sqrt(50)


def test_a_twenty_per_cent_slowdown_is_shown_by_twenty_blocks():
    """The published table of the method: 3 % residuals, t with 3 degrees of freedom, tolerance 5 %."""
    rng = numpy.random.default_rng(6)
    residuals = 0.03 / math.sqrt(3) * rng.standard_t(3, size=(200, 20))
    shown = [block_ratio(math.log(1.2) + row, 0.0005).low > 0.05 for row in residuals]
    assert numpy.mean(shown) > 0.95


def test_the_noise_of_one_version_against_itself_is_the_half_width():
    x = [0.02, -0.02, 0.03, -0.03, 0.01, -0.01]
    interval = block_ratio(x, 0.05)
    assert noise(x, 0.05) == pytest.approx(math.sqrt((1 + interval.high) / (1 + interval.low)) - 1)
    assert noise(x, 0.001) == math.inf


@settings(deadline=None)
@given(RATIOS)
def test_swapping_the_versions_inverts_the_ratio(x):
    there, back = block_ratio(x, 0.05), block_ratio([-value for value in x], 0.05)
    assert there.low <= there.value <= there.high
    assert 1 + back.value == pytest.approx(1 / (1 + there.value))
    assert math.isinf(there.high) or 1 + back.low == pytest.approx(1 / (1 + there.high))


@settings(deadline=None)
@given(RATIOS, st.floats(-1, 1))
def test_a_common_factor_moves_estimate_and_bounds_by_that_factor(x, shift):
    plain, moved = block_ratio(x, 0.05), block_ratio([value + shift for value in x], 0.05)
    assert math.log1p(moved.value) == pytest.approx(math.log1p(plain.value) + shift, abs=1e-9)


@pytest.mark.parametrize("wrong", [[math.nan], [math.inf, 0.1], [[0.1]]])
def test_ratios_without_a_logarithm_are_refused(wrong):
    with pytest.raises(ValueError, match="finite"):
        block_ratio(wrong, 0.05)
