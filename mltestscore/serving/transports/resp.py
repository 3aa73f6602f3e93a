"""RESP, the protocol of Redis: commands as lists of words, answers of bounded size in bounded time."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from mltestscore.errors import ConfigError, InputError
from mltestscore.serving.answers import NOT_PARSED, Reply, parsed
from mltestscore.serving.transports.base import MAX_ANSWER, Connection, NotReadyError, Pool, Target, TimedOutError
from mltestscore.serving.urls import ENCRYPTED, redact, server_at

PORT = 6379
MOST_PARTS, MOST_DEPTH = 1 << 20, 16

IN_HTTP = {
    "LOADING": 503,
    "BUSY": 503,
    "TRYAGAIN": 503,
    "CLUSTERDOWN": 503,
    "MASTERDOWN": 503,
    "NOAUTH": 401,
    "WRONGPASS": 401,
    "NOPERM": 403,
}
"""The first word of an error → the HTTP status that says the same; all others are 400."""


class Commands:
    """A command as a list of words; what it answers as texts, numbers and lists."""

    def pack(self, path: str, body: object) -> bytes:
        """Return a command with its words, lists within the list laid flat."""
        words = [_word(value) for value in [path, *_flat(body if body else [])]]
        return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)])

    def unpack(self, path: str, reply: Reply) -> Any:
        """Return what the answer holds."""
        return NOT_PARSED if reply.status != 200 else parsed(reply.content, "json")


def _flat(body: object) -> list[object]:
    if isinstance(body, Mapping):
        raise ConfigError("endpoint: the body of a command is a list of its words, not a table.")
    return [word for part in body for word in _flat(part)] if isinstance(body, list) else [body]


def _word(value: object) -> bytes:
    if value is None:
        raise InputError(
            "endpoint: a row has no value for a feature, and a command of Redis has no word for that. "
            "Send rows without gaps, or fill them as your application does."
        )
    return (str(int(value)) if isinstance(value, bool) else str(value)).encode()


def credentials(header: str) -> list[str]:
    """Return the words of ``AUTH``: the password, or user and password where the variable holds both with a space.

    >>> credentials("Bearer secret"), credentials("scorer secret")
    (['secret'], ['scorer', 'secret'])
    """
    return header.removeprefix("Bearer ").split(" ", 1) if header else []


class Resp:
    """Sends commands to one server over kept connections; every answer has ``timeout`` seconds."""

    status, success = "RESP answer", "without an error"

    def __init__(self, url: str, protocol: str, *, timeout: float, headers: Mapping[str, str]) -> None:
        parts = server_at(url, "resp", protocol)
        if (database := parts.path.strip("/")) and not database.isdecimal():
            raise InputError(f"endpoint: {redact(url)!r}: after the port comes the database's number, if anything.")
        self.url = f"{'rediss' if parts.scheme in ENCRYPTED else 'redis'}://{parts.netloc}{parts.path.rstrip('/')}"
        self._timeout, self._pool = timeout, Pool(connector(Target(self.url, dict(headers), timeout)))

    def at(self, path: str) -> str:
        """Return what a command is called in messages."""
        return f"{self.url} {path}"

    def request(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Return the answer; raises :class:`NotReadyError` where there is none in time."""
        where = f"endpoint: {redact(self.url)} {path}"
        try:
            return self._pool.exchange(content or b"")
        except TimeoutError as error:
            raise TimedOutError(
                f"{where}: no answer within {self._timeout:g} s. The server hangs or is too slow; "
                "see its log, or raise request_timeout."
            ) from error
        except OSError as error:  # a certificate that is not trusted is a ValueError too: first
            raise NotReadyError(
                f"{where}: no answer ({type(error).__name__}: {error}). Is the server running and the URL right?"
            ) from error
        except ValueError as error:
            raise InputError(f"{where}: {error}. Is it a Redis server?") from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def connector(target: Target) -> Callable[[], Connection]:
    """Return what opens connections to a target, whose URL may be followed by the command's name."""
    parts = urlsplit(target.url.partition(" ")[0])
    trust = ssl.create_default_context() if parts.scheme in ENCRYPTED else None
    own = [unquote(part) for part in (parts.username, parts.password) if part]
    words = own or credentials({key.lower(): value for key, value in target.headers.items()}.get("authorization", ""))
    greeting = [["AUTH", *words]] if words else []
    greeting += [["SELECT", parts.path.strip("/")]] if parts.path.strip("/") else []
    return lambda: _Kept((parts.hostname or "", parts.port or PORT), trust, greeting, target.timeout)


