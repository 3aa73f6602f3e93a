"""HTTP/1.1 under load: connections of the standard library's client, which costs an eighth of httpx's CPU a request."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from mltestscore.serving.answers import Reply
from mltestscore.serving.transports.base import Connection, Target

MAX_ANSWER = 1 << 20


def connector(target: Target) -> Callable[[], Connection]:
    """Return what opens connections to a target."""
    trust = ssl.create_default_context() if urlsplit(target.url).scheme == "https" else None
    return lambda: Kept(target, trust)


class Kept:
    """One connection; of an answer's headers it keeps only what the answer is read with."""

    def __init__(self, target: Target, trust: ssl.SSLContext | None) -> None:
        parts, timeout = urlsplit(target.url), target.timeout
        host, port = parts.hostname or "", parts.port
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=timeout, context=trust)
            if trust
            else http.client.HTTPConnection(host, port, timeout=timeout)
        )
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._target = target

    def exchange(self, content: bytes) -> Reply:
        """Send a request and return its answer."""
        self._connection.request(self._target.method, self._path, content, self._target.headers)
        answer = self._connection.getresponse()
        body = answer.read(MAX_ANSWER)
        if not answer.isclosed() and answer.read(1):
            raise http.client.HTTPException(f"an answer above {MAX_ANSWER} bytes")
        return Reply(answer.status, body, {name: answer.getheader(name, "") for name in self._target.keep})

    def close(self) -> None:
        """Close it; a thread that waits for an answer wakes."""
        with suppress(OSError, AttributeError):
            self._connection.sock.shutdown(2)  # close alone would not wake a thread that reads
        self._connection.close()
