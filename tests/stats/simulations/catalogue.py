"""All scenes and aims, family by family."""

from __future__ import annotations

from functools import cache

from .families import (
    blocks,
    calibration,
    cluster,
    dates,
    distribution,
    draws,
    finite,
    paired,
    periods,
    proportion,
    quality,
    rank,
    ratios,
    sequential,
    served,
    unpaired,
)
from .scene import Aim, Coverage, Scene, simulate, verdicts

FAMILIES = (
    proportion,
    paired,
    quality,
    unpaired,
    cluster,
    periods,
    dates,
    ratios,
    served,
    blocks,
    distribution,
    finite,
    sequential,
    rank,
    calibration,
    draws,
)


@cache
def all_scenes() -> dict[str, Scene]:
    """Return every scene whose coverage is tabled, by name."""
    return {scene.name: scene for family in FAMILIES for scene in family.scenes()}


@cache
def all_aims() -> list[Aim]:
    """Return every effect whose verdicts are tabled."""
    return [aim for family in FAMILIES if hasattr(family, "aims") for aim in family.aims()]


def simulated(name: str, simulations: int) -> Coverage:
    """Simulate one scene; another process can be asked to, which no scene could be sent to."""
    return simulate(all_scenes()[name], simulations)


def judged(place: int, simulations: int) -> dict[str, float]:
    """Count the verdicts of one aim, likewise."""
    return verdicts(all_aims()[place], simulations)
