"""Two means over different rows: Welch's t."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from numpy.random import Generator

from mltestscore.stats.persistence import persistence
from mltestscore.stats.unpaired import mean_difference
from tests.stats.simulations.scene import Aim, Estimate, Scene

from . import rows
from .periods import remembering
from .rows import SIZES, Vector

SHORT = "forty days show too little of a likeness that is strong, or weak and long; `stats.persistence` says how often"


def scenes() -> Iterator[Scene]:
    for n in (7, *SIZES):
        for kind, make in {"clean": rows.normal, "heavy tails": rows.heavy, "tied": rows.tied}.items():
            yield Scene("unpaired", "mean_difference", f"{kind}, {n} against {n}", n, 0.0, two(make, n, n))
    yield Scene("unpaired", "mean_difference", "few noisy days against many quiet ones", 7, 0.0, two(noisy, 7, 35))
    for n in SIZES:
        yield Scene("unpaired", "mean_difference", "skewed, both sides alike", n, 0.0, two(rows.skewed, n, n))
    for memory in (0.0, 0.3, 0.5, 0.8):
        for n in (28, 90):
            known = SHORT if memory > 0.3 else ""
            said = f"days remember {memory:.0%} of the last, 40 at launch"
            yield Scene("unpaired", "mean_difference", said, n, 0.0, lasting(n, memory), known=known)
    said = "days hardly remember the last, but all for weeks"
    yield Scene("unpaired", "mean_difference", said, 28, 0.0, lasting(28, 0.9, noise=1.5), known=SHORT)


def aims() -> Iterator[Aim]:
    """Quality of days since launch: a spread of 0.02 from day to day, held to a drop of 0.02."""
    for days in (7, 14, 30):
        for lost in (0.0, 0.04, 0.08):
            scene = Scene("unpaired", "mean_difference", "days", days, lost, two(quality, 35, days, lost))
            yield Aim(scene, f"quality falls by {lost:.2f}, days spread by 0.02", 0.02)


def lasting(n: int, memory: float, noise: float = 0.0):
    """Days after a launch of forty, as monitor.7 compares them: a first-order autoregression, and noise of each day."""

    def draw(random: Generator) -> Estimate:
        spread = noise / (1 - memory**2) ** 0.5
        launch, now = (remembering(random, many, memory)[0] + spread * random.normal(size=many) for many in (40, n))
        kept = persistence([launch])
        return lambda alpha: mean_difference(launch, now, alpha, kept)

    return draw


def noisy(random: Generator, n: int) -> Vector:
    return random.normal(0, 3 if n < 10 else 1, n)


def quality(random: Generator, n: int) -> Vector:
    return random.normal(0.8, 0.02, n)


def two(make: Callable[[Generator, int], Vector], n: int, m: int, lost: float = 0.0):
    def draw(random: Generator) -> Estimate:
        a, b = make(random, n), make(random, m) - lost
        return lambda alpha: mean_difference(a, b, alpha)

    return draw
