"""Calls of a function in a process of its own, over a socket: a length and JSON there, a status and JSON back."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from mltestscore.errors import InputError
from mltestscore.serving.answers import NOT_PARSED, Reply, parsed
from mltestscore.serving.transports.base import MAX_ANSWER, Connection, NotReadyError, Pool, Target, TimedOutError
from mltestscore.serving.urls import server_at

LENGTH, HEAD = struct.Struct(">I"), struct.Struct(">HI")


class Calls:
    """What is asked and what it is given, as a list of both in JSON."""

    def __init__(self, allow_nan: bool = False) -> None:
        self._allow_nan = allow_nan

    def pack(self, path: str, body: object) -> bytes:
        """Return the request."""
        return json.dumps([path, body], allow_nan=self._allow_nan).encode()

    def unpack(self, path: str, reply: Reply) -> Any:
        """Return what the answer holds."""
        return NOT_PARSED if reply.status != 200 else parsed(reply.content, "json")


class InProcess:
    """Calls what one process holds; every answer has ``timeout`` seconds."""

    status, success = "status", "200"

    def __init__(self, url: str, protocol: str, *, timeout: float, headers: Mapping[str, str]) -> None:
        self.url = f"python://{server_at(url, 'in_process', protocol).netloc}"
        self._timeout, self._pool = timeout, Pool(connector(Target(self.url, {}, timeout)))

    def at(self, path: str) -> str:
        """Return what a call is called in messages."""
        return f"{self.url} {path}"

    def request(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Return the answer; raises :class:`NotReadyError` where there is none in time."""
        where = f"endpoint: {self.at(path)}"
        try:
            return self._pool.exchange(content or b"")
        except TimeoutError as error:
            raise TimedOutError(
                f"{where}: no answer within {self._timeout:g} s. A call hangs or is too slow, and its process is ended "
                "and started anew; raise request_timeout if calls need longer."
            ) from error
        except OSError as error:
            raise NotReadyError(
                f"{where}: no answer ({type(error).__name__}: {error}). Did a call end the process?"
            ) from error
        except ValueError as error:
            raise InputError(f"{where}: {error}.") from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def connector(target: Target) -> Callable[[], Connection]:
    """Return what opens connections to a target, whose URL may be followed by a name."""
    parts = server_at(target.url.partition(" ")[0], "in_process", "in_process")
    return lambda: _Kept((parts.hostname or "", parts.port or 0), target.timeout)


class _Kept:
    """One connection, opened by its first exchange."""

    def __init__(self, place: tuple[str, int], timeout: float) -> None:
        self._place, self._timeout = place, timeout
        self._socket: socket.socket | None = None

    def exchange(self, content: bytes) -> Reply:
        """Send a request and return its answer."""
        deadline = time.monotonic() + self._timeout
        if self._socket is None:
            self._socket = socket.create_connection(self._place, timeout=self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(max(1e-3, deadline - time.monotonic()))
        self._socket.sendall(LENGTH.pack(len(content)) + content)
        held = self._read(bytearray(), HEAD.size, deadline)
        status, length = HEAD.unpack_from(held)
        if length > MAX_ANSWER:
            raise ValueError(f"expected a prediction, found {length} bytes")
        return Reply(status, bytes(self._read(held, HEAD.size + length, deadline)[HEAD.size :]))

    def _read(self, held: bytearray, count: int, deadline: float) -> bytearray:
        assert self._socket is not None  # opened by its only caller
        while len(held) < count:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(1 << 16)
            if not part:
                raise ConnectionResetError("the process closed the connection")
            held += part
        return held

    def close(self) -> None:
        """Close it; a thread that waits for an answer wakes."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
