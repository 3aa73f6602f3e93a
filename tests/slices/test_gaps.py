"""Gaps of clean systems are not accused, whatever the groups' sizes, the clusters and the rarity of the outcome."""

from __future__ import annotations

import numpy as np
import pytest

from mltestscore.slices.gaps import gap, rates_of, too_small
from mltestscore.stats.ratios import Gap

ALPHA = 0.0008


def clean(rng: np.random.Generator, n: int, groups: int, share: float, size: int):
    clusters = rng.integers(0, max(2, n // size), n)
    effect = rng.normal(size=n) + (rng.normal(size=clusters.max() + 1)[clusters] if size > 1 else 0)
    scores = 1 / (1 + np.exp(-(effect + np.log(share / (1 - share)))))
    y = (rng.random(n) < scores).astype(int)
    kinds = rng.choice(groups, n, p=rng.dirichlet(np.full(groups, 0.5)))
    codes = np.unique(clusters, return_inverse=True)[1] if size > 1 else np.arange(n)
    return y, scores, kinds, codes


@pytest.mark.parametrize(
    ("n", "groups", "share", "size"),
    [(400, 2, 0.5, 1), (1000, 6, 0.3, 1), (3000, 12, 0.3, 20), (20_000, 4, 0.01, 1), (20_000, 6, 0.2, 50)],
)
def test_no_clean_system_has_a_gap_that_is_shown(n, groups, share, size):
    """Held to no gap at all, at the level of .0008: more than two of 200, or of 50, would show a far higher one."""
    rng = np.random.default_rng(n + groups)
    accused = judged = 0
    for _ in range(200 if n < 20_000 else 50):
        y, scores, kinds, codes = clean(rng, n, groups, share, size)
        rates = [one for one in rates_of("binary", y, scores, 0.5) if one.judged]
        shown = False
        for kind in range(groups):
            if too_small(rates, kinds == kind, codes, rows=100, events=50):
                continue
            for rate in rates:
                judged += 1
                shown |= gap(rate, kinds == kind, codes).magnitude(ALPHA / (3 * groups)).low > 0
        accused += shown
    assert judged > 50
    assert accused <= 2


def test_bounds_cover_a_real_gap_at_their_level():
    """600 systems with a gap of 0.1: each 95 % bound misses in 5 %, give or take 2.7 points (three standard errors)."""
    rng = np.random.default_rng(3)
    kinds, codes = np.arange(2000) % 4 == 0, np.arange(2000)
    below = above = 0
    for _ in range(600):
        y = (rng.random(2000) < 0.5).astype(int)
        scores = (rng.random(2000) < np.where(kinds, 0.6, 0.7)).astype(float)
        found = gap(rates_of("binary", y, scores, 0.5)[1], kinds, codes).magnitude(0.1).clearing
        above += found.high < 0.1
        below += found.low > 0.1
    assert abs(above / 600 - 0.05) < 0.027
    assert abs(below / 600 - 0.05) < 0.027


def test_rates_of_all_or_none_still_leave_doubt():
    y = np.ones(120, dtype=int)
    rate = rates_of("binary", y, y.astype(float), 0.5)[1]
    found = gap(rate, np.arange(120) < 60, np.arange(120)).magnitude(0.001)
    assert found.value == 0.0
    assert found.high > 0.02


def test_growth_counts_the_size_of_the_gap_and_not_its_sign():
    errors = np.zeros(50)
    now, before = Gap(-0.1, errors, 0.0, 50), Gap(0.1, errors, 0.0, 50)
    assert now.beyond(before, 0.01).value == pytest.approx(0.0)
    assert Gap(-0.2, errors, 0.0, 50).beyond(before, 0.01).value == pytest.approx(0.1)


def test_small_sides_say_what_they_lack():
    y, codes = np.array([1] * 60 + [0] * 240), np.arange(300)
    rates = rates_of("binary", y, y * 0.8, 0.5)
    assert "it has 20 rows" in too_small(rates, codes < 20, codes, rows=100, events=50)
    assert "10 rows that the gap in true positive rate" in too_small(
        rates, (codes >= 50) & (codes < 200), codes, rows=100, events=50
    )
    assert "clusters" in too_small(rates, codes < 150, codes // 30, rows=100, events=10)
    assert too_small(rates, codes % 2 == 0, codes, rows=100, events=20) == ""
