"""One HTTP client for every protocol: what does not answer as agreed becomes an error that says what to do."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx
import numpy as np

from mltestscore.errors import InputError
from mltestscore.serving.answers import Prediction, Reply, error_in, parsed, told
from mltestscore.serving.bodies import Columns, row_count
from mltestscore.serving.wire import Wire, joined, secret_in

MAX_ANSWER = 64 * 1024 * 1024


STARTING = (429, 502, 503, 504)
"""HTTP statuses of a server that may yet become ready."""


class NotReadyError(InputError):
    """No answer, or one that says later: worth asking again while a server starts."""


class TimedOutError(NotReadyError):
    """No answer in time: the server hangs, or is too slow."""


@dataclass(frozen=True)
class Answer:
    """What came back for some rows.

    Attributes:
        scores: float64, shape (rows,) or (rows, classes), in row order.
        version: the model version that the answer names, else empty.
        status: the HTTP status.
        seconds: from sending to the last byte.
        fields: the outermost names of the answer, where they hold anything; a reason for a default may be among them.
    """

    scores: np.ndarray
    version: str
    status: int
    seconds: float
    fields: tuple[str, ...] = ()


class Client:
    """Speaks one protocol to one URL; every wait ends after ``timeout`` seconds."""

    def __init__(self, url: str, protocol: Wire, *, timeout: float, headers: dict[str, str] | None = None) -> None:
        port_of(url)
        if not timeout > 0:
            raise InputError(f"endpoint: request_timeout must be above 0 s, not {timeout:g}.")
        self.url = url.rstrip("/")
        self.protocol = protocol
        self.timeout = timeout
        self.headers = {**protocol.headers, **(headers or {})}
        # trust_env: a proxy variable of the test machine must not come between us and the server under test
        self._http = httpx.Client(timeout=timeout, headers=self.headers, trust_env=False)

    @property
    def predict_url(self) -> str:
        """Where rows are sent, credentials included."""
        return self._at(self.protocol.predict_path)

    def _at(self, path: str) -> str:
        return at_path(self.url, path)

    def body(self, columns: Columns) -> bytes:
        """Return the request body that asks for one score per row."""
        return self.protocol.encode(columns)

    def predict(self, columns: Columns) -> Answer:
        """Ask for one score per row, in order, in as many requests as the protocol needs.

        Raises :class:`InputError` naming URL, expectation, finding and remedy for anything but that.
        """
        rows, found, fields = row_count(columns), list[Prediction](), set[str]()
        step = self.protocol.batch or max(rows, 1)
        started = time.perf_counter()
        for start in range(0, max(rows, 1), step):
            part = {name: values[start : start + step] for name, values in columns.items()}
            reply = self._request(self.protocol.declared.predict, self.body(part))
            found.append(self.decode(reply, row_count(part)))
            fields |= _fields(reply)
        seconds = time.perf_counter() - started
        shapes = {prediction.scores.shape[1:] for prediction in found}
        if len(shapes) > 1:
            raise InputError(
                f"endpoint: {redact(self.predict_url)}: expected as many class scores for every row, "
                f"found {sorted(map(str, shapes))}."
            )
        version = joined(name for prediction in found for name in prediction.version.split(", "))
        scores = np.concatenate([prediction.scores for prediction in found])
        return Answer(scores, version, 200, seconds, tuple(sorted(fields)))

    def exchange(self, columns: Columns) -> Reply:
        """Ask for one score per row and return the answer as it came; raises :class:`InputError` where none comes."""
        return self._request(self.protocol.declared.predict, self.body(columns))

    def decode(self, reply: Reply, rows: int) -> Prediction:
        """Read the answer to a prediction; raises :class:`InputError` as :meth:`predict` does."""
        try:
            return self._decoded(reply, rows)
        except RecursionError:
            where = redact(self.predict_url)
            raise InputError(f"endpoint: {where}: the answer is nested too deeply to be a prediction.") from None

    def _decoded(self, reply: Reply, rows: int) -> Prediction:
        where, failure = f"endpoint: {redact(self.predict_url)}", self.protocol.failure(reply)
        if reply.status != 200 or failure:
            said = failure or told(reply, parsed(reply.content, "json"))
            later = reply.status in STARTING and not failure
            raise (NotReadyError if later else InputError)(
                f"{where}: expected {'HTTP status 200' if reply.status != 200 else 'predictions'} for {rows} row(s), "
                f"found {reply.status if reply.status != 200 else 'an error in status 200'}: {said!r}. "
                "Check the path, the feature names and types sent, and the server's log."
            )
        try:
            return self.protocol.decode(reply, rows)
        except (ValueError, TypeError) as error:
            said = error_in(parsed(reply.content, "json"))
            reported = f" The answer reports an error: {said!r}." if said else ""
            raise InputError(
                f"{where}: {error}.{reported} Check that the path is the prediction route, "
                "and the protocol and its settings are the server's."
            ) from error

    def status(self) -> tuple[bool, str]:
        """Return whether the status route that says most says ready, and the version that the server names.

        Ready without a version where the protocol has no such route. Raises :class:`InputError` when it is silent.
        """
        for route in self.protocol.status_routes[:1]:
            reply = self._request(route.ask)
            body = parsed(reply.content, "json")
            if reply.status != 200 or not self.protocol.ready(route, body):
                return False, ""
            if version := self.protocol.version(route, body):
                return True, version
        return True, self._version_in_metadata()

    def _version_in_metadata(self) -> str:
        if not any(place.startswith("metadata:") for place in self.protocol.declared.version):
            return ""
        reply = self.ask(self.protocol.declared.metadata)
        return self.protocol.version_in_metadata(parsed(reply.content, "json")) if reply.status == 200 else ""

    def describe_status(self) -> str:
        """Return what each status route says, for an error message about a server that is not ready."""
        said = []
        for route in self.protocol.status_routes:
            url = redact(self._at(self.protocol.route(route.ask)[1]))
            try:
                reply = self._request(route.ask)
                ready = reply.status == 200 and self.protocol.ready(route, parsed(reply.content, "json"))
                said.append(f"{url} {'says ready' if ready else f'does not say ready (HTTP status {reply.status})'}")
            except InputError:
                said.append(f"{url} is silent")
        return "; ".join(said)

    def ask(self, route: str, body: object = None) -> Reply:
        """Ask a route of the protocol, such as ``protocol.declared.metadata`` or one of ``admin``, with a JSON body.

        Raises :class:`InputError` where a setting that the route needs is empty, or nothing answers.
        """
        if not self.protocol.route(route)[1]:
            raise InputError(f"endpoint: the protocol {self.protocol.name!r} cannot ask {route!r}: a setting is empty.")
        return self._request(
            route, None if body is None else json.dumps(body).encode(), content_type="application/json"
        )

    def _request(self, route: str, content: bytes | None = None, *, content_type: str = "") -> Reply:
        method, path = self.protocol.route(route)
        url = self._at(path)
        where = f"endpoint: {method} {redact(url)}"
        headers = {"content-type": content_type} if content_type else {}
        try:
            with self._http.stream(method, url, content=content, headers=headers) as answer:
                return bounded(answer, time.monotonic() + self.timeout, where)
        except httpx.TimeoutException as error:
            raise TimedOutError(
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


def _fields(reply: Reply) -> set[str]:
    """Return the outermost names of an answer in JSON that hold anything."""
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        return set()
    return {name for name, held in body.items() if held is not None} if isinstance(body, dict) else set()


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


def at_path(url: str, path: str) -> str:
    """Return the URL of a path at a server's URL; one that begins with ``:port`` is on another port of the same host.

    >>> at_path("http://me@localhost:8080/v1", ":8081/models")
    'http://me@localhost:8081/models'
    """
    if not path.startswith(":"):
        return url + path
    port, slash, rest = path[1:].partition("/")
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    host = host if host.endswith("]") else host.rpartition(":")[0] or host
    return urlunsplit((parts.scheme, f"{user}{at}{host}:{port}", slash + rest, "", ""))


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
    value = secret_in(variable, "token_variable")
    return {"authorization": value if " " in value else f"Bearer {value}"}
