"""How much better one model is than another in each metric; the constant's loss, the scale, is estimated too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
from numpy.random import Generator
from scipy import integrate, special, stats

from mltestscore.stats.quality import advantage
from tests.stats.simulations.scene import Aim, Estimate, Scene

from .paired import UNSEEN
from .rows import SIZES, Vector

# Below so many rows; `stats.quality.advantage` says so.
FEW_ROWS = {("r2", "heavy tails"): 3_000, ("r2", "tied"): 3_000, ("d2_absolute_error", "tied"): 300}

Drawn = tuple[Vector, Vector, Vector]
"""Truth, scores of ours, scores of theirs."""


def scenes() -> Iterator[Scene]:
    for n in SIZES:
        most = {3_000: 2_000, 30_000: 300}.get(n, 10_000)
        for share in (0.5, 0.05):
            if n * share < 10:
                continue
            for metric, gain in (("d2_brier_score", brier_gain(share)), ("d2_log_loss", log_gain(share))):
                draw = judged(metric, lambda random, n, share=share: shrunk(random, n, share), n)
                known = UNSEEN if metric == "d2_log_loss" and n < 300 else ""
                kind = f"{share:.0%} positive"
                yield Scene("quality", f"advantage {metric}", kind, n, gain, draw, most=most, known=known)
        draw = judged("accuracy", flipped, n)
        yield Scene("quality", "advantage accuracy", "one decision in ten worse", n, 0.05, draw, most=most)
        for kind, (make, r2, absolute) in REGRESSIONS.items():
            for metric, gain in (("r2", r2), ("d2_absolute_error", absolute)):
                known = UNSEEN if n < FEW_ROWS.get((metric, kind), 0) else ""
                draw = judged(metric, make, n)
                yield Scene("quality", f"advantage {metric}", kind, n, gain, draw, most=most, known=known)


def aims() -> Iterator[Aim]:
    """A simple model against ours (model.5): by how much ours loses in the Brier skill, held to 0."""
    for n in (500, 2_000, 20_000):
        draw = judged("d2_brier_score", lambda random, n: shrunk(random, n, 0.5), n)
        scene = Scene("quality", "advantage d2_brier_score", "half positive", n, brier_gain(0.5), draw, most=1_000)
        yield Aim(scene, f"Brier skill lower by {brier_gain(0.5):.3f}", 0.0)


def shrunk(random: Generator, n: int, share: float) -> Drawn:
    """Ours knows the chance; theirs goes but half of the way from the mean to it."""
    chances = random.beta(2 * share, 2 - 2 * share, n)
    while True:
        y = (random.random(n) < chances).astype(int)
        if 0 < y.sum() < n:
            return y, chances, (chances + share) / 2


def brier_gain(share: float) -> float:
    """E(q - p)² over the loss of the constant; chances of Beta(2 s, 2 - 2 s) have the variance s (1 - s) / 3."""
    return 1 / 12


def log_gain(share: float) -> float:
    chances = stats.beta(2 * share, 2 - 2 * share)

    def gain(u: float) -> float:
        p = float(chances.ppf(u))
        return float(special.rel_entr(p, (p + share) / 2) + special.rel_entr(1 - p, 1 - (p + share) / 2))

    entropy = -share * numpy.log(share) - (1 - share) * numpy.log(1 - share)
    return float(integrate.quad(gain, 0, 1, limit=500)[0] / entropy)


def flipped(random: Generator, n: int) -> Drawn:
    """One of ten decisions of theirs is the opposite: with chances uniform, half a decision is lost by each."""
    chances = random.random(n)
    y = (random.random(n) < chances).astype(int)
    y[:2] = [0, 1]
    return y, chances, numpy.where(random.random(n) < 0.1, 1 - chances, chances)


def normal(random: Generator, n: int) -> Drawn:
    y, one, other = random.standard_normal((3, n))
    return y, y + 0.5 * one, y + 0.6 * other


def heavy(random: Generator, n: int) -> Drawn:
    """Values and errors of Student's t with five degrees of freedom, so that squares have a variance."""
    y, one, other = random.standard_t(5, (3, n))
    return y, y + 0.5 * one, y + 0.6 * other


def tied(random: Generator, n: int) -> Drawn:
    """Counts, answered in whole numbers."""
    y = random.poisson(2, n).astype(float)
    step = random.choice([-1.0, 0.0, 1.0], (2, n), p=[0.1, 0.8, 0.1])
    return y, y + step[0], y + step[1] * 2


REGRESSIONS: dict[str, tuple[Callable[[Generator, int], Drawn], float, float]] = {
    "clean": (normal, 0.11, 0.1),
    "heavy tails": (heavy, 0.11, 0.1),
    "tied": (tied, (0.8 - 0.2) / 2, (0.4 - 0.2) / float(stats.poisson(2).expect(lambda y: numpy.abs(y - 2)))),
}


def judged(metric: str, make: Callable[[Generator, int], Drawn], n: int):
    def draw(random: Generator) -> Estimate:
        y, ours, theirs = make(random, n)
        return lambda alpha: advantage(metric, y, ours, theirs, alpha)

    return draw
