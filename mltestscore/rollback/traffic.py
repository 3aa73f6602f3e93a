"""Requests on a fixed schedule while versions swap: each one's time, its answer or why there was none."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mltestscore.errors import InputError
from mltestscore.serving.client import Client
from mltestscore.serving.protocols import Columns
from mltestscore.serving.transports.base import TimedOutError

CONNECTIONS = 32
SHOWN = 300


@dataclass(frozen=True)
class Request:
    """One request of one row.

    Attributes:
        at: when it was due, in seconds since the traffic began.
        seconds: from then to the answer's end.
        row: which row was sent.
        scores: the answer, shape () or (classes,); ``None`` where there was none that can be used.
        version: the version that the answer names, or empty.
        error: why there was no usable answer.
        late: whether that is because none came in time.
    """

    at: float
    seconds: float
    row: int
    scores: np.ndarray | None
    version: str = ""
    error: str = ""
    late: bool = False

    @property
    def ended(self) -> float:
        """When the answer was there, in seconds since the traffic began."""
        return self.at + self.seconds


class Traffic:
    """Sends the rows in turn, ``rate`` a second, from :meth:`start` to :meth:`stop` (open loop).

    At most :data:`CONNECTIONS` requests wait at once; others leave late, and that counts into their time.
    """

    def __init__(self, client: Client, rows: Sequence[Columns], numbers: Sequence[int], rate: float) -> None:
        self._client, self._rows, self._numbers, self._rate = client, rows, numbers, rate
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="drill")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="drill-schedule")
        self._done: list[Request] = []
        self._origin = 0.0

    def start(self) -> None:
        """Begin to send."""
        self._origin = time.monotonic()
        self._thread.start()

    def now(self) -> float:
        """Return the seconds since the traffic began."""
        return time.monotonic() - self._origin

    def since(self, at: float) -> list[Request]:
        """Return the requests due from ``at`` on that have ended, in the order of their schedule."""
        return sorted((one for one in self._done.copy() if one.at >= at), key=lambda one: one.at)

    def stop(self) -> list[Request]:
        """Send no more, wait for the answers that are due, and return all requests in the order of their schedule."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        return self.since(0.0)

    def _run(self) -> None:
        number = 0
        while not self._over.wait(max(0.0, number / self._rate - self.now())):
            self._pool.submit(self._send, number / self._rate, number % len(self._rows))
            number += 1

    def _send(self, due: float, place: int) -> None:
        row = self._numbers[place]
        try:
            answer = self._client.predict(self._rows[place])
            found = Request(due, self.now() - due, row, answer.scores[0], answer.version)
        except InputError as error:
            late = isinstance(error, TimedOutError)
            found = Request(due, self.now() - due, row, None, error=str(error)[:SHOWN], late=late)
        except Exception as error:  # a thread's error would be lost, and with it a request
            found = Request(due, self.now() - due, row, None, error=f"{type(error).__name__}: {error}"[:SHOWN])
        self._done.append(found)
