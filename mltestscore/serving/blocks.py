"""Versions of a served model measured in turn on one machine: paired blocks in random order.

Whatever else the machine does hits two versions alike when their blocks lie next to each other. Source: Laaber et al.
2019 (cloud), Bulej et al. 2020 (duet).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from mltestscore.details import Series, Table
from mltestscore.serving.load import PERCENTILES, Arrivals, Load, percentiles

BURST_SHARE = 0.25
BURSTS = (8, 64)
WARM_SHARE = 1.5
LEAST_REQUESTS = 16
LEAST_CAPACITY = 1e-3
"""Requests a second of a server that answers nothing: a ratio to it must exist."""
SHARE_OF_CAPACITY = 0.5
MOST_RATE = 200.0


class Served(Protocol):
    """What is measured: an endpoint (:class:`mltestscore.inputs.endpoint.Endpoint`) or a view of one."""

    def load(self, frame: pd.DataFrame, *, rate: float, seconds: float, seed: int, arrivals: Arrivals = ...) -> Load:
        """Send rows on a schedule."""

    def burst(self, frame: pd.DataFrame, requests: int) -> Load:
        """Send requests at once."""

    def memory(self) -> int | None:
        """Resident bytes."""


@dataclass
class Arm:
    """One version's blocks in the order of measurement.

    Attributes:
        loads: one a block.
        bursts: the burst before each block, requests sent at once.
        memory: resident bytes before the first block and after each; empty where the process is not ours.
        asked: how many requests had been sent by then.
    """

    served: Served
    loads: list[Load] = field(default_factory=list)
    bursts: list[Load] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def note_memory(self, requests: int) -> None:
        """Record the memory after so many more requests."""
        resident = self.served.memory()
        if resident is not None:
            self.memory.append(resident)
            self.asked.append((self.asked[-1] if self.asked else 0) + requests)

    def block(self, frame: pd.DataFrame, burst: int, rate: float, seconds: float, seed: int) -> None:
        """Measure one block: a burst for the capacity, then load on a schedule for the latency."""
        self.bursts.append(self.served.burst(frame, burst))
        self.loads.append(self.served.load(frame, rate=rate, seconds=seconds, seed=seed))
        self.note_memory(burst + self.loads[-1].requests)

    def percentile(self, share: float) -> list[float]:
        """Return the percentile of the latency in each block, in milliseconds."""
        return [float(np.percentile(load.latencies_ms, share)) for load in self.loads]

    @property
    def capacities(self) -> list[float]:
        """Usable answers a second in each burst, above 0 so that ratios exist."""
        return [max(LEAST_CAPACITY, burst.throughput) for burst in self.bursts]

    @property
    def requests(self) -> int:
        """Requests in all blocks and bursts."""
        return sum(load.requests for load in (*self.loads, *self.bursts))

    @property
    def errors(self) -> Counter[str]:
        """What went wrong in all blocks and bursts, and how often."""
        return sum((Counter(load.errors) for load in (*self.loads, *self.bursts)), Counter())

    @property
    def latencies_ms(self) -> np.ndarray:
        """All latencies, shape (requests,)."""
        return np.concatenate([load.latencies_ms for load in self.loads])


def measure(
    current: Served,
    previous: Served | None,
    frame: pd.DataFrame,
    *,
    pairs: int,
    seconds: float,
    rate: float,
    seed: int,
    enough: Callable[[Arm], bool] = lambda _: False,
) -> tuple[Arm, Arm | None, float]:
    """Measure ``pairs`` blocks of each version in random order within each pair; return the arms and the rate.

    A ``rate`` of 0 is replaced by half of what the previous version (else the current one) can do, at most 200 a
    second. Both versions get the same rows on the same schedules, at least 16 requests a block. ``enough`` may end
    the measuring early.
    """
    arms = [Arm(served) for served in (current, previous) if served is not None]
    capacity = [_warm(arm.served, frame, WARM_SHARE * seconds) for arm in arms][-1]
    rate = rate or min(MOST_RATE, SHARE_OF_CAPACITY * capacity)
    seconds = max(seconds, LEAST_REQUESTS / rate)
    burst = int(min(BURSTS[1], max(BURSTS[0], round(capacity * BURST_SHARE * seconds))))
    rng = np.random.default_rng(seed)
    for arm in arms:
        arm.note_memory(0)
    for _ in range(pairs):
        schedule_seed = int(rng.integers(2**63))
        for number in rng.permutation(len(arms)):
            arms[number].block(frame, burst, rate, seconds, schedule_seed)
        if enough(arms[0]):
            break
    return arms[0], arms[1] if previous is not None else None, rate


def _warm(served: Served, frame: pd.DataFrame, seconds: float) -> float:
    """Send bursts until threads, connections and caches of these rows are warm; return the best capacity.

    A server that answers nothing usable counts as fast: its first block shows that at once.
    """
    end, size, capacity = time.monotonic() + seconds, BURSTS[0], 0.0
    while time.monotonic() < end:
        capacity = max(capacity, served.burst(frame, size).throughput)
        size = min(BURSTS[1], 2 * size)
    return capacity or MOST_RATE / SHARE_OF_CAPACITY


def details(arms: dict[str, Arm]) -> Iterator[Table | Series]:
    """Show each version's percentiles, and its 95th percentile block by block."""
    rows = [(name, percentiles(arm.latencies_ms), float(np.median(arm.capacities))) for name, arm in arms.items()]
    yield Table(
        "Latency from the intended start, in milliseconds",
        ["version", "requests", *(f"p{share:g}" for share in PERCENTILES), "capacity (1/s)"],
        [(name, len(arms[name].latencies_ms), *found.values(), round(most, 1)) for name, found, most in rows],
    )
    blocks = range(1, 1 + min(len(arm.loads) for arm in arms.values()))
    lines: dict[str, Sequence[float]] = {name: arm.percentile(95) for name, arm in arms.items()}
    yield Series("95th percentile by block", "block", blocks, lines, "milliseconds")
