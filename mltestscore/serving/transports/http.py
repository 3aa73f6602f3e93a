"""HTTP/1.1 for single requests, by httpx; for a load, see :mod:`mltestscore.serving.transports.kept`."""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx

from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply
from mltestscore.serving.transports.base import MAX_ANSWER, NotReadyError, TimedOutError
from mltestscore.serving.urls import at_path, redact, server_at

_CUT = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


class _StaleError(httpx.TransportError):
    """The server closed a kept connection meanwhile, as many do after an error of theirs: worth a new one."""


class Http:
    """Asks one server over HTTP; every wait ends after ``timeout`` seconds."""

    status, success = "HTTP status", "200"

    def __init__(self, url: str, protocol: str, *, timeout: float, headers: Mapping[str, str]) -> None:
        server_at(url, "http", protocol)
        self.url = url.rstrip("/")
        self._timeout = timeout
        # trust_env: a proxy variable of the test machine must not come between us and the server under test
        self._http = httpx.Client(timeout=timeout, headers=dict(headers), trust_env=False)

    def at(self, path: str) -> str:
        """Return the URL of a path."""
        return at_path(self.url, path)

    def request(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Return the answer; raises :class:`NotReadyError` where there is none in time."""
        url = self.at(path)
        where = f"endpoint: {method} {redact(url)}"
        try:
            try:
                return self._exchange(method, url, content, headers, where)
            except _StaleError:
                return self._exchange(method, url, content, headers, where)
        except httpx.TimeoutException as error:
            raise TimedOutError(
                f"{where}: no answer within {self._timeout:g} s. The server hangs or is too slow; "
                "see its log, or raise request_timeout."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotReadyError(
                f"{where}: no answer ({type(error).__name__}: {error}). Is the server running and the URL right?"
            ) from error

    def _exchange(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], where: str) -> Reply:
        """Send once; raises :class:`_StaleError` where a connection that was kept brought nothing back."""
        happened: list[str] = []
        watched = {"trace": lambda name, _: happened.append(name)}
        try:
            with self._http.stream(method, url, content=content, headers=dict(headers), extensions=watched) as answer:
                return bounded(answer, time.monotonic() + self._timeout, where)
        except _CUT as error:
            ours = any(name.startswith("connection.connect") for name in happened)
            if ours or "http11.receive_response_headers.complete" in happened:
                raise
            raise _StaleError(str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def bounded(answer: httpx.Response, deadline: float, where: str) -> Reply:
    """Read an answer of bounded size in bounded time: httpx limits each wait, not the sum of them."""
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise InputError(f"{where}: the answer is larger than {MAX_ANSWER // 2**20} MiB; is it a prediction route?")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer drips")
    return Reply(answer.status_code, bytes(content), answer.headers, answer.reason_phrase)
