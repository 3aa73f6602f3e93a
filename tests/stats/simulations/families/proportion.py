"""Shares: Clopper-Pearson bounds, and Wilson's where they clear."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from mltestscore.comparison.levels import rate
from mltestscore.stats.interval import CLEAR, Interval
from mltestscore.stats.proportion import proportion, wilson
from tests.stats.simulations.scene import Aim, Estimate, Scene

from .rows import SIZES

SHARES = (0.5, 0.1, 0.01, 0.001)
ONE_OF_FIFTY = 1e-5  # the level of one of fifty features of monitor.3


@lru_cache(maxsize=100_000)
def exact(hits: int, n: int, alpha: float) -> Interval:
    return proportion(hits, n, alpha)


@lru_cache(maxsize=100_000)
def scored(hits: int, n: int, alpha: float) -> Interval:
    """As model.2 does: Wilson's bound clears, the exact one accuses."""
    return wilson(hits, n, CLEAR) if alpha == CLEAR else proportion(hits, n, alpha)


@lru_cache(maxsize=100_000)
def held(hits: int, n: int, alpha: float) -> Interval:
    """As monitor.3 does, row by row."""
    both = rate(hits, n, ONE_OF_FIFTY)
    return both.clearing if alpha == CLEAR else both.accusing


def scenes() -> Iterator[Scene]:
    for n in SIZES:
        for share in SHARES:
            if n * share >= 0.3:
                yield Scene("proportion", "proportion", f"share {share:.1%}", n, share, drawn(exact, n, share))
    for n in (12, 30, 300):
        for share in (0.5, 0.6, 0.9):
            yield Scene("proportion", "wilson", f"share {share:.0%}", n, share, drawn(scored, n, share), known=WAVES)


def aims() -> Iterator[Aim]:
    for share, n, planned in [
        (0.05, 200, 0.97),
        (0.02, 1_000, 0.998),
        (0.01, 1_000, 0.67),
        (0.01, 5_000, 1.0),
        (0.005, 5_000, 0.94),
        (0.0, 300, None),
        (0.0, 5_000, None),
    ]:
        scene = Scene("proportion", "rate", "keyed rows that differ", n, share, drawn(held, n, share), ONE_OF_FIFTY)
        yield Aim(scene, f"{share:.1%} of keyed rows differ", 0.001, planned)


def drawn(estimate, n: int, share: float):
    def draw(random) -> Estimate:
        hits = int(random.binomial(n, share))
        return lambda alpha: estimate(hits, n, alpha)

    return draw


WAVES = "a score bound clears at about 5 %: which counts are possible makes it more or less, up to 11 % at n = 12"
