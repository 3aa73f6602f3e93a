"""The generator of open-loop load: threads that take turns to wait for the schedule, over kept connections.

Threads with the standard library's HTTP client cost about 0.11 ms of CPU a request, an eighth of httpx's asynchronous
client: one core sends some 8,000 requests a second, and a thread's sleep is exact to 0.1 ms, an event loop's to 1 ms.
"""

from __future__ import annotations

import gc
import http.client
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply
from mltestscore.serving.load import Load, Stall, generator_limit

Decode = Callable[[Reply], str]
"""From an answer to the model version that it names; raises InputError for an unusable answer."""

CONNECTIONS = 32
MAX_ANSWER = 1 << 20
STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


@dataclass
class _Run:
    """The shared state of one run's threads."""

    bodies: Sequence[bytes]
    intended: np.ndarray
    stall: Stall | None
    connections: int
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
        self.answers = ["not sent in time: all connections waited for answers"] * count


class LoadGenerator:
    """Sends load to one URL over kept connections, at most ``connections`` at once; close it when done.

    A connection that is free again is used before a new one is opened. Requests that find all of them waiting leave
    late; that delay is the server's and counts into their latency.
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
        connections: int = CONNECTIONS,
    ) -> None:
        self._parts = urlsplit(url)
        self._path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
        self._headers, self._timeout, self._decode = headers, timeout, decode
        self._keep, self._method = tuple(keep), method  # of an answer's headers, only what it is read with
        self._most = connections
        self._free: deque[http.client.HTTPConnection] = deque()
        self._open: set[http.client.HTTPConnection] = set()

    def run(self, bodies: Sequence[bytes], intended: np.ndarray, *, stall: Stall | None = None) -> Load:
        """Send ``bodies`` in turn at the ``intended`` seconds and wait for the answers, each for at most the time-out.

        Ends at the latest one time-out after the last intended start.
        """
        if not bodies:
            raise InputError("load: there is no row to send.")
        run = _Run(bodies, intended, stall, self._most)
        cpu = time.process_time()
        with _no_collection():
            deadline = self._send_all(run)
        wall = time.perf_counter() - run.origin
        return _load(run, self._decode, deadline, (time.process_time() - cpu) / wall)

    def _send_all(self, run: _Run) -> float:
        """Send and wait for the answers; return the latest moment at which one could come."""
        threads = [
            threading.Thread(target=self._work, args=(run,), daemon=True, name=f"load-{number}")
            for number in range(min(self._most, len(run.intended)))
        ]
        with run.turn:  # the schedule begins when all threads are there: hundreds take a while to start
            for thread in threads:
                thread.start()
            run.origin = time.perf_counter() + 0.01
        deadline = run.origin + float(run.intended[-1]) + self._timeout
        for thread in threads:
            thread.join(max(0.0, deadline + 0.2 - time.perf_counter()))
        run.over = True
        if any(thread.is_alive() for thread in threads):
            self.close()  # wakes whoever still reads an answer that drips
            for thread in threads:
                thread.join(1.0)
        return deadline

    def _work(self, run: _Run) -> None:
        while True:
            with run.turn:
                index = run.next
                if index >= len(run.intended) or run.over:
                    return
                run.next += 1
                crowded, due = run.busy >= run.connections - 1, run.origin + float(run.intended[index])
                free = time.perf_counter()
                if free < due:
                    time.sleep(due - free)
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
        """Return the answer, or what went wrong; a kept connection gone stale is opened once more."""
        while True:
            connection, kept = self._connection()
            try:
                connection.request(self._method, self._path, body, self._headers)
                answer = connection.getresponse()
                content = answer.read(MAX_ANSWER)
                if not answer.isclosed() and answer.read(1):
                    raise http.client.HTTPException(f"an answer above {MAX_ANSWER} bytes")
                self._free.append(connection)
                return Reply(answer.status, content, {name: answer.getheader(name, "") for name in self._keep})
            except STALE as error:
                self._drop(connection)
                if not kept:
                    return f"no answer: {type(error).__name__}"
            except TimeoutError:
                self._drop(connection)
                return f"no answer within {self._timeout:g} s"
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._drop(connection)
                return f"no answer: {type(error).__name__}"

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        with suppress(IndexError):
            return self._free.pop(), True
        host, port = self._parts.hostname or "", self._parts.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=self._timeout, context=ssl.create_default_context())
            if self._parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=self._timeout)
        )
        self._open.add(connection)
        return connection, False

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        self._free.clear()
        while self._open:
            connection = self._open.pop()
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(2)  # close alone would not wake a thread that reads
            connection.close()


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


def _load(run: _Run, decode: Decode, deadline: float, cpu: float) -> Load:
    errors, versions = Counter[str](), set[str]()
    for answer in run.answers:
        if isinstance(answer, str):
            errors[answer] += 1
            continue
        try:
            versions.add(decode(answer))
        except InputError as error:
            errors[str(error)] += 1
    due = run.origin + run.intended
    finished = np.where(np.isnan(run.finished), deadline, run.finished)
    latencies = (finished - due) * 1000
    service = (finished - np.where(np.isnan(run.sent), deadline, run.sent)) * 1000
    span = float(np.ptp(run.intended))
    offered = (len(due) - 1) / span if span else 0.0
    lag = float(np.quantile(run.lag, 0.99)) * 1000
    limited = generator_limit(lag, cpu, float(np.median(latencies)))
    named = tuple(sorted(versions - {""}))
    return Load(latencies, service, run.intended, dict(errors), offered, lag, cpu, named, limited, run.origin)
