"""The generator of open-loop load: how many connections and processes a schedule needs, and what came of it.

Requests that wait for a free connection wait for their client, not for the server, so their number follows from the
load: by Little's law rate × latency are under way at once. A pause of the server makes it more, and then connections
are added while the schedule runs. One process sends until it would use up its core; then several do.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply
from mltestscore.serving.client import Client
from mltestscore.serving.load import MAX_CPU, Load, generator_limit
from mltestscore.serving.sending import Connections, Sender, Sent
from mltestscore.serving.stalls import Hold
from mltestscore.serving.transports.base import Target
from mltestscore.serving.workers import Workers

Decode = Callable[[Reply], str]
"""From an answer to the model version that it names; raises InputError for an unusable answer."""

LEAST_CONNECTIONS = 32
MOST_CONNECTIONS = 1024
HEADROOM = 1.5
AIM_CPU = 0.6
"""The share of a core that each process is meant to use at most; at :data:`MAX_CPU` it measures itself."""
ENOUGH_TO_LEARN = 200
"""Requests of a schedule from which the CPU time of one can be told."""


@dataclass
class Learned:
    """What sending was seen to cost on this machine.

    Attributes:
        cost: CPU seconds a request, the least seen; 0 while none was seen.
        too_many: requests a second of one process that used up its core, the least seen.
    """

    cost: float = 0.0
    too_many: float = math.inf


LEARNED = Learned()
"""One for all targets: two versions beside each other must always be measured by as many processes."""


class LoadGenerator:
    """Sends load to one URL over kept connections; close it when done.

    Args:
        connections: how many at once, as the clients have; 0: what the rate and the latencies seen need, from 32 to
            1,024. Requests due at the same instant (a burst) have 32: they are a closed loop.
        processes: how many send; 0: as many as need at most 60 % of a core each, one for each core at most.

    Requests that find all connections waiting leave late; that delay is the server's and counts into their latency.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: dict[str, str],
        timeout: float,
        decode: Decode,
        keep: Sequence[str] = (),
        method: str = "POST",
        connections: int = 0,
        processes: int = 0,
    ) -> None:
        self._target = Target(url, headers, timeout, tuple(keep), method)
        self._decode, self._fixed, self._asked_processes = decode, connections, processes
        self._sender = Sender(self._target)
        self._workers: Workers | None = None
        self._wait = 0.0  # seconds that nearly every answer took at most, in the last schedule

    def run(self, bodies: Sequence[bytes], intended: np.ndarray, *, stall: Hold | None = None) -> Load:
        """Send ``bodies`` in turn at the ``intended`` seconds and wait for the answers, each for at most the time-out.

        Ends at the latest one time-out after the last intended start, if it takes one process. Raises
        :class:`InputError` for no bodies, or when a sending process ends by itself.
        """
        if not bodies:
            raise InputError("load: there is no row to send.")
        span = float(np.ptp(intended))
        rate = (len(intended) - 1) / span if span else 0.0
        connections, processes = self.connections(rate), self.processes(rate)
        if processes > 1:
            sent, origin = self._team(processes).send(bodies, intended, connections, stall)
        else:
            sent, origin = self._sender.send(bodies, intended, connections, stall=stall)
        load = self._load(sent, origin, intended, rate, processes)
        self._learn(load, sent)
        return load

    def connections(self, rate: float) -> Connections:
        """Return how many connections so many requests a second begin with, and may come to have.

        >>> generator = LoadGenerator("http://127.0.0.1:1", headers={}, timeout=1.0, decode=lambda *_: "")
        >>> generator.connections(2000)
        Connections(first=32, most=1024)
        >>> generator.connections(100), generator.connections(0)
        (Connections(first=32, most=100), Connections(first=32, most=32))
        """
        if self._fixed:
            return Connections(self._fixed, self._fixed)
        if not rate:
            return Connections(LEAST_CONNECTIONS, LEAST_CONNECTIONS)
        most = min(most_connections(), max(LEAST_CONNECTIONS, math.ceil(rate * self._target.timeout)))
        needed = math.ceil(HEADROOM * rate * self._wait)
        return Connections(min(most, max(LEAST_CONNECTIONS, needed)), most)

    def processes(self, rate: float) -> int:
        """Return how many processes so many requests a second need; one for a burst, and while none has been measured.

        >>> LoadGenerator("http://127.0.0.1:1", headers={}, timeout=1.0, decode=lambda *_: "").processes(5)
        1
        """
        if self._asked_processes or not rate:
            return self._asked_processes or 1
        needed = max(rate * LEARNED.cost / AIM_CPU, rate * MAX_CPU / (LEARNED.too_many * AIM_CPU))
        return max(1, min(cores(), math.ceil(needed)))

    def _team(self, count: int) -> Workers:
        if self._workers is None or len(self._workers) < count:  # more do no harm, and keep their connections
            self._dismiss()
            self._workers = Workers(self._target, count)
        return self._workers

    def _learn(self, load: Load, sent: Sent) -> None:
        """Take over what the schedule showed: how long answers take, and what sending one costs."""
        if not load.offered:
            return
        answered = load.service_ms[~np.isnan(sent.finished)]
        self._wait = float(np.quantile(answered, 0.99)) / 1000 if len(answered) else self._wait
        if load.requests >= ENOUGH_TO_LEARN:
            LEARNED.cost = min(LEARNED.cost or math.inf, sent.seconds / load.requests)
        if load.cpu > MAX_CPU:
            LEARNED.too_many = min(LEARNED.too_many, load.offered / load.processes)

    def _load(self, sent: Sent, origin: float, intended: np.ndarray, rate: float, processes: int) -> Load:
        errors, versions = self._told(sent.answers)
        deadline = origin + float(intended[-1]) + self._target.timeout
        finished = np.where(np.isnan(sent.finished), deadline, sent.finished)
        latencies = (finished - origin - intended) * 1000
        service = (finished - np.where(np.isnan(sent.sent), deadline, sent.sent)) * 1000
        lag = float(np.quantile(sent.lag, 0.99)) * 1000
        return Load(
            latencies,
            service,
            intended,
            dict(errors),
            rate,
            lag,
            sent.cpu,
            tuple(sorted(versions - {""})),
            generator_limit(lag, sent.cpu, float(np.median(latencies))),
            origin,
            sent.connections,
            processes,
        )

    def _told(self, answers: Sequence[Reply | str]) -> tuple[Counter[str], set[str]]:
        """Return what went wrong, how often, and the versions that answers named."""
        errors, versions = Counter[str](), set[str]()
        for answer in answers:
            if isinstance(answer, str):
                errors[answer] += 1
                continue
            try:
                versions.add(self._decode(answer))
            except InputError as error:
                errors[str(error)] += 1
        return errors, versions

    def _dismiss(self) -> None:
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def close(self) -> None:
        """Close all connections, also those that wait for an answer, and stop every process."""
        self._dismiss()
        self._sender.close()


def generator_for(client: Client, connections: int = 0, processes: int = 0) -> LoadGenerator:
    """Return the generator that sends rows as a client does."""
    return LoadGenerator(
        client.predict_url,
        headers=client.headers,
        timeout=client.timeout,
        decode=lambda reply: client.decode(reply, 1).version,
        keep=client.protocol.kept_headers,
        method=client.protocol.route(client.protocol.declared.predict)[0],
        connections=connections,
        processes=processes,
    )


def cores() -> int:
    """Return how many cores we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_connections() -> int:
    """Return how many connections we may have: a quarter of the files that a process may open, at most 1,024.

    Two versions are loaded at once, and their connections are not all that is open.
    """
    with suppress(ImportError):
        import resource  # not on every system

        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if limit != resource.RLIM_INFINITY:
            return max(LEAST_CONNECTIONS, min(MOST_CONNECTIONS, limit // 4))
    return MOST_CONNECTIONS
