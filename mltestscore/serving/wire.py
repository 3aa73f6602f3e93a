"""A declared protocol put to work with an endpoint's settings: requests out of rows, predictions out of answers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from mltestscore.errors import ConfigError, near
from mltestscore.serving.answers import (
    NOT_PARSED,
    Prediction,
    Reply,
    by_label,
    columns,
    entries_of,
    in_order,
    named_entries,
    parsed,
    score_of,
    scores,
    tensor,
    told,
    unwrapped,
)
from mltestscore.serving.bodies import ABSENT, Columns, Rows, fill, filled, path_of
from mltestscore.serving.coders import Coder, Json, coder_of
from mltestscore.serving.places import find, first, is_place, texts
from mltestscore.serving.urls import secret_in
from mltestscore.settings_serving import Failure, Protocol, Route, Setting, transport_of

COMMON: dict[str, Setting] = {"column": None, "label": "", "missing": "null"}
"""Settings of every protocol: which of a row's class scores is the score, by position or by label; unset: all. And how
JSON says that a number is missing: ``null``, or ``NaN`` for servers that take numbers only."""

MISSING = ("null", "NaN")
CONTENT_TYPES = {"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}


class Wire:
    """One protocol with its settings.

    Attributes:
        name: the protocol's.
        transport: how it travels: ``http``, ``grpc`` or ``resp``.
        declared: what it says.
        settings: as set, defaults included.
        batch: most rows of a request; 0: no limit.
        headers: sent with every request.
    """

    def __init__(self, name: str, declared: Protocol, settings: Mapping[str, object] | None = None) -> None:
        self.name, self.declared = name, declared
        self.transport = transport_of(declared.predict)
        self.settings = _set(name, {**COMMON, **declared.settings}, settings or {})
        self.batch = declared.batch
        if (missing := self.settings["missing"]) not in MISSING:
            raise ConfigError(f'endpoint: the setting "missing" is {missing!r:.80}; write "null" or "NaN".')
        body = fill(declared.body, self.settings)
        self._body = {} if body is ABSENT else body
        self._scores, self._score = self._places(declared.scores), self._places(declared.score)
        self._names, self._key = filled(declared.names, self.settings), filled(declared.key, self.settings)
        version = (filled(place, self.settings) for place in declared.version)
        self._version = [place for place in version if not place.endswith(":")]
        self._boundary = secrets.token_hex(16)
        self._coder = coder_of(name, declared, self.transport, allow_nan=missing == "NaN")
        self.headers = self._headers()
        if not self.predict_path:
            empty = [key for key in re.findall(r"\{(\w+)\}", declared.predict) if not self.settings[key]]
            raise ConfigError(f"endpoint: the protocol {name!r} needs {' and '.join(empty)} for {declared.predict!r}.")

    def _headers(self) -> dict[str, str]:
        kind = CONTENT_TYPES.get(self.declared.format, f"multipart/form-data; boundary={self._boundary}")
        sent = {"content-type": self.declared.content_type or kind, "accept": self.declared.accept}
        sent = sent if self.transport == "http" else {}
        sent |= {key.lower(): filled(value, self.settings) for key, value in self.declared.headers.items()}
        for key, text in self.declared.secrets.items():
            if variable := filled(text, self.settings):
                sent[key.lower()] = secret_in(variable)
        return {key: value for key, value in sent.items() if value}

    def _places(self, declared: Iterable[str]) -> list[str]:
        places = [filled(place, self.settings).strip(".") for place in declared]
        for place in places:
            if not is_place(place):
                raise ConfigError(f"endpoint: the protocol {self.name!r} has {place!r}, which names no place in JSON.")
        return places

    @property
    def predict_path(self) -> str:
        """Where rows are sent."""
        return self.route(self.declared.predict)[1]

    def route(self, text: str) -> tuple[str, str]:
        """Return method and path of a route with its settings; an empty path where one of them is missing."""
        method, _, path = text.partition(" ")
        return method, path_of(path, self.settings)

    @property
    def status_routes(self) -> list[Route]:
        """The status routes that can be asked, the one that says most first."""
        declared = (self.declared.model_ready, self.declared.ready, self.declared.live)
        return [route for route in declared if route is not None and self.route(route.ask)[1]]

    @property
    def kept_headers(self) -> list[str]:
        """The headers of an answer that it is read with, in lower case."""
        places = [*self._version, *(failure.where for failure in self.declared.failures)]
        return [place.removeprefix("header:").lower() for place in places if place.startswith("header:")]

    def encode(self, columns: Columns) -> bytes:
        """Return the body that asks for one score per row."""
        rows = Rows(columns, self.settings)
        if self.declared.format == "csv":
            return rows.csv(header=self.declared.header).encode()
        if self.declared.format == "ndjson":
            return rows.lines(self._body).encode()
        if self.declared.format == "json":
            return self._coder.pack(self.predict_path, rows.laid_out(self._body))
        part = f'form-data; name="{self.declared.part}"; filename="rows.csv"'
        head = f"--{self._boundary}\r\ncontent-disposition: {part}\r\ncontent-type: text/csv\r\n\r\n"
        return f"{head}{rows.csv(header=self.declared.header)}\r\n--{self._boundary}--\r\n".encode()

    def asked(self, route: Route, body: object = None) -> tuple[str, str, bytes | None]:
        """Return method, path and content of a route's request: ``body``, or else what the route says."""
        method, path = self.route(route.ask)
        if body is None:
            body = fill(route.body, self.settings)
        if transport_of(route.ask) == "http" and body is None:
            return method, path, None
        return method, path, self._coder_of(route).pack(path, {} if body in (None, ABSENT) else body)

    def read(self, route: Route, reply: Reply) -> Any:
        """Return what a route's answer holds; :data:`NOT_PARSED` where it cannot be read."""
        return self._coder_of(route).unpack(self.route(route.ask)[1], reply)

    def _coder_of(self, route: Route) -> Coder:
        return self._coder if transport_of(route.ask) == self.transport else Json()

    def answered(self, reply: Reply) -> Any:
        """Return what the answer to a prediction holds."""
        if self.transport == "http":
            return unwrapped(parsed(reply.content, self.declared.answer), self.declared.encoded)
        return self._coder.unpack(self.predict_path, reply)

    def decode(self, reply: Reply, rows: int) -> Prediction:
        """Return the scores in row order; raises :class:`ValueError` saying what was expected and what was found."""
        body = self.answered(reply)
        if body is NOT_PARSED:
            expected = {"json": "JSON", "csv": "CSV", "ndjson": "lines of JSON"}[self.declared.answer]
            expected = expected if self.transport == "http" else f"an answer of {self.predict_path}"
            raise ValueError(f"expected {expected}, found {reply.content[:200].decode('utf-8', 'replace')!r}")
        found = first(body, self._scores)
        entries = self._entries(found, rows)
        if self._names:
            entries = named_entries(entries, first(body, [self._names]))
        if self._key:
            entries = in_order(entries, self._key)
        self._require_no_failure(entries)
        values = [score_of(entry, self._score, self.declared.pair) for entry in entries]
        chosen = scores(by_label(values, self.settings["label"]), rows, self.settings["column"])
        return Prediction(chosen, self._version_in(reply, body, entries))

    def _entries(self, found: object, rows: int) -> list[Any]:
        if self.declared.reading == "tensor":
            return tensor(found)
        if self.declared.reading == "columns":
            return columns(found)
        return entries_of(found, rows, single=self.batch == 1)

    def failure(self, reply: Reply) -> str:
        """Return the reason when the answer says, in its body or headers, that it is no prediction; else nothing."""
        try:
            body = self.answered(reply) if self.declared.failures else None
        except ValueError:  # decoding says what is wrong with it
            return ""
        for failure in self.declared.failures:
            kind, _, place = failure.where.partition(":")
            held = texts(body, [place]) if kind == "body" else [reply.headers.get(place.lower(), "").lower()]
            if kind != "row" and _says(failure, held):
                return _reason(failure, body, told(reply, body))
        return ""

    def _require_no_failure(self, entries: Iterable[object]) -> None:
        """Raise for the first row that failed by itself, or was given a default in the model's place."""
        for failure in self.declared.failures:
            kind, _, place = failure.where.partition(":")
            for index, entry in enumerate(entries if kind == "row" else ()):
                if _says(failure, texts(entry, [place])):
                    raise ValueError(f"row {index}: {_reason(failure, entry, str(entry)[:200])}")

    def _version_in(self, reply: Reply, body: object, entries: Iterable[object]) -> str:
        """Return the model version that the answer names; of rows that several versions answered, all of them."""
        for text in self._version:
            kind, _, place = text.partition(":")
            held: list[Any] = [reply.headers.get(place.lower(), "")] if kind == "header" else []
            held += find(body, place) if kind == "body" else []
            held += [value for entry in entries for value in find(entry, place)] if kind == "row" else []
            if named := joined(held):
                return named
        return ""

    def version_in_metadata(self, body: object) -> str:
        """Return the model version that the metadata route names, where the protocol says that it does."""
        places = [place.removeprefix("metadata:") for place in self._version if place.startswith("metadata:")]
        return joined(value for place in places for value in find(body, place))

    def ready(self, route: Route, body: object) -> bool:
        """Say whether a status route's answer (HTTP status 200) means what its name says."""
        found = texts(body, [filled(place, self.settings) for place in route.where])
        denied = any(value.lower() in found for value in route.unless)
        return not denied and (not route.values or any(value.lower() in found for value in route.values))

    def version(self, route: Route, body: object) -> str:
        """Return the model version that a status route's answer names, the newest of several, else nothing."""
        place = filled(route.version, self.settings)
        named = [str(value) for value in (find(body, place) if place else [])]
        return max(named, key=lambda version: (len(version), version), default="")[:100]


