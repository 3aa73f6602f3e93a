"""gRPC: unary calls of bytes on one channel; every call has a deadline."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply
from mltestscore.serving.messages import REMEDY
from mltestscore.serving.transports.base import MAX_ANSWER, Connection, NotReadyError, Target, TimedOutError
from mltestscore.serving.urls import ENCRYPTED, redact, server_at

IN_HTTP = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""gRPC's statuses as google/rpc/code.proto maps them to HTTP; all others are 500."""

OPTIONS = (
    ("grpc.max_receive_message_length", MAX_ANSWER),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),  # a proxy variable of the test machine must not come between
    ("grpc.enable_retries", 0),  # a failed request is a finding
    # A server that starts, or swaps its model, is tried every 0.1 s or so: gRPC would wait for up to two minutes.
    # (Not min_reconnect_backoff_ms, which is how long an attempt may take: a busy machine takes its time.)
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.use_local_subchannel_pool", 1),  # no connection, and no backoff, of an earlier client
)


class Grpc:
    """Calls one server; every call ends after ``timeout`` seconds."""

    status, success = "gRPC status", "OK"

    def __init__(self, url: str, protocol: str, *, timeout: float, headers: Mapping[str, str]) -> None:
        parts = server_at(url, "grpc", protocol)
        if parts.username or parts.path.strip("/") or parts.query:
            raise InputError(
                f"endpoint: {redact(url)!r}: gRPC knows only host and port; write grpc://host:port, "
                "and name the variable that holds the token by token_variable."
            )
        require_library(protocol)
        self.url = f"{'grpcs' if parts.scheme in ENCRYPTED else 'grpc'}://{parts.netloc}"
        self._timeout, self._channel = timeout, Channel(self.url, timeout, headers)

    def at(self, path: str) -> str:
        """Return what a call is called in messages."""
        return self.url + path

    def request(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Return the answer; raises :class:`NotReadyError` where there is none in time."""
        where = f"endpoint: {method} {redact(self.at(path))}"
        try:
            reply = self._channel.call(path, content or b"")
        except ConnectionResetError as error:
            raise InputError(f"{where}: gRPC cannot send this: {error}.") from error
        if reply.code == "DEADLINE_EXCEEDED":
            raise TimedOutError(
                f"{where}: no answer within {self._timeout:g} s. The server hangs or is too slow; "
                "see its log, or raise request_timeout."
            )
        if reply.code == "UNAVAILABLE" and b"failed to connect" in reply.content.lower():
            said = reply.content.decode("utf-8", "replace")[:200]
            raise NotReadyError(f"{where}: no answer ({said}). Is the server running and the URL right?")
        return reply

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


class Channel:
    """A channel to one server, with a time-out and the metadata of every call."""

    def __init__(self, url: str, timeout: float, headers: Mapping[str, str]) -> None:
        import grpc

        parts = urlsplit(url)
        secure = parts.scheme in ENCRYPTED
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        target = f"{host}:{parts.port or (443 if secure else 80)}"
        self._library, self._timeout = grpc, timeout
        # "connection" belongs to HTTP/1; a channel renews its own
        self._metadata = [(name.lower(), value) for name, value in headers.items() if name != "connection"]
        if secure:
            trusted = ssl.get_default_verify_paths().cafile  # the machine's, or SSL_CERT_FILE, as for HTTPS
            roots = Path(trusted).read_bytes() if trusted else None
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options=OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, options=OPTIONS)

    def call(self, path: str, content: bytes) -> Reply:
        """Return the answer, or gRPC's status and what the server says about it."""
        try:
            call = self._channel.unary_unary(path)  # no serializers: bytes there, bytes back
            answer, context = call.with_call(content, timeout=self._timeout, metadata=self._metadata)
            sent = [*context.initial_metadata(), *context.trailing_metadata()]
            return Reply(200, bytes(answer), _texts(sent), code="OK")
        except self._library.RpcError as error:
            code, said = error.code().name, str(error.details() or "").encode()
            return Reply(IN_HTTP.get(code, 500), said, _texts(error.trailing_metadata() or ()), code=code)
        except ValueError as error:  # the channel is closed, or the metadata is none
            raise ConnectionResetError(str(error)) from None

    def close(self) -> None:
        """Close it; whoever waits for an answer wakes."""
        self._channel.close()


class _Shared:
    """The one channel of a load, as a client has it: calls share its connection, and the last to go closes it."""

    def __init__(self, target: Target) -> None:
        self._target, self._path = target, urlsplit(target.url).path
        self._channel: Channel | None = None
        self._users: set[Connection] = set()
        self._lock = threading.Lock()

    def call(self, user: Connection, content: bytes) -> Reply:
        """Return the answer to a user's call, opening the channel where it is closed."""
        with self._lock:
            self._users.add(user)
            if self._channel is None:
                self._channel = Channel(self._target.url, self._target.timeout, self._target.headers)
            channel = self._channel
        return channel.call(self._path, content)

    def leave(self, user: Connection) -> None:
        """Take a user out; without any the channel is closed, and whoever waits on it wakes."""
        with self._lock:
            self._users.discard(user)
            if not self._users and self._channel is not None:
                self._channel.close()
                self._channel = None


class _Call:
    """One call at a time on a shared channel."""

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared

    def exchange(self, content: bytes) -> Reply:
        """Send a request and return its answer."""
        reply = self._shared.call(self, content)
        if reply.code == "DEADLINE_EXCEEDED":
            raise TimeoutError
        return reply

    def close(self) -> None:
        """Leave the channel."""
        self._shared.leave(self)


def connector(target: Target) -> Callable[[], Connection]:
    """Return what makes room for one more call at a time on one channel to a target."""
    shared = _Shared(target)
    return lambda: _Call(shared)


def _texts(metadata: Any) -> dict[str, str]:
    return {key: value for key, value in metadata if isinstance(value, str)}


def require_library(protocol: str) -> None:
    """Raise :class:`InputError` with the command that installs gRPC where it is missing."""
    try:
        import grpc  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"endpoint: the protocol {protocol!r} needs gRPC, which is not installed ({error}); {REMEDY}"
        ) from error
