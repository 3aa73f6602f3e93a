"""What every transport offers: one answer to one request, and connections that are kept for a load."""

from __future__ import annotations

import http.client
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply

MAX_ANSWER = 64 * 1024 * 1024

STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)
"""What a kept connection raises that the server closed meanwhile: worth a new one."""


class NotReadyError(InputError):
    """No answer, or one that says later: worth asking again while a server starts."""


class TimedOutError(NotReadyError):
    """No answer in time: the server hangs, or is too slow."""


@dataclass(frozen=True)
class Target:
    """Where a load goes, and how: the call or command that takes rows."""

    url: str
    headers: dict[str, str]
    timeout: float
    keep: tuple[str, ...] = ()
    """Of an answer's headers, only what it is read with."""
    method: str = "POST"


class Connection(Protocol):
    """One connection to the route that takes rows, for one request at a time."""

    def exchange(self, content: bytes) -> Reply:
        """Send a request and return its answer; raises what :class:`Pool` tells apart."""

    def close(self) -> None:
        """Close it; a thread that waits for an answer wakes."""


class Transport(Protocol):
    """How single requests reach one server.

    Attributes:
        url: the server's, credentials included.
        status: what it calls the status of an answer.
        success: how that is when all is well.
    """

    url: str
    status: str
    success: str

    def at(self, path: str) -> str:
        """Return what a route is called in messages; credentials included."""

    def request(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Return the answer; raises :class:`NotReadyError` where there is none in time."""

    def close(self) -> None:
        """Close what is open."""


class Pool:
    """Connections to one place; one that is free again is used before a new one is opened."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._free: deque[Connection] = deque()
        self._open: set[Connection] = set()

    def exchange(self, content: bytes) -> Reply:
        """Send and return the answer; a kept connection gone stale is opened once more.

        Raises :class:`TimeoutError`, :class:`OSError`, :class:`http.client.HTTPException` or :class:`ValueError`.
        """
        while True:
            connection, kept = self._taken()
            try:
                reply = connection.exchange(content)
            except STALE:
                self._drop(connection)
                if not kept:
                    raise
            except BaseException:
                self._drop(connection)
                raise
            else:
                self._free.append(connection)
                return reply

    def _taken(self) -> tuple[Connection, bool]:
        with suppress(IndexError):
            return self._free.pop(), True
        connection = self._connect()
        self._open.add(connection)
        return connection, False

    def _drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        self._free.clear()
        while self._open:
            self._open.pop().close()