def joined(versions: Iterable[object]) -> str:
    """Return the versions that are named, each once.

    >>> joined(["v2", None, "v1", "v2"])
    'v1, v2'
    """
    return ", ".join(sorted({str(version)[:100] for version in versions if version not in ("", None)}))


def _set(name: str, known: Mapping[str, Setting], given: Mapping[str, object]) -> dict[str, Any]:
    """Return the defaults with what was given in their place; raises :class:`ConfigError` for what does not fit."""
    values: dict[str, Any] = dict(known)
    for key, value in given.items():
        if key not in known:
            raise ConfigError(f"endpoint: the protocol {name!r} has no setting {key!r}.{near(key, known)}")
        default = known[key]
        kind = bool if isinstance(default, bool) else int if default is None or isinstance(default, int) else str
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (not isinstance(value, kind) and not (kind is str and number)) or (kind is int and not number):
            words = {bool: "true or false", int: "a whole number", str: "a text"}[kind]
            raise ConfigError(f"endpoint: the setting {key!r} of protocol {name!r} is {words}, not {value!r:.80}.")
        values[key] = str(value) if kind is str else value
    return values


def _says(failure: Failure, held: list[str]) -> bool:
    """Say whether what stands at a failure's place says that there is no prediction."""
    shown = [value for value in held if value not in ("", "none", "[]", "{}")]
    if failure.values:
        return any(value.lower() in shown for value in failure.values)
    return any(value not in [known.lower() for known in failure.unless] for value in shown)


def _reason(failure: Failure, body: object, otherwise: str) -> str:
    said = [str(value) for value in find(body, failure.message)] if failure.message else []
    reason = (said[0] if said else otherwise)[:200]
    return f"the model did not answer, a default stands in its place: {reason}" if failure.degraded else reason
