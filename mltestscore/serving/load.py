"""Open-loop load: the schedule fixed beforehand, and the record of latencies from the intended start.

A closed loop stops sending while the server stalls and so never sees the stall (coordinated omission).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mltestscore.errors import InputError

Arrivals = Literal["poisson", "fixed"]
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)
MAX_LAG_MS = 5.0
MAX_LAG_SHARE = 0.2
MAX_CPU = 0.8


@dataclass(frozen=True)
class Load:
    """What a served model did under load; every scheduled request counts, also the failed ones.

    Attributes:
        latencies_ms: shape (n,), from the intended start to the last byte, in schedule order.
        service_ms: shape (n,), from the actual sending: what a closed loop would have seen.
        intended_s: shape (n,), the schedule, from its first instant.
        errors: what went wrong → how often.
        offered: requests a second on the schedule.
        lag_ms_p99: how late the generator itself was, 99th percentile.
        cpu: share of one core that our process used; of several processes, the busiest.
        versions: model versions that the answers named.
        generator_limited: why the numbers say more about the generator than about the server; empty if they do not.
        origin_s: when the schedule began, on the clock of :func:`time.perf_counter`.
        connections: how many were used at once.
        processes: how many sent.
        crowded: why slow answers may be the doing of other processes on this machine; empty if they are not.
    """

    latencies_ms: np.ndarray
    service_ms: np.ndarray
    intended_s: np.ndarray
    errors: dict[str, int]
    offered: float
    lag_ms_p99: float
    cpu: float
    versions: tuple[str, ...]
    generator_limited: str
    origin_s: float = 0.0
    connections: int = 0
    processes: int = 1
    crowded: str = ""

    @property
    def requests(self) -> int:
        """How many requests were scheduled."""
        return len(self.latencies_ms)

    @property
    def failed(self) -> int:
        """How many requests got no usable answer."""
        return sum(self.errors.values())

    @property
    def kept_up(self) -> float:
        """Requests a second at which answers came, usable or not: below ``offered`` for a server that falls behind."""
        intended, finished = float(np.ptp(self.intended_s)), float(np.ptp(self._finished_s))
        return self.offered * min(1.0, intended / finished) if finished else self.offered

    @property
    def achieved(self) -> float:
        """Usable answers a second while the load lasted."""
        return self.kept_up * (1 - self.failed / self.requests)

    @property
    def throughput(self) -> float:
        """Usable answers a second, from the first intended start to the last answer; for a burst, the capacity."""
        return (self.requests - self.failed) / float(self._finished_s.max() - self.intended_s[0])

    @property
    def _finished_s(self) -> np.ndarray:
        return self.intended_s + self.latencies_ms / 1000

    def percentiles(self, *, corrected: bool = True) -> dict[float, float]:
        """Return percentile → milliseconds by HdrHistogram (3 significant digits).

        ``corrected``: from the intended start; else from the sending, which leaves out the wait behind a stall.
        """
        return percentiles(self.latencies_ms if corrected else self.service_ms)


def percentiles(milliseconds: np.ndarray) -> dict[float, float]:
    """Return percentile → milliseconds of latencies by HdrHistogram: 1 µs to 1 h, 3 significant digits."""
    from hdrh.histogram import HdrHistogram  # 40 ms, paid by whoever needs percentiles

    histogram = HdrHistogram(1, 3_600_000_000, 3)
    for value in milliseconds:
        histogram.record_value(max(1, round(value * 1000)))
    return {share: histogram.get_value_at_percentile(share) / 1000 for share in PERCENTILES}


def schedule(rate: float, seconds: float, seed: int, arrivals: Arrivals = "poisson") -> np.ndarray:
    """Return the intended starts in seconds, ascending, shape (round(rate × seconds),), at least one.

    ``poisson``: a Poisson process given its count, as independent users arrive; ``fixed``: evenly spaced.

    Raises :class:`InputError` for a rate or a duration that is not positive.
    """
    if not (rate > 0 and seconds > 0 and math.isfinite(rate * seconds)):
        raise InputError(f"load: rate and seconds must be above 0, not {rate} per second for {seconds} s.")
    count = max(1, round(rate * seconds))
    if arrivals == "fixed":
        return np.arange(count) / rate
    return np.sort(np.random.default_rng(seed).uniform(0.0, seconds, count))


def alternating(rate: float, seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two schedules of ``rate / 2`` a second each: one request of each in every slot, in random order.

    The order within a slot and its first instant are random, the second request follows a quarter of a slot later;
    so no version meets the other's requests, or a regular event of the machine, more often than the other does.

    Raises :class:`InputError` as :func:`schedule` does.
    """
    slots = schedule(rate / 2, seconds, seed, "fixed")
    rng, slot = np.random.default_rng(seed), 2 / rate
    begin = slots + rng.uniform(0, 0.75 * slot, len(slots))
    wait = rng.integers(2, size=len(slots)) * slot / 4
    return begin + wait, begin + slot / 4 - wait


def generator_limit(lag_ms: float, cpu: float, median_ms: float) -> str:
    """Return why a generator that was ``lag_ms`` late and used ``cpu`` of a core measured itself, or empty."""
    allowed = max(MAX_LAG_MS, MAX_LAG_SHARE * median_ms)
    if lag_ms > allowed:
        return f"requests left up to {lag_ms:.1f} ms late (99th percentile; {allowed:.1f} ms allowed)"
    if cpu > MAX_CPU:
        return f"the generator used {cpu:.0%} of one core ({MAX_CPU:.0%} allowed)"
    return ""
