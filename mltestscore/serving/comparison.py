"""What paired blocks say: a change with exact bounds, this machine's own noise, and a verdict that respects both.

The noise that pairing leaves shows in each version's blocks against its own (A/A): where it exceeds the tolerance,
this machine cannot decide the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mltestscore.finding import Finding, at_most
from mltestscore.serving.blocks import Arm
from mltestscore.stats.blocks import BlockRatio, block_ratio, noise
from mltestscore.stats.cluster import effective_n
from mltestscore.stats.interval import CLEAR, Interval
from mltestscore.stats.proportion import bounds

NOISY = "this machine is too noisy for the tolerance"
LIMITED = "the load generator was the limit"


def change(current: Sequence[float], previous: Sequence[float], alpha: float) -> BlockRatio:
    """Return the relative change from paired values above 0, shape (blocks,) each.

    The lower bound holds at the level ``alpha``, so that harm is rarely shown by chance; the upper one at 0.05.
    """
    ratios = np.log(np.asarray(current) / np.asarray(previous)).tolist()
    strict = block_ratio(ratios, alpha)
    return replace(block_ratio(ratios, CLEAR), low=strict.low, method=_method(strict))


def own_noise(*arms: Sequence[float]) -> float:
    """Return the relative half width that each version's neighbouring blocks leave against each other (A/A)."""
    neighbours = [pair for values in arms for pair in zip(values[::2], values[1::2], strict=False)]
    return noise([math.log(second / first) for first, second in neighbours], CLEAR)


def slower_than_previous(
    name: str, where: str, current: Sequence[float], previous: Sequence[float], *, most: float, alpha: float
) -> Finding:
    """Hold the relative change of paired block values to ``most``; on a machine too noisy for that it is undecided.

    Where the blocks of one version differ among themselves by more than ``most``, only a change that exceeds this
    noise too is shown as harm.
    """
    found = change(current, previous, alpha)
    finding = at_most(name, found, most, where=where, unit="share")
    wobble = own_noise(current, previous)
    if finding.verdict == "passed" or wobble <= most or (finding.verdict == "failed" and found.low > wobble):
        return finding
    needed = math.ceil(found.n * (wobble / most) ** 2) if math.isfinite(wobble) else found.n_to_settle(most)
    why = (
        f"one version differs from itself by ±{wobble:.0%} between blocks, the tolerance is {most:.0%}; "
        "take more pairs or longer blocks, or a quieter machine"
    )
    return replace(finding, verdict="inconclusive", cause=NOISY, note=why, n_to_settle=needed)


def share_above(arm: Arm, limit: float, alpha: float) -> Interval:
    """Return the share of requests slower than ``limit`` milliseconds, requests of one block not being independent.

    The lower bound holds at the level ``alpha``, the upper one at 0.05. Without any or with only slower requests
    there is no dependence to estimate, and all requests count.
    """
    above = (arm.latencies_ms > limit).astype(float)
    blocks = np.repeat(np.arange(len(arm.loads)), [load.requests for load in arm.loads])
    n = effective_n(above, blocks) if 0 < above.mean() < 1 else float(len(above))
    return _share(float(above.mean()), n, alpha)


def share_failed(arm: Arm, alpha: float) -> Interval:
    """Return the share of requests without a usable answer, with bounds at the levels of :func:`share_above`."""
    return _share(arm.errors.total() / arm.requests, arm.requests, alpha)


def _share(value: float, n: float, alpha: float) -> Interval:
    low, high = bounds(value * n, n, alpha)[0], bounds(value * n, n, CLEAR)[1]
    method = f"Clopper-Pearson on effective n; lower bound at {1 - alpha:.2%}"
    return Interval(value, min(low, value), max(high, value), int(n), 1 - CLEAR, method)


def unless_limited(finding: Finding, doubtful: str, arm: Arm) -> Finding:
    """Return the finding, undecided where its verdict is the ``doubtful`` one and the load generator was the limit.

    Requests that leave late look slower than they are, and make two versions look more alike than they are.
    """
    limited = [load.generator_limited for load in arm.loads if load.generator_limited]
    if finding.verdict != doubtful or 2 * len(limited) <= len(arm.loads):
        return finding
    why = f"in most blocks {limited[-1]}; measure on a machine with a free core"
    return replace(finding, verdict="inconclusive", cause=LIMITED, note=why, n_to_settle=None)


def _method(strict: Interval) -> str:
    return f"{strict.method}; lower bound at {strict.confidence:.2%}"
