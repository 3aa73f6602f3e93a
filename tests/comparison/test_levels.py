from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.comparison.levels import rate
from mltestscore.stats.proportion import proportion


@settings(deadline=None)
@given(st.integers(1, 5_000), st.floats(0, 1))
def test_a_rate_accuses_at_one_level_and_clears_at_another(n: int, share: float) -> None:
    count = int(share * n)
    interval = rate(count, n, 1e-5)
    assert interval.low == pytest.approx(proportion(count, n, 1e-5).low)
    assert interval.high == pytest.approx(proportion(count, n, 0.05).high)


def test_clusters_widen_both_bounds() -> None:
    alone, clustered = rate(50, 1_000, 0.01), rate(50, 1_000, 0.01, design_effect=10)
    assert clustered.low < alone.low < alone.value == clustered.value < alone.high < clustered.high
    assert clustered.n == 100


def test_what_would_settle_a_quiet_rate_is_what_clears_it() -> None:
    assert rate(0, 1_000, 1e-6).n_to_settle(0.001) == pytest.approx(2_995, abs=5)


@pytest.mark.parametrize(("count", "n"), [(0, 0), (-1, 10), (11, 10)])
def test_impossible_counts_are_refused(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="0 ≤ count ≤ n"):
        rate(count, n, 0.01)
