"""What paired blocks say: a change with exact bounds, this machine's own noise, and a verdict that respects both.

The noise that pairing leaves shows in each version's blocks against its own (A/A): where it exceeds the tolerance,
this machine cannot decide the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mltestscore.finding import Finding, at_most
from mltestscore.serving.blocks import Arm
from mltestscore.stats.blocks import BlockRatio, block_ratio, noise
from mltestscore.stats.cluster import effective_n
from mltestscore.stats.interval import CLEAR, Interval
from mltestscore.stats.proportion import bounds

NOISY = "this machine is too noisy for the tolerance"
LIMITED = "the load generator was the limit"
CROWDED = "other processes took the machine"


@dataclass(frozen=True)
class Levels:
    """The probabilities with which the bound that shows harm and the one that rules it out may miss.

    Whoever looks several times, and measures on while nothing is decided, divides both by the number of looks
    (Bonferroni).

    >>> Levels.for_looks(2, 0.0002)
    Levels(accuse=0.0001, clear=0.025)
    """

    accuse: float
    clear: float = CLEAR

    @classmethod
    def for_looks(cls, looks: int, alpha: float) -> Levels:
        """Return the levels of each of so many looks."""
        return cls(alpha / looks, CLEAR / looks)


def change(current: Sequence[float], previous: Sequence[float], levels: Levels) -> BlockRatio:
    """Return the relative change from paired values above 0, shape (blocks,) each."""
    ratios = np.log(np.asarray(current) / np.asarray(previous)).tolist()
    strict = block_ratio(ratios, levels.accuse)
    return replace(block_ratio(ratios, levels.clear), low=strict.low, method=_method(strict))


def own_noise(pairs: Iterable[tuple[float, float]], level: float = CLEAR) -> float:
    """Return the relative half width that pairs of values of one version leave against each other (A/A)."""
    return noise([math.log(second / first) for first, second in pairs], level)


def neighbours(*arms: Sequence[float]) -> list[tuple[float, float]]:
    """Return each version's neighbouring blocks in pairs."""
    return [pair for values in arms for pair in zip(values[::2], values[1::2], strict=False)]


def slower_than_previous(
    name: str,
    where: str,
    current: Sequence[float],
    previous: Sequence[float],
    *,
    wobble: float,
    most: float,
    levels: Levels,
) -> Finding:
    """Hold the relative change of paired block values to ``most``; on a machine too noisy for that it is undecided.

    Where one version differs from itself by more than ``most`` (``wobble``, from :func:`own_noise`), only a change that
    exceeds this noise too is shown as harm.
    """
    found = change(current, previous, levels)
    finding = at_most(name, found, most, where=where, unit="share")
    if finding.verdict == "passed" or wobble <= most or (finding.verdict == "failed" and found.low > wobble):
        return finding
    needed = math.ceil(found.n * (wobble / most) ** 2) if math.isfinite(wobble) else found.n_to_settle(most)
    why = (
        f"one version differs from itself by ±{wobble:.0%} in the same blocks, the tolerance is {most:.0%}; "
        "take more pairs or longer blocks, or a quieter machine"
    )
    return replace(finding, verdict="inconclusive", cause=NOISY, note=why, n_to_settle=needed)


def share_above(arm: Arm, limit: float, levels: Levels) -> Interval:
    """Return the share of requests slower than ``limit`` milliseconds, requests of one block not being independent.

    Without any or with only slower requests there is no dependence to estimate, and all requests count.
    """
    above = (arm.latencies_ms > limit).astype(float)
    blocks = np.repeat(np.arange(len(arm.paced)), [load.requests for load in arm.paced])
    n = effective_n(above, blocks) if 0 < above.mean() < 1 else float(len(above))
    return _share(float(above.mean()), n, levels)


def share_failed(arm: Arm, levels: Levels) -> Interval:
    """Return the share of requests without a usable answer."""
    return _share(arm.errors.total() / arm.requests, arm.requests, levels)


def _share(value: float, n: float, levels: Levels) -> Interval:
    low, high = bounds(value * n, n, levels.accuse)[0], bounds(value * n, n, levels.clear)[1]
    method = f"Clopper-Pearson on effective n; lower bound at {1 - levels.accuse:.2%}"
    return Interval(value, min(low, value), max(high, value), int(n), 1 - levels.clear, method)


def unless_limited(finding: Finding, doubtful: str, arm: Arm) -> Finding:
    """Return the finding, undecided where its verdict is the ``doubtful`` one and the load generator was the limit.

    Requests that leave late look slower than they are, and make two versions look more alike than they are. So does a
    server look slower while other processes take the machine, which says nothing of two versions side by side.
    """
    limited = [load.generator_limited for load in arm.paced if load.generator_limited]
    crowded = [load.crowded for load in arm.paced if load.crowded] if doubtful == "failed" else []
    doubts = max(limited, crowded, key=len)
    if finding.verdict != doubtful or 2 * len(doubts) <= len(arm.paced):
        return finding
    why = f"in most blocks {doubts[-1]}; measure on a machine with a free core"
    cause = LIMITED if doubts is limited else CROWDED
    return replace(finding, verdict="inconclusive", cause=cause, note=why, n_to_settle=None)


def _method(strict: Interval) -> str:
    return f"{strict.method}; lower bound at {strict.confidence:.2%}"
