"""Sending on a schedule: threads that take turns to wait for it, over kept connections.

Threads with the standard library's HTTP client cost about 0.11 ms of CPU a request, an eighth of httpx's asynchronous
client: one core sends some 8,000 requests a second, and a thread's sleep is exact to 0.1 ms, an event loop's to 1 ms.
"""

from __future__ import annotations

import gc
import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from mltestscore.serving.answers import Reply
from mltestscore.serving.stalls import Hold
from mltestscore.serving.transports.base import Pool, Target
from mltestscore.serving.transports.chosen import connector

UNSENT = "not sent in time: all connections waited for answers"


@dataclass(frozen=True)
class Connections:
    """How many connections are used at once: so many at first, and one more, up to ``most``, whenever all wait."""

    first: int
    most: int


@dataclass(frozen=True)
class Sent:
    """What came of a schedule: moments on the clock of :func:`time.perf_counter`, NaN for what never happened.

    Attributes:
        sent, finished: shape (n,).
        lag: shape (n,), seconds that the sender itself was late.
        answers: an answer each, or what went wrong.
        cpu: share of one core that this process used.
        seconds: CPU time of it.
        connections: how many were used at once.
    """

    sent: np.ndarray
    finished: np.ndarray
    lag: np.ndarray
    answers: list[Reply | str]
    cpu: float
    seconds: float
    connections: int


@dataclass
class _Run:
    """The shared state of one run's threads."""

    bodies: Sequence[bytes]
    intended: np.ndarray
    stall: Hold | None
    most: int
    threads: list[threading.Thread] = field(default_factory=list)
    sent: np.ndarray = field(init=False)
    finished: np.ndarray = field(init=False)
    lag: np.ndarray = field(init=False)
    answers: list[Reply | str] = field(init=False)
    origin: float = 0.0
    turn: threading.Lock = field(default_factory=threading.Lock)
    counting: threading.Lock = field(default_factory=threading.Lock)
    next: int = 0
    busy: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        count = len(self.intended)
        self.sent, self.finished = np.full(count, np.nan), np.full(count, np.nan)
        self.lag = np.zeros(count)
        self.answers = [UNSENT] * count


class Sender:
    """Sends requests to one target over kept connections; close it when done.

    A connection that is free again is used before a new one is opened, as a client with a pool does. Requests that find
    all of them waiting leave late; that delay is the server's and counts into their latency.
    """

    def __init__(self, target: Target) -> None:
        self._target, self._pool = target, Pool(connector(target))

    def send(
        self,
        bodies: Sequence[bytes],
        intended: np.ndarray,
        connections: Connections,
        *,
        stall: Hold | None = None,
        begin: Callable[[], float] = lambda: time.perf_counter() + 0.01,
    ) -> tuple[Sent, float]:
        """Send at the ``intended`` seconds after ``begin()``, asked when all is ready; return both.

        Ends at the latest one time-out after the last intended start.
        """
        run = _Run(bodies, intended, stall, connections.most)
        cpu = time.process_time()
        with _no_collection():
            self._send_all(run, connections.first, begin)
        cpu = time.process_time() - cpu
        share = cpu / max(1e-9, time.perf_counter() - run.origin)
        return Sent(run.sent, run.finished, run.lag, run.answers, share, cpu, len(run.threads)), run.origin

    def _send_all(self, run: _Run, first: int, begin: Callable[[], float]) -> None:
        with run.turn:  # the schedule begins when the first threads are there: hundreds take a while to start
            for _ in range(min(first, len(run.intended))):
                self._add_thread(run)
            run.origin = begin()
        deadline = run.origin + float(run.intended[-1]) + self._target.timeout
        _join(run, deadline + 0.2)
        run.over = True
        if any(thread.is_alive() for thread in run.threads):
            self.close()  # wakes whoever still reads an answer that drips
            _join(run, time.perf_counter() + 1.0)

    def _add_thread(self, run: _Run) -> None:
        thread = threading.Thread(target=self._work, args=(run,), daemon=True, name=f"load-{len(run.threads)}")
        try:
            thread.start()
        except RuntimeError:  # the system gives no more of them: those that there are must do
            run.most = len(run.threads)
            if not run.threads:
                raise
        else:
            run.threads.append(thread)

    def _work(self, run: _Run) -> None:
        while True:
            with run.turn:
                index = run.next
                if index >= len(run.intended) or run.over:
                    return
                run.next += 1
                crowded, due = run.busy >= run.most - 1, run.origin + float(run.intended[index])
                free = time.perf_counter()
                if run.busy + 1 >= len(run.threads) < run.most and run.next < len(run.intended):
                    self._add_thread(run)  # nobody else could take the next turn
                if (wait := due - time.perf_counter()) > 0:
                    time.sleep(wait)
                with run.counting:
                    run.busy += 1
            sent = time.perf_counter()
            run.sent[index], run.lag[index] = sent, sent - (max(due, free) if crowded else due)
            run.answers[index] = self._exchange(run.bodies[index % len(run.bodies)])
            if run.stall:
                run.stall.hold()
            run.finished[index] = time.perf_counter()
            with run.counting:
                run.busy -= 1

    def _exchange(self, body: bytes) -> Reply | str:
        """Return the answer, or what went wrong."""
        try:
            return self._pool.exchange(body)
        except TimeoutError:
            return f"no answer within {self._target.timeout:g} s"
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"no answer: {type(error).__name__}"

    def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        self._pool.close()


def _join(run: _Run, deadline: float) -> None:
    """Wait for the threads, also for those that others start meanwhile."""
    done = 0
    while done < len(run.threads):
        run.threads[done].join(max(0.0, deadline - time.perf_counter()))
        done += 1


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep garbage collection off: our own pauses, long in a big test process, would count as the server's."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