class _Kept:
    """One connection, opened by its first exchange and greeted once by ``AUTH`` and ``SELECT``."""

    def __init__(
        self, place: tuple[str, int], trust: ssl.SSLContext | None, greeting: list[list[str]], timeout: float
    ) -> None:
        self._place, self._trust, self._greeting, self._timeout = place, trust, greeting, timeout
        self._socket: socket.socket | None = None

    def exchange(self, content: bytes) -> Reply:
        """Send a command and return its answer, an error as its status."""
        deadline = time.monotonic() + self._timeout
        if self._socket is None:
            self._socket = self._opened()
            for words in self._greeting:
                if (said := self._asked(Commands().pack(words[0], words[1:]), deadline)).status != 200:
                    self._socket.close()
                    self._socket = None
                    return said
        return self._asked(content, deadline)

    def _opened(self) -> socket.socket:
        plain = socket.create_connection(self._place, timeout=self._timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._trust is None:
            return plain
        try:
            return self._trust.wrap_socket(plain, server_hostname=self._place[0])
        except OSError:
            plain.close()
            raise

    def _asked(self, content: bytes, deadline: float) -> Reply:
        assert self._socket is not None  # opened by its only caller
        self._socket.settimeout(self._timeout)
        self._socket.sendall(content)
        value = _Answer(self._socket, deadline).whole()
        if isinstance(value, dict):
            code, _, said = value["error"].partition(" ")
            return Reply(IN_HTTP.get(code, 400), said.encode(), code=code[:50])
        return Reply(200, json.dumps(value).encode(), code="OK")

    def close(self) -> None:
        """Close it; a thread that waits for an answer wakes."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


class _Answer:
    """Reads one answer; raises :class:`ValueError` for what is none, :class:`TimeoutError` when time is up."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket, self._deadline, self._held, self._read = sock, deadline, bytearray(), 0

    def whole(self) -> Any:
        """Return the answer, which must be the only one: the next would pass for that of another row."""
        value = self.value()
        if self._held:
            raise ValueError(f"expected one answer, found more: {_text(bytes(self._held[:100]))!r}")
        return value

    def value(self, depth: int = 0) -> Any:
        """Return the answer: a text, a number, ``None``, a list, an error as ``{"error": …}``."""
        line = self._until_line_end()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return _text(rest)
        if kind == b"-":
            return {"error": _text(rest)[:500] or "ERR"}
        if kind not in (b":", b"$", b"*") or not rest.removeprefix(b"-").isdigit():
            raise ValueError(f"expected an answer in RESP, found {_text(line)[:100]!r}")
        number = int(rest)
        if kind == b":":
            return number
        if number < 0:
            return None
        if kind == b"$":
            return _text(self._bytes(number + 2)[:-2])
        if number > MOST_PARTS or depth >= MOST_DEPTH:
            raise ValueError(f"expected a prediction, found a list of {number} parts, {depth} deep")
        return [self.value(depth + 1) for _ in range(number)]

    def _until_line_end(self) -> bytes:
        start = 0
        while (end := self._held.find(b"\r\n", start)) < 0:
            start = max(0, len(self._held) - 1)
            self._more()
        line = bytes(self._held[:end])
        del self._held[: end + 2]
        return line

    def _bytes(self, count: int) -> bytes:
        if count > MAX_ANSWER:
            raise ValueError(f"expected a prediction, found {count} bytes")
        while len(self._held) < count:
            self._more()
        part = bytes(self._held[:count])
        del self._held[:count]
        return part

    def _more(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        part = self._socket.recv(1 << 16)
        if not part:
            raise ConnectionResetError("the server closed the connection")
        self._held += part
        self._read += len(part)
        if self._read > MAX_ANSWER:
            raise ValueError(f"expected a prediction, found more than {MAX_ANSWER // 2**20} MiB")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
