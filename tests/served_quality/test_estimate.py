"""Quality estimated without labels: exact on small cases, right on average, blind to a changed world."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mltestscore.served_quality.estimate import expected_area


def by_hand(scores, chances) -> float:
    """Ratio of the expected wins to the expected pairs, over pairs of different rows."""
    won = pairs = 0.0
    for i, j in product(range(len(scores)), repeat=2):
        if i != j:
            weight = chances[i] * (1 - chances[j])
            pairs += weight
            won += weight * (1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0)
    return won / pairs


@pytest.mark.parametrize("seed", range(5))
def test_the_expected_area_is_the_one_counted_pair_by_pair(seed):
    rng = np.random.default_rng(seed)
    scores, chances = rng.integers(0, 5, 12) / 5, rng.random(12)
    assert expected_area(scores, chances) == pytest.approx(by_hand(scores, chances))


def test_the_estimate_is_right_on_average_where_the_chances_hold():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(7)
    chances = rng.beta(2, 5, 2000)
    seen = [roc_auc_score(rng.random(2000) < chances, chances) for _ in range(30)]
    assert expected_area(chances, chances) == pytest.approx(np.mean(seen), abs=0.01)
