"""What steps of rate show of a server: whether it sustains its declared peak, and from which rate on it breaks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mltestscore.details import Series, Table
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.serving.comparison import Levels
from mltestscore.serving.saturation import HALF, LOOKS, Budget, Knee, Stairs, Step, behind, climb
from mltestscore.stats.blocks import minimum_blocks

if TYPE_CHECKING:
    from mltestscore.inputs.endpoint import Endpoint

PEAK = "blocks at the peak rate that the server does not sustain"
PERMIT = "saturate = true under [tool.mltestscore.endpoint.load]"
MOST_SECONDS = 60.0


def judge_peak(
    endpoint: Endpoint,
    frame: pd.DataFrame,
    budget: Budget,
    *,
    start: float,
    seconds: float,
    alpha: float,
    seed: int,
) -> Iterator[Finding | Table | Series]:
    """Hold the server to its declared peak rate, and look for at most ``seconds`` for the rate from which on it breaks.

    Sends nothing unless the endpoint is marked for it. ``start``: where the climb begins.
    """
    how = endpoint.loading
    where = f"{how.peak_rate:g} a second"
    if not how.saturate:
        if how.peak_rate:
            yield undecided(PEAK, f"the server may not be driven to its peak; permit it with {PERMIT}", where=where)
        return
    stairs = Stairs(endpoint, frame, budget, np.random.default_rng(seed), how.arrivals)
    if how.peak_rate:
        stairs.until = time.monotonic() + MOST_SECONDS
        yield _at_peak(stairs, how.peak_rate, where, alpha)
    if seconds:
        stairs.until = time.monotonic() + seconds
        knee = climb(stairs, start)
        yield from _shown(stairs, knee, how.peak_rate)


def _at_peak(stairs: Stairs, rate: float, where: str, alpha: float) -> Finding:
    levels = Levels.for_looks(2, alpha)
    # Of so many blocks that all break the lower bound is alpha^(1/n), which must exceed one half.
    looks = (LOOKS[0], max(LOOKS[-1], minimum_blocks(levels.accuse) + 1))
    stairs.decide(rate, levels, looks)
    step = stairs.steps[rate]
    if not step.loads:
        return undecided(PEAK, f"{(step.limited or ['no time was left'])[-1]}; measure with more cores", where=where)
    found = at_most(PEAK, step.share(levels), HALF, where=where, unit="share", cause=step.reason)
    if found.verdict == "inconclusive" and step.limited:
        return undecided(PEAK, f"{step.limited[-1]}; measure with more cores", where=where)
    return found


def _shown(stairs: Stairs, knee: Knee, peak: float) -> Iterator[Table | Series]:
    tried = sorted((step for step in stairs.steps.values() if step.loads), key=lambda step: step.rate)
    why = [step.limited[-1] for step in stairs.steps.values() if step.limited]
    why += ["the time was up (climb_seconds)"] * stairs.over
    yield Table(
        f"Steps of rate: {_told(knee, why)}",
        ["offered (1/s)", "answered (1/s)", "p50 (ms)", "p95 (ms)", "blocks", "not sustained", "because it"],
        [_row(step) for step in tried],
    )
    offered = [round(step.rate, 1) for step in tried]
    lines: dict[str, Sequence[float]] = {"answered": [_answered(step) for step in tried], "offered": offered}
    if peak:
        lines["declared peak"] = [peak] * len(tried)
    yield Series("Answered beside offered", "requests offered a second", offered, lines, y_name="requests a second")


def _row(step: Step) -> tuple[float | int | str, ...]:
    latencies = np.concatenate([load.latencies_ms for load in step.loads])
    p50, p95 = (round(float(np.percentile(latencies, share)), 1) for share in (50, 95))
    return round(step.rate, 1), _answered(step), p50, p95, len(step.loads), sum(map(bool, step.broken)), step.reason


def _answered(step: Step) -> float:
    """Return the usable answers a second, in the middle of the blocks."""
    found = [load.offered * (1 - behind(load)) * (1 - load.failed / load.requests) for load in step.loads]
    return round(float(np.median(found)), 1)


def _told(knee: Knee, unfound: list[str]) -> str:
    if math.isfinite(knee.high) and knee.low:
        return f"the server begins to break between {knee.low:.0f} and {knee.high:.0f} a second (95 %)"
    if math.isfinite(knee.high):
        return f"the server breaks at {knee.high:.0f} a second, and no lower rate was shown to be sustained (95 %)"
    why = f": {unfound[0]}" if unfound else ""
    if knee.low:
        return f"the server sustains {knee.low:.0f} a second (95 %); where it breaks was not found{why}"
    return f"where the server breaks was not found{why}"
