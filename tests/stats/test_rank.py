"""Kendall's tau: against scipy, exact p, and the coverage of its bounds where the order says much, little, nothing."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from mltestscore.stats.rank import Kendall, kendall

TRUE = 0.2


def normal(rng, shape):
    r = np.sin(np.pi * TRUE / 2)
    x = rng.normal(size=shape)
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=shape)


def cauchy(rng, shape):
    x, y = normal(rng, shape)
    width = np.abs(rng.normal(size=shape))
    return x / width, y / width


def mixed_signs(rng, shape):
    x = rng.normal(size=shape)
    return x, np.where(rng.random(shape) < (1 + TRUE) / 2, x, -x)


def missed(make, n: int, runs: int, alpha: float) -> tuple[float, float]:
    """Return how often the true tau lies above the upper and below the lower bound, as the module computes them."""
    rng = np.random.default_rng(n)
    x, y = make(rng, (runs, n))
    own = (np.sign(x[:, :, None] - x[:, None]) * np.sign(y[:, :, None] - y[:, None])).sum(2)
    tau = own.sum(1) / (n * (n - 1))
    spread = ((own - own.mean(1, keepdims=True)) ** 2).sum(1)
    variance = 2 / (n * (n - 1)) * (2 * (n - 2) / (n * (n - 1) ** 2) * spread + 1 - tau**2)
    found = [Kendall(t, n, 0.5, True, v).interval(alpha) for t, v in zip(tau.tolist(), variance.tolist(), strict=True)]
    return float(np.mean([one.high < TRUE for one in found])), float(np.mean([one.low > TRUE for one in found]))


@pytest.mark.parametrize("make", [normal, cauchy, mixed_signs])
@pytest.mark.parametrize("n", [10, 12, 30])
def test_the_bounds_hold_what_they_promise(make, n):
    high, _ = missed(make, n, 3_000, 0.0005)
    _, low = missed(make, n, 3_000, 0.05)
    assert high <= 0.0012 + 3 * (0.0012 / 3_000) ** 0.5
    assert low <= 0.06 + 3 * (0.06 / 3_000) ** 0.5


def test_the_variance_of_the_simulation_is_the_modules():
    x, y = normal(np.random.default_rng(1), 25)
    own = (np.sign(x[:, None] - x) * np.sign(y[:, None] - y)).sum(1)
    tau = own.sum() / (25 * 24)
    spread = ((own - own.mean()) ** 2).sum()
    expected = 2 / (25 * 24) * (2 * 23 / (25 * 24**2) * spread + 1 - tau**2)
    assert kendall(x, y).variance == pytest.approx(expected)


def test_tau_and_exact_p_are_those_of_all_orders():
    y = [2, 1, 3, 5, 4, 6]
    own = kendall(range(6), y)
    orders = [stats.kendalltau(range(6), order).statistic for order in permutations(y)]
    assert own.tau == pytest.approx(stats.kendalltau(range(6), y).statistic)
    assert own.exact
    assert own.p == pytest.approx(np.mean(np.array(orders) >= own.tau - 1e-9))


def test_with_ties_p_is_drawn_and_the_same_each_time():
    x, y = [1, 1, 2, 3, 4, 5, 6, 6], [0, 1, 1, 2, 3, 3, 4, 5]
    assert (kendall(x, y).exact, kendall(x, y)) == (False, kendall(x, y))
    assert kendall(x, y).p < 0.002


def test_many_pairs_take_the_normal_approximation():
    x, y = normal(np.random.default_rng(3), 2_000)
    found = kendall(x, y)
    assert (found.exact, found.p < 1e-6) == (False, True)
    assert found.interval(0.05).low < found.tau < found.interval(0.05).high


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_order_has_finite_bounds(sign):
    found = kendall(range(10), sign * np.arange(10)).interval(0.00025)
    assert found.value == pytest.approx(sign)
    assert (found.low > -0.4) if sign == 1 else (found.high < 0.2)


@pytest.mark.parametrize(("x", "y"), [([1, 2, 3, 4], [1, 2, 3, 4]), ([1] * 6, range(6)), (range(6), range(5))])
def test_what_has_no_order_is_refused(x, y):
    with pytest.raises(ValueError, match=r"at least 5 values|does not vary"):
        kendall(x, y)
