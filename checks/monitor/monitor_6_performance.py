"""The served model and its training are as fast as declared and as before, and no memory is kept of requests.

Why
    Speed and memory are part of the product, and nothing in a model's quality shows that they got worse.

Measured
    First counters, which no busy machine changes: the bytes of an answer and what answers and metrics say of calls, for
    20 rows one by one. Then rows of the serving log are sent on a fixed random schedule; latency counts from the
    intended start, so that a pause cannot hide (open loop). Declared limits are held against the current version alone
    at the whole rate. Against the previous version, requests of the two alternate at half the rate each; the ratio of
    each block's medians, 95th percentiles and capacities (a burst at once) is bounded by the exact signed-rank test,
    each version being compared with itself to know this machine's noise. Memory is the process tree's; what grows must
    grow on in a second run of twice the length. Trainings are those that other checks run (one more where none did and
    a budget is declared); their costs on record are the registry's. Only with saturate = true, a declared peak_rate is
    tried, and the rate raised until the server falls behind, answers fail or come later than p95_ms.

Passes when
    no bound shows more than tolerance of loss against the previous version, no more requests are slower than p50_ms and
    p95_ms than these names allow, fail, or hold memory above memory_mb; no counter is above its limit in counters, or
    else tolerance above the previous version's (an answer: and a packet); a training keeps to train_seconds, train_mb
    and, where both versions' costs are on record, to train_tolerance more; half of all blocks at peak_rate hold. What
    became worse by degrees over the runs on record is a warning. A limit that is missed while the load generator was
    late, or other processes left no core free (under 10 % idle, a quarter theirs), stays undecided.

If it fails
    Counters: a query for each row, a lost cache, an answer with more in it. Median: every request does more work;
    profile one. 95th percentile alone: some wait, for locks, pauses, new connections or slow rows. Capacity alone:
    requests wait for one another. Memory: look for lists and caches without a limit. Training: see what it is given.

Options
    p50_ms, p95_ms, memory_mb, train_seconds, train_mb, counters (limits by name; "allocated bytes": of a second
    server, traced): none, only the team knows them. rate: requests a second; 0 is half of what the previous version can
    do, at most 400. max_errors: 1 %. tolerance: 10 %. train_tolerance: 100 %, as it was measured once, on machines that
    differ. pairs: 14, the least that alpha allows. looks: 3; pairs that decide nothing are followed by half as many,
    and again. alpha: 0.0002 for each bound that shows harm. block_seconds: 0.2; one look fits 12 s. rows: 50, sent
    again and again, so that caches of answers fill at once. climb_seconds: 20 for the server's limit, to two steps of
    10 %; 0: not looked for. trend_runs: 40, a creep of months. Sources of the numbers: our simulations.

Source
    Breck et al. 2017, Monitor 6. Open loop: Tene, "How not to measure latency". Blocks: Bulej 2020. Slopes: Sen 1968.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mltestscore import Finding, Series, Table, check, fault
from mltestscore.history import History
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.endpoint import Endpoint
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.trainer import Trainer
from mltestscore.performance.allocations import allocation_site
from mltestscore.performance.counters import COUNTED, judge_counters
from mltestscore.performance.faults import answer_bytes, dearer, held_bytes, noticed_delay, peak_rate
from mltestscore.performance.leaks import KEPT, judge_memory
from mltestscore.performance.peak import PEAK, judge_peak
from mltestscore.performance.timings import Timing
from mltestscore.performance.training import GREW, judge_training, measured
from mltestscore.performance.trend import figures_of, judge_trend
from mltestscore.serving.blocks import details, measure
from mltestscore.serving.saturation import Budget
from mltestscore.stats.seeds import seed_of

PROOF = {"pairs": 6, "looks": 1, "block_seconds": 0.06, "alpha": 0.016, "climb_seconds": 0.0, "trend_runs": 0}


@check("monitor.6", proof_options=PROOF)
def check_performance(
    endpoint: Endpoint,
    serving: Dataset,
    trainer: Trainer | None = None,
    training: Dataset | None = None,
    registry: Registry | None = None,
    history: History | None = None,
    *,
    p50_ms: float | None = None,
    p95_ms: float | None = None,
    memory_mb: float | None = None,
    counters: dict[str, float] | None = None,
    train_seconds: float | None = None,
    train_mb: float | None = None,
    train_tolerance: float = 1.0,
    rate: float = 0.0,
    max_errors: float = 0.01,
    tolerance: float = 0.1,
    pairs: int = 14,
    looks: int = 3,
    block_seconds: float = 0.2,
    climb_seconds: float = 20.0,
    rows: int = 50,
    trend_runs: int = 40,
    alpha: float = 0.0002,
) -> Iterator[Finding | Table | Series]:
    """Latency, capacity, errors and memory of the served model under open-loop load; time and memory of a training."""
    limits = {share: limit for share, limit in ((50, p50_ms), (95, p95_ms)) if limit is not None}
    timing = Timing(limits, max_errors, tolerance, pairs, looks, alpha)
    previous, frame = endpoint.previous, serving.sample(rows).frame(columns=serving.features)
    seed = seed_of("monitor.6", serving.digest)
    yield from judge_counters(endpoint, previous, frame, counters or {}, tolerance, alpha)
    yield from judge_training(trainer, training, registry, train_seconds, train_mb, train_tolerance)
    loaded = partial(measure, pairs=timing.due[-1], seconds=block_seconds, rate=rate, seed=seed, enough=timing.enough)
    alone, arrivals = bool(limits or rate), endpoint.loading.arrivals
    current, before, used = loaded(endpoint, previous, frame, alone=alone, arrivals=arrivals)
    yield from timing.judge(current, before, used, declared=bool(rate))
    yield from judge_memory(current, before, frame, memory_mb, alpha, partial(allocation_site, endpoint, frame))
    peak = Budget(tolerance, p95_ms, max_errors)
    yield from judge_peak(endpoint, frame, peak, start=used, seconds=climb_seconds, alpha=alpha, seed=seed)
    figures = figures_of(current, measured(trainer, training))
    yield from judge_trend(history, figures, rate, tolerance, trend_runs)
    arms = {f"current {endpoint.version}".strip(): current}
    yield from details({**arms, f"previous {previous.version}".strip(): before} if previous and before else arms)


@fault(check_performance, "every answer takes five times as long")
def slow_answers(endpoint: Endpoint, serving: Dataset) -> dict[str, Endpoint]:
    """More work for every request."""
    return {"endpoint": endpoint.slowed(noticed_delay(endpoint, serving))}


@fault(check_performance, "the server pauses at every tenth request")
def pauses(endpoint: Endpoint, serving: Dataset) -> dict[str, Endpoint]:
    """A pause stops all requests that are due meanwhile; only an open loop sees those."""
    return {"endpoint": endpoint.slowed(1.5 * noticed_delay(endpoint, serving), every=10)}


@fault(check_performance, "every answer is ten times as long and 100 kilobytes more", caught_by=COUNTED)
def long_answers(endpoint: Endpoint, serving: Dataset) -> dict[str, Endpoint]:
    """Debugging output that nobody took out; on a fast network no time shows it."""
    return {"endpoint": endpoint.padded(100_000 + 9 * answer_bytes(endpoint, serving))}


@fault(check_performance, "the server keeps megabytes of every request", caught_by=KEPT)
def leak(endpoint: Endpoint) -> dict[str, Endpoint]:
    """A list without a limit."""
    return {"endpoint": endpoint.leaking(max(2_000_000, held_bytes(endpoint) // 100))}


@fault(check_performance, "requests wait for one another at half of the peak rate", caught_by=PEAK)
def bottleneck(endpoint: Endpoint) -> dict[str, Endpoint]:
    """A lock round the model: fast alone, behind under load."""
    return {"endpoint": endpoint.limited(peak_rate(endpoint) / 2)}


@fault(check_performance, "the training took ten times what the previous version's took", caught_by=GREW)
def dear_training(registry: Registry) -> dict[str, Registry]:
    """A join that repeats its rows, say; the lineage has the figure."""
    return {"registry": dearer(registry, 10.0)}
