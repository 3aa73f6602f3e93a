"""The served model is as fast as declared and as the previous version, and does not keep memory.

Why
    Speed and memory are part of the product, and nothing in a model's quality shows that they got worse.

Measured
    Rows of the serving log are sent to the server on a fixed random schedule; latency counts from the intended start,
    so that a pause cannot hide (open loop). Declared limits are held against the current version alone at the whole
    rate. Against the previous version, requests of the two alternate at half the rate each; the ratio of each block's
    medians, 95th percentiles and capacities (a burst at once) is bounded by the exact signed-rank test, and each
    version is compared with itself to know this machine's noise. Memory is the process tree's.

Passes when
    no bound shows more than ``tolerance`` of loss against the previous version, and no more requests are slower than
    ``p50_ms`` and ``p95_ms`` than these names allow, fail, or hold memory above ``memory_mb``.

If it fails
    Median: every request does more work; profile one. 95th percentile alone: some requests wait, for locks, pauses,
    new connections or slow rows. Capacity alone: requests wait for one another. Memory: look for lists and caches
    without a limit (tracemalloc compares two snapshots).

Options
    p50_ms, p95_ms, memory_mb: none, only the team knows them. rate: requests a second; 0 is half of what the previous
    version can do, at most 400. max_errors: 1 %. tolerance: 10 %. pairs: 14, the least that alpha allows. looks: 3,
    so that pairs that decide nothing are followed by half as many, and again. alpha: 0.0002 for each bound that shows
    harm. block_seconds: 0.2, so that one look fits 12 s. rows: 50, sent again and again, so that caches of answers fill
    at once and do not look like leaks. Sources of the numbers: our simulations.

Source
    Breck et al. 2017, Monitor 6. Open loop: Tene, "How not to measure latency". Blocks: Bulej et al. 2020.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from mltestscore import Finding, NotOffered, Series, Table, at_most, check, fault, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.endpoint import Endpoint
from mltestscore.serving.blocks import Arm, details, measure
from mltestscore.serving.comparison import (
    Levels,
    change,
    neighbours,
    own_noise,
    share_above,
    share_failed,
    slower_than_previous,
    unless_limited,
)
from mltestscore.serving.memory import KEPT, judge_memory
from mltestscore.stats.seeds import seed_of

LATENCY = "latency against the previous version"
CAPACITY = "capacity lost against the previous version"
SLOW = "requests slower than declared"
FAILED = "requests without a usable answer"
BEHIND = "answers behind the offered rate"


@check("monitor.6", proof_options={"pairs": 6, "looks": 1, "block_seconds": 0.06, "alpha": 0.016})
def check_performance(
    endpoint: Endpoint,
    serving: Dataset,
    *,
    p50_ms: float | None = None,
    p95_ms: float | None = None,
    memory_mb: float | None = None,
    rate: float = 0.0,
    max_errors: float = 0.01,
    tolerance: float = 0.1,
    pairs: int = 14,
    looks: int = 3,
    block_seconds: float = 0.2,
    rows: int = 50,
    alpha: float = 0.0002,
) -> Iterator[Finding | Table | Series]:
    """Latency, capacity, errors and memory of the served model under open-loop load."""
    limits = {share: limit for share, limit in ((50, p50_ms), (95, p95_ms)) if limit is not None}
    previous, levels = endpoint.previous, Levels.for_looks(looks, alpha)
    due = [pairs + look * math.ceil(pairs / 2) for look in range(looks)]

    def enough(current: Arm, before: Arm | None) -> bool:
        if len(current.bursts) not in due:
            return _harmed(current, {} if previous else limits, max_errors, alpha / due[-1])
        found = [*_timings(current, before, limits, tolerance, levels), _failed(current, max_errors, levels)]
        return all(finding.verdict != "inconclusive" for finding in found)

    current, before, used = measure(
        endpoint,
        previous,
        serving.sample(rows).frame(columns=serving.features),
        pairs=due[-1],
        seconds=block_seconds,
        rate=rate,
        seed=seed_of("monitor.6", serving.digest),
        alone=bool(limits or rate),
        enough=enough,
    )
    yield from _timings(current, before, limits, tolerance, levels)
    yield _failed(current, max_errors, levels)
    behind = change([load.offered for load in current.paced], [load.kept_up for load in current.paced], levels)
    yield at_most(BEHIND, behind, tolerance, where=f"{used:.0f} a second", unit="share", advisory=not rate)
    yield from judge_memory(current, before, memory_mb, alpha)
    arms = {f"current {endpoint.version}".strip(): current}
    yield from details({**arms, f"previous {previous.version}".strip(): before} if previous and before else arms)


def _harmed(arm: Arm, limits: dict[int, float], max_errors: float, alpha: float) -> bool:
    """Say whether harm is shown already, so that more load would only cost time."""
    levels = Levels(alpha)
    slow = any(share_above(arm, limit, levels).low > 1 - share / 100 for share, limit in limits.items())
    return slow or share_failed(arm, levels).low > max_errors


def _failed(arm: Arm, most: float, levels: Levels) -> Finding:
    reasons = "; ".join(reason for reason, _ in arm.errors.most_common(2))[:300]
    return at_most(FAILED, share_failed(arm, levels), most, unit="share", cause=reasons)


def _timings(
    current: Arm, before: Arm | None, limits: dict[int, float], tolerance: float, levels: Levels
) -> Iterator[Finding]:
    for share, limit in limits.items():
        slow = at_most(SLOW, share_above(current, limit, levels), 1 - share / 100, where=f"{limit:g} ms", unit="share")
        yield unless_limited(slow, "failed", current)
    if before is None:
        if not limits:
            why = "there is neither a previous version nor a limit; offer previous_command or declare p95_ms"
            yield undecided(LATENCY, why)
        return
    for share, where in ((50, "median"), (95, "95th percentile")):
        times = current.percentile(share), before.percentile(share)
        wobble = own_noise([*current.halves(share), *before.halves(share)], levels.clear)
        slower = slower_than_previous(LATENCY, where, *times, wobble=wobble, most=tolerance, levels=levels)
        yield unless_limited(slower, "passed", current)
    lost = before.capacities, current.capacities
    wobble = own_noise(neighbours(*lost), levels.clear)
    yield slower_than_previous(CAPACITY, "burst", *lost, wobble=wobble, most=tolerance, levels=levels)


def _delay(endpoint: Endpoint, serving: Dataset) -> float:
    """Return seconds that no tolerance or noise hides, and without a previous version hardly a declared limit."""
    if endpoint.previous is None:
        return 1.0
    now = endpoint.load(serving.sample(10).frame(columns=serving.features), rate=60, seconds=0.25, seed=1)
    return max(0.05, 4 * now.percentiles()[95] / 1000)


@fault(check_performance, "every answer takes five times as long")
def slow_answers(endpoint: Endpoint, serving: Dataset) -> dict[str, Endpoint]:
    """More work for every request."""
    return {"endpoint": endpoint.slowed(_delay(endpoint, serving))}


@fault(check_performance, "the server pauses at every tenth request")
def pauses(endpoint: Endpoint, serving: Dataset) -> dict[str, Endpoint]:
    """A pause stops all requests that are due meanwhile; only an open loop sees those."""
    return {"endpoint": endpoint.slowed(1.5 * _delay(endpoint, serving), every=10)}


@fault(check_performance, "the server keeps two megabytes of every request", caught_by=KEPT)
def leak(endpoint: Endpoint) -> dict[str, Endpoint]:
    """A list without a limit."""
    if endpoint.memory() is None:
        raise NotOffered("the server's process", "offer its command instead of a url")
    return {"endpoint": endpoint.leaking(2_000_000)}
