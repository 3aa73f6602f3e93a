"""One HTTP client for every protocol: what does not answer as agreed becomes an error that says what to do."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx
import numpy as np

from mltestscore.errors import InputError
from mltestscore.serving.protocols import Columns, Prediction, Protocol
from mltestscore.serving.protocols.answers import MAX_SHOWN, error_in, row_count

MAX_ANSWER = 64 * 1024 * 1024


STARTING = (429, 502, 503, 504)
"""HTTP statuses of a server that may yet become ready."""


class NotReadyError(InputError):
    """No answer, or one that says later: worth asking again while a server starts."""


@dataclass(frozen=True)
class Answer:
    """What came back for some rows.

    Attributes:
        scores: float64, shape (rows,) or (rows, classes), in row order.
        version: the model version that the answer names, else empty.
        status: the HTTP status.
        seconds: from sending to the last byte.
    """

    scores: np.ndarray
    version: str
    status: int
    seconds: float


class Client:
    """Speaks one protocol to one URL; every wait ends after ``timeout`` seconds."""

    def __init__(self, url: str, protocol: Protocol, *, timeout: float, headers: dict[str, str] | None = None) -> None:
        port_of(url)
        if not timeout > 0:
            raise InputError(f"endpoint: request_timeout must be above 0 s, not {timeout:g}.")
        self.url = url.rstrip("/")
        self.protocol = protocol
        self.timeout = timeout
        self.headers = {"content-type": "application/json", "accept": "application/json", **(headers or {})}
        # trust_env: a proxy variable of the test machine must not come between us and the server under test
        self._http = httpx.Client(timeout=timeout, headers=self.headers, trust_env=False)

    @property
    def predict_url(self) -> str:
        """Where rows are posted, credentials included."""
        return self.url + self.protocol.predict_path

    @property
    def status_url(self) -> str:
        """Where readiness is asked for, credentials included."""
        return self.url + self.protocol.status_path

    def body(self, columns: Columns) -> bytes:
        """Return the request body that asks for one score per row."""
        return json.dumps(self.protocol.encode(columns)).encode()

    def predict(self, columns: Columns) -> Answer:
        """Ask for one score per row, in order.

        Raises :class:`InputError` naming URL, expectation, finding and remedy for anything but that.
        """
        started = time.perf_counter()
        answer = self._request("POST", self.predict_url, self.body(columns))
        seconds = time.perf_counter() - started
        prediction = self.decode(answer.status_code, answer.content, row_count(columns))
        return Answer(prediction.scores, prediction.version, answer.status_code, seconds)

    def decode(self, status: int, content: bytes, rows: int) -> Prediction:
        """Read the answer to a prediction; raises :class:`InputError` as :meth:`predict` does."""
        body = _json(content)
        where = f"endpoint: {redact(self.predict_url)}"
        if status != 200:
            said = error_in(body) or content[:MAX_SHOWN].decode("utf-8", "replace") or "nothing"
            raise (NotReadyError if status in STARTING else InputError)(
                f"{where}: expected HTTP status 200 for {rows} row(s), found {status}: {said!r}. "
                "Check the path, the feature names and types sent, and the server's log."
            )
        if body is _NOT_JSON:
            raise InputError(
                f"{where}: expected JSON, found {content[:MAX_SHOWN].decode('utf-8', 'replace')!r}. "
                "Check that the path is the prediction route and the protocol is the server's."
            )
        try:
            return self.protocol.decode(body, rows)
        except (ValueError, TypeError) as error:
            reported = f" The answer reports an error: {error_in(body)!r}." if error_in(body) else ""
            raise InputError(
                f"{where}: {error}.{reported} Check the protocol's settings against the server."
            ) from error

    def status(self) -> tuple[bool, str]:
        """Return whether the status route says ready, and the version that it names.

        Ready without a version where the protocol has no such route. Raises :class:`InputError` when it is silent.
        """
        if not self.protocol.status_path:
            return True, ""
        answer = self._request("GET", self.status_url)
        body = _json(answer.content)
        if answer.status_code != 200 or not self.protocol.ready(body):
            return False, ""
        return True, self.protocol.version(body)

    def _request(self, method: str, url: str, content: bytes | None = None) -> httpx.Response:
        where = f"endpoint: {method} {redact(url)}"
        try:
            with self._http.stream(method, url, content=content) as answer:
                return _bounded(answer, time.monotonic() + self.timeout, where)
        except httpx.TimeoutException as error:
            raise NotReadyError(
                f"{where}: no answer within {self.timeout:g} s. The server hangs or is too slow; "
                "see its log, or raise request_timeout."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotReadyError(
                f"{where}: no answer ({type(error).__name__}: {error}). Is the server running and the URL right?"
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _bounded(answer: httpx.Response, deadline: float, where: str) -> httpx.Response:
    """Read an answer of bounded size in bounded time: httpx limits each wait, not the sum of them."""
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise InputError(f"{where}: the answer is larger than {MAX_ANSWER // 2**20} MiB; is it a prediction route?")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer drips")
    return httpx.Response(answer.status_code, content=bytes(content))


_NOT_JSON = object()


def _json(content: bytes) -> object:
    """Parse JSON whatever the content type says, with the tokens NaN and Infinity that TensorFlow Serving writes."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return _NOT_JSON


def port_of(url: str) -> int:
    """Return the port of a server's URL, 0 where it names none; raises :class:`InputError` for what is no such URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.port or 0
    except ValueError:  # a port that is no number, or none that exists; an address that is not closed
        raise InputError("endpoint: the url has no valid host and port; write it as http://host:port.") from None
    raise InputError(f"endpoint: {redact(url)!r} is no URL of a server; write it as http://host:port.")


def redact(url: str) -> str:
    """Return the URL without user, password and query values.

    >>> redact("https://me:secret@example.org/score?key=abc")
    'https://***@example.org/score?***'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")
    netloc = f"***@{host[2]}" if host[1] else host[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "***" if parts.query else "", ""))


def token_header(variable: str) -> dict[str, str]:
    """Return the ``Authorization`` header for the token in the named environment variable; none for an empty name.

    A value with a space in it is the whole header (``Basic …``), any other a bearer token.

    Raises :class:`InputError` when the variable is not set.
    """
    if not variable:
        return {}
    value = os.environ.get(variable, "")
    if not value:
        raise InputError(f"endpoint: the environment variable {variable!r} (token_variable) is not set; set the token.")
    return {"authorization": value if " " in value else f"Bearer {value}"}
