"""Versions of a served model measured on one machine at the same time: blocks in which their requests alternate.

Whatever else the machine does hits two versions alike when each request of one lies next to a request of the other.
Source: Bulej et al. 2020 (duet); Laaber et al. 2019 (randomised interleaving in clouds).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from mltestscore.details import Cell, Series, Table
from mltestscore.serving.load import PERCENTILES, Arrivals, Load, alternating, percentiles, schedule

BURST_SHARE = 0.6
BURSTS = (8, 64)
WARM_SHARE = 1.5
LEAST_REQUESTS = 16
LEAST_CAPACITY = 1e-3
"""Requests a second of a server that answers nothing: a ratio to it must exist."""
SHARE_OF_CAPACITY = 0.5
MOST_RATE = 400.0
HOW_SENT = ("connections", "sent late (ms, p99)", "core used")


class Served(Protocol):
    """What is measured: an endpoint (:class:`mltestscore.inputs.endpoint.Endpoint`) or a view of one."""

    def send(self, frame: pd.DataFrame, intended: np.ndarray) -> Load:
        """Send rows at the intended seconds."""

    def memory(self) -> int | None:
        """Resident bytes."""


@dataclass
class Arm:
    """One version's blocks in the order of measurement.

    Attributes:
        alone: one a block, with the whole rate for this version; empty unless asked for.
        loads: one a block, with half of the rate for each version at the same time; empty without a second version.
        bursts: one a block, requests sent at once.
        memory: resident bytes before the first block and after each; empty where the process is not ours.
        asked: how many requests had been sent by then.
    """

    served: Served
    alone: list[Load] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    bursts: list[Load] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def note_memory(self) -> None:
        """Record the memory after the requests so far."""
        resident = self.served.memory()
        if resident is not None:
            self.memory.append(resident)
            self.asked.append(self.requests)

    def percentile(self, share: float) -> list[float]:
        """Return the percentile of the latency in each block beside the other version, in milliseconds."""
        return [float(np.percentile(load.latencies_ms, share)) for load in self.loads]

    def halves(self, share: float) -> list[tuple[float, float]]:
        """Return in each such block the percentile of every other request and of the rest: this version with itself."""
        latencies = [load.latencies_ms for load in self.loads]
        return [(float(np.percentile(x[::2], share)), float(np.percentile(x[1::2], share))) for x in latencies]

    @property
    def capacities(self) -> list[float]:
        """Usable answers a second in each burst, above 0 so that ratios exist."""
        return [max(LEAST_CAPACITY, burst.throughput) for burst in self.bursts]

    @property
    def paced(self) -> list[Load]:
        """The blocks on a schedule that tell most of this version: alone, where that was measured."""
        return self.alone or self.loads

    @property
    def requests(self) -> int:
        """Requests in all blocks and bursts."""
        return sum(load.requests for load in (*self.alone, *self.loads, *self.bursts))

    @property
    def errors(self) -> Counter[str]:
        """What went wrong in all blocks and bursts, and how often."""
        return sum((Counter(load.errors) for load in (*self.alone, *self.loads, *self.bursts)), Counter())

    @property
    def latencies_ms(self) -> np.ndarray:
        """All latencies of :attr:`paced`, shape (requests,)."""
        return np.concatenate([load.latencies_ms for load in self.paced])


def measure(
    current: Served,
    previous: Served | None,
    frame: pd.DataFrame,
    *,
    pairs: int,
    seconds: float,
    rate: float,
    seed: int,
    alone: bool = False,
    arrivals: Arrivals = "poisson",
    enough: Callable[[Arm, Arm | None], bool] = lambda *_: False,
) -> tuple[Arm, Arm | None, float]:
    """Measure at most ``pairs`` blocks, until ``enough`` says so; return the arms and the rate.

    Each block sends a burst to each version, then ``rate × seconds`` requests to each at the same time, so that the
    machine carries ``rate`` in all. ``alone``, or no previous version: first a block for the current version alone at
    the whole rate; where there are two versions, half as long and before every other block. A ``rate`` of 0 is replaced
    by half of what the previous version (else the current one) can do, at most 400 a second. A block has at least 16
    requests.
    """
    arms = [Arm(served) for served in (current, previous) if served is not None]
    other = arms[1] if previous is not None else None
    capacity = [_warm(arm.served, frame, WARM_SHARE * seconds) for arm in arms][-1]
    declared, rate = rate, rate or min(MOST_RATE, SHARE_OF_CAPACITY * capacity)
    seconds = max(seconds, LEAST_REQUESTS / rate)
    for arm in arms if declared else ():  # a block of the team's own rate shows what connections and processes it needs
        arm.served.send(frame, schedule(rate, seconds, seed, arrivals))
    burst = int(min(BURSTS[1], max(BURSTS[0], round(capacity * BURST_SHARE * seconds))))
    rng = np.random.default_rng(seed)
    for arm in arms:
        arm.note_memory()
    for block in range(pairs):
        if previous is None or (alone and block % 2 == 0):
            shorter = seconds if previous is None else max(seconds / 2, LEAST_REQUESTS / rate)
            arms[0].alone.append(current.send(frame, schedule(rate, shorter, int(rng.integers(2**63)), arrivals)))
        for number in rng.permutation(len(arms)):
            arms[number].bursts.append(arms[number].served.send(frame, np.zeros(burst)))
        if previous is not None:
            _together(arms, frame, alternating(rate, 2 * seconds, int(rng.integers(2**63))))
        for arm in arms:
            arm.note_memory()
        if enough(arms[0], other):
            break
    return arms[0], other, rate


def _together(arms: Sequence[Arm], frame: pd.DataFrame, schedules: Sequence[np.ndarray]) -> None:
    """Send to all versions at once, each on its schedule."""
    with ThreadPoolExecutor(len(arms)) as pool:
        sent = [pool.submit(arm.served.send, frame, intended) for arm, intended in zip(arms, schedules, strict=True)]
        for arm, load in zip(arms, sent, strict=True):
            arm.loads.append(load.result())


def _warm(served: Served, frame: pd.DataFrame, seconds: float) -> float:
    """Send bursts until threads, connections and caches of these rows are warm; return the best capacity.

    A server that answers nothing usable counts as fast: its first block shows that at once.
    """
    end, size, capacity = time.monotonic() + seconds, BURSTS[0], 0.0
    while time.monotonic() < end:
        capacity = max(capacity, served.send(frame, np.zeros(size)).throughput)
        size = min(BURSTS[1], 2 * size)
    return capacity or MOST_RATE / SHARE_OF_CAPACITY


def details(arms: dict[str, Arm]) -> Iterator[Table | Series]:
    """Show each version's percentiles, and the 95th block by block; of two versions, those measured side by side.

    From the intended start is what users wait; from the sending leaves out what requests waited for connections.
    """
    blocks_of = {name: arm.loads or arm.alone for name, arm in arms.items()}
    yield Table(
        "Latency in milliseconds, from the intended start (corrected) and from the sending (uncorrected)",
        ["version", "from", "requests", *(f"p{share:g}" for share in PERCENTILES), "capacity (1/s)", *HOW_SENT],
        [row for name, blocks in blocks_of.items() for row in _percentile_rows(name, arms[name], blocks)],
    )
    lines: dict[str, Sequence[float]] = {
        name: [float(np.percentile(load.latencies_ms, 95)) for load in blocks] for name, blocks in blocks_of.items()
    }
    count = min(map(len, lines.values()))
    yield Series("95th percentile by block", "block", range(1, 1 + count), lines, "milliseconds")


def _percentile_rows(name: str, arm: Arm, blocks: Sequence[Load]) -> Iterator[tuple[Cell, ...]]:
    capacity = round(float(np.median(arm.capacities)), 1)
    how = (
        max(load.connections for load in blocks),
        round(float(np.median([load.lag_ms_p99 for load in blocks])), 2),
        round(float(np.median([load.cpu for load in blocks])), 2),
    )
    timings = {"start": [load.latencies_ms for load in blocks], "sending": [load.service_ms for load in blocks]}
    for counted, values in timings.items():
        every = np.concatenate(values)
        yield (name, counted, len(every), *percentiles(every).values(), capacity, *how)
