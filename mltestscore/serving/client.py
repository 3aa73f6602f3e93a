"""One client for every protocol: what does not answer as agreed becomes an error that says what to do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

from mltestscore.errors import InputError
from mltestscore.serving.answers import Prediction, Reply, error_in, parsed, told
from mltestscore.serving.bodies import Columns, row_count
from mltestscore.serving.transports.base import NotReadyError, Transport
from mltestscore.serving.transports.chosen import transport_to
from mltestscore.serving.transports.http import Http
from mltestscore.serving.urls import ENCRYPTED, redact
from mltestscore.serving.wire import Wire, joined
from mltestscore.settings_serving import Route, transport_of

STARTING = (429, 502, 503, 504)
"""HTTP statuses of a server that may yet become ready."""

NO_SUCH_ROUTE = 501


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
        if not timeout > 0:
            raise InputError(f"endpoint: request_timeout must be above 0 s, not {timeout:g}.")
        self.protocol = protocol
        self.timeout = timeout
        self.headers = {**protocol.headers, **(headers or {})}
        self._transport = transport_to(url, protocol, timeout=timeout, headers=self.headers)
        self.url = self._transport.url
        self._beside: Http | None = None

    @property
    def predict_url(self) -> str:
        """Where rows are sent, credentials included."""
        return self._transport.at(self.protocol.predict_path)

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
            reply = self.exchange(part)
            found.append(self.decode(reply, row_count(part)))
            fields |= _fields(self.protocol, reply)
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
        return self._request(*self.protocol.route(self.protocol.declared.predict), self.body(columns))

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
                f"{where}: expected {'predictions' if reply.status == 200 else self._success} for {rows} row(s), "
                f"found {reply.named if reply.status != 200 else f'an error in status {reply.named}'}: {said!r}. "
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
        for route in self.protocol.status_routes:
            reply = self.ask(route)
            if reply.status == NO_SUCH_ROUTE:  # it says that it has none: then the probe alone decides
                continue
            body = self.protocol.read(route, reply)
            if reply.status != 200 or not self.protocol.ready(route, body):
                return False, ""
            if version := self.protocol.version(route, body):
                return True, version
            break
        return True, self._version_in_metadata()

    def _version_in_metadata(self) -> str:
        metadata = self.protocol.declared.metadata
        if metadata is None or not any(place.startswith("metadata:") for place in self.protocol.declared.version):
            return ""
        reply = self.ask(metadata)
        return self.protocol.version_in_metadata(self.protocol.read(metadata, reply)) if reply.status == 200 else ""

    def describe_status(self) -> str:
        """Return what each status route says, for an error message about a server that is not ready."""
        said = []
        for route in self.protocol.status_routes:
            method, path = self.protocol.route(route.ask)
            by = self._by(method)
            url = redact(by.at(path))
            try:
                reply = self.ask(route)
                ready = reply.status == 200 and self.protocol.ready(route, self.protocol.read(route, reply))
                found = f"does not say ready ({by.status} {reply.named})"
                said.append(f"{url} {'says ready' if ready else found}")
            except InputError:
                said.append(f"{url} is silent")
        return "; ".join(said)

    def ask(self, route: str | Route, body: object = None) -> Reply:
        """Ask a route of the protocol, such as ``protocol.declared.metadata`` or one of ``admin``; ``body`` as it is.

        Raises :class:`InputError` where a setting that the route needs is empty, or nothing answers.
        """
        route = Route(ask=route) if isinstance(route, str) else route
        if not self.protocol.route(route.ask)[1]:
            raise InputError(
                f"endpoint: the protocol {self.protocol.name!r} cannot ask {route.ask!r}: a setting is empty."
            )
        headers = {"content-type": "application/json", **{name.lower(): one for name, one in route.headers.items()}}
        return self._request(*self.protocol.asked(route, body), headers)

    def _request(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        return self._by(method).request(method, path, content, headers or {})

    def _by(self, method: str) -> Transport:
        """Return the transport of a route's method: the protocol's, or HTTP to the same host beside it."""
        if transport_of(method) == self.protocol.transport:
            return self._transport
        if self._beside is None:
            parts = urlsplit(self.url)
            url = f"{'https' if parts.scheme in ENCRYPTED else 'http'}://{parts.netloc.rpartition('@')[2]}"
            headers = self.headers if self.protocol.transport == "grpc" else {}  # a password of Redis stays with it
            self._beside = Http(url, self.protocol.name, timeout=self.timeout, headers=headers)
        return self._beside

    @property
    def _success(self) -> str:
        return f"{self._transport.status} {self._transport.success}"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        if self._beside:
            self._beside.close()


def _fields(protocol: Wire, reply: Reply) -> set[str]:
    """Return the outermost names of an answer that hold anything."""
    body = protocol.answered(reply)
    return {name for name, held in body.items() if held is not None} if isinstance(body, dict) else set()
