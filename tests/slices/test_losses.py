"""Slices of clean systems are not accused: simulated, with clusters, rare outcomes, hard slices and unequal sizes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.slices import declared
from mltestscore.slices.losses import Losses, compare
from mltestscore.slices.verdicts import Judge

ALPHA = 0.0008


def system(rng: np.random.Generator, n: int, share: float, size: int) -> tuple[pd.DataFrame, Losses]:
    """Two equally good versions that disagree by training noise, some of it common to whole clusters."""
    clusters = rng.integers(0, n // size, n)
    frame = pd.DataFrame({"kind": rng.choice(12, n, p=rng.dirichlet(np.full(12, 0.7))), "cluster": clusters})
    base = np.log(share / (1 - share)) + rng.normal(size=n) + rng.normal(size=n // size)[clusters]
    y = (rng.random(n) < 1 / (1 + np.exp(-base))).astype(int)
    y[:2] = 0, 1

    def version() -> np.ndarray:
        noise = 0.3 * rng.normal(size=n) + 0.3 * rng.normal(size=n // size)[clusters]
        return np.asarray(1 / (1 + np.exp(-(base + noise))))

    return frame, compare("d2_brier_score", y, version(), version(), clusters if size > 1 else None)


@pytest.mark.parametrize(
    ("n", "share", "size"), [(1000, 0.3, 1), (3000, 0.2, 20), (3000, 0.01, 5), (30_000, 0.001, 1), (30_000, 0.1, 50)]
)
def test_no_clean_system_in_eighty_is_accused(n, share, size):
    """At a level of .0008 one in 1,250 may be; three in 80 would show a level of .0038 or more."""
    rng = np.random.default_rng(n + size)
    accused = 0
    for _ in range(80):
        frame, losses = system(rng, n, share, size)
        judge = Judge(losses, np.ones(n, dtype=bool), 100, 0.0, None, ALPHA)
        found = judge.observations(list(declared.slicings(frame, ["kind"], 100)), [], "", "")
        accused += any(getattr(one, "verdict", "") == "failed" for one in found)
    assert accused <= 2


def test_the_share_of_a_constants_loss_adds_up_over_slices():
    rng = np.random.default_rng(1)
    frame, losses = system(rng, 4000, 0.3, 1)
    slices = next(iter(declared.slicings(frame, ["kind"], 1))).slices
    whole = losses.loss_of(np.ones(4000, dtype=bool), 0.05).value
    parts = sum(losses.loss_of(one.rows, 0.05).value * one.rows.sum() for one in slices if one.rows.sum() > 1)
    assert parts / 4000 == pytest.approx(whole, abs=1e-3)
