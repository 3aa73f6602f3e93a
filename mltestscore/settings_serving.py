"""The endpoint, and a wire protocol as data: ``[tool.mltestscore.protocols.<name>]``, likewise each that comes with us.

Texts may hold settings: ``{model}`` is replaced by the setting's value, and what stands in ``[…]`` of a path is left
out while a setting in it is empty. A *place* names a part of a JSON answer: ``data.scores``, ``outputs[0].data``,
``workers[*].status``, ``states[state=AVAILABLE].version``; the empty place is the whole.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from mltestscore.settings import Table

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")

_GRPC = re.compile(r"/[\w.]+/\w+")

TRANSPORTS = {"CALL": "grpc", "RUN": "resp", "APPLY": "in_process"}
"""Method → the transport that it stands for; all other methods are HTTP's."""


def transport_of(route: str) -> str:
    """Return how a route travels: ``http``, ``grpc``, ``resp`` or ``in_process``."""
    return TRANSPORTS.get(route.partition(" ")[0], "http")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_listed)]
"""A text, or several of them that are tried in turn."""

Setting = str | bool | int | float | None


def _requires_a_method(value: str) -> str:
    method, _, path = value.partition(" ")
    known = method in METHODS and path.startswith(("/", ":", "{", "["))
    if method in TRANSPORTS:
        known = bool(_GRPC.fullmatch(path) if method == "CALL" else path and " " not in path)
    if value and not known:
        raise ValueError(
            f"a route is a method and a path, such as 'GET /health' or 'GET :8081/models', over gRPC "
            f"'CALL /package.Service/Method', over RESP 'RUN COMMAND', to a function 'APPLY predict', not {value!r:.80}"
        )
    return value


RouteText = Annotated[
    str, BeforeValidator(lambda value: _requires_a_method(value) if isinstance(value, str) else value)
]
"""Method and path; a path that begins with ``:port`` is asked at that port of the same host.

``CALL /package.Service/Method`` is a call over gRPC, ``RUN COMMAND`` a command over RESP (Redis), ``APPLY predict`` and
``APPLY version`` what is asked of a function in a process of its own; beside them, a server may have routes over HTTP
at another port.
"""


class Route(Table):
    """A status route. HTTP status 200 is its yes, and so must be what its answer says.

    Attributes:
        ask: method and path; while a setting outside brackets is empty, the route is not asked.
        body: what is sent: JSON, a message's fields, a command's words; what holds an empty setting is left out.
        headers: over HTTP, sent with this route beside those of the protocol.
        where: places in the answer, of which the first that is there counts; none: the HTTP status alone counts.
        values: what must stand there, at least once; empty: anything. Compared as text, without regard to case.
        unless: what must not stand there.
        version: the place of the model version; of several, the newest by number.
    """

    ask: RouteText
    body: Any = None
    headers: dict[str, str] = {}
    where: Texts = []
    values: list[str] = []
    unless: list[str] = []
    version: str = ""


class Failure(Table):
    """How an answer says that it is no prediction, whatever its HTTP status.

    Attributes:
        where: ``"body:PLACE"``, ``"header:NAME"`` or ``"row:PLACE"`` (in what came for one row).
        values: the values that say so; empty: any that is not empty.
        unless: the values that do not; all others say so.
        message: the place of the reason, in the body or in the row.
        degraded: a default stood in for the model: no prediction either, but said in these words.
    """

    where: str = Field(pattern=r"^(body|header|row):")
    values: list[str] = []
    unless: list[str] = []
    message: str = ""
    degraded: bool = False


class Protocol(Table):
    """How rows become a request and an answer becomes one score a row.

    Attributes:
        title, source: the system, and where its protocol is published.
        base: the protocol that this one changes; a table with the name of one of ours changes that one.
        settings: names that texts here may hold, with their defaults; an endpoint sets them.
        predict: the route that takes rows.
        format: of the request: JSON, CSV, JSON lines, or CSV as a file in a form (``part`` is its name).
        body: the request in JSON (a line of it in JSON lines), where words that begin with ``$`` stand for the rows:
            ``$rows`` (objects, lists where the setting ``named`` is false), ``$objects``, ``$lists``, ``$columns``,
            ``$names``, ``$times`` (names of columns of times), ``$schema``, ``$csv`` (lines), ``$flat``, ``$shape``,
            ``$tensors`` (Open Inference Protocol);
            ``$row``, ``$object``, ``$list``, ``$index`` of the one row, or within ``{"$each" = …}`` of each of them.
            ``{"$base64" = …}`` is the text of such JSON in base64.
            What holds an empty setting is left out; a key that is an empty setting gives its place to its value.
            Over gRPC it is the message by the names of its fields (``$named_tensors``: those by feature), over RESP
            the command's words in one list (``$pairs``: ``feature:value,…`` of the one row).
        messages: of gRPC: ``open_inference``, ``tensorflow_serving``, or the path of your own ``….binpb``, compiled by
            ``protoc --include_imports --descriptor_set_out``.
        header: CSV begins with the names.
        content_type, accept, headers: as sent; a header that is empty is not sent.
        secrets: header → the environment variable that holds its value.
        batch: most rows of a request; 0: no limit.
        answer: format of the answer.
        encoded: the key of an answer in JSON whose text is JSON in base64; places look into it.
        scores: places of what has one entry a row; the first that is there counts. One entry alone may come unwrapped.
        reading: ``rows``: one entry a row; ``tensor``: flat ``data`` (or ``array``, ``values``) with a ``shape``;
            ``columns``: a list for each of the ``names``.
        names: the place of the names of what stands in each entry, where entries are lists.
        score: places in an entry of the score: a number, a list, numbers by label, or pairs of label and value.
        pair: the keys of label and value in such a pair.
        key: the place in an entry of the row's number, from 0 or from 1, on which answers are joined to rows.
        version: ``"body:PLACE"``, ``"header:NAME"`` or ``"row:PLACE"`` of the model version that answered;
            ``"metadata:PLACE"`` where only the metadata route names it.
        live, ready, model_ready: status routes of the process, the server and the model; the last that is there counts.
        metadata: the route that describes the model.
        failures: how an answer says that it is no prediction.
        admin: routes by which an operator loads, unloads, lists or switches versions.
    """

    title: str = ""
    source: str = ""
    base: str = ""
    settings: dict[str, Setting] = {}
    predict: RouteText = ""
    format: Literal["json", "csv", "ndjson", "multipart"] = "json"
    body: Any = "$rows"
    messages: str = ""
    header: bool = True
    part: str = "file"
    content_type: str = ""
    accept: str = "application/json"
    headers: dict[str, str] = {}
    secrets: dict[str, str] = {}
    batch: int = Field(default=0, ge=0)
    answer: Literal["json", "csv", "ndjson"] = "json"
    encoded: str = ""
    scores: Texts = [""]
    reading: Literal["rows", "tensor", "columns"] = "rows"
    names: str = ""
    score: Texts = [""]
    pair: tuple[str, str] = ("label", "value")
    key: str = ""
    version: Texts = []
    live: Route | None = None
    ready: Route | None = None
    model_ready: Route | None = None
    metadata: Route | None = None
    failures: list[Failure] = []
    admin: dict[str, RouteText] = {}

    @field_validator("live", "ready", "model_ready", "metadata", mode="before")
    @classmethod
    def _route_alone(cls, value: object) -> object:
        """Take ``"GET /health"`` for ``{ask = "GET /health"}``."""
        return ({"ask": value} if value else None) if isinstance(value, str) else value

    @field_validator("version")
    @classmethod
    def _known_places(cls, value: list[str]) -> list[str]:
        for place in value:
            if not place.startswith(("body:", "header:", "row:", "metadata:")):
                raise ValueError(f"write body:PLACE, header:NAME, row:PLACE or metadata:PLACE, not {place!r:.80}")
        return value


class LoadConfig(Table):
    """``[tool.mltestscore.endpoint.load]``: how the server may be loaded; 0 is what the rate and the latencies need.

    Nothing is driven until it falls behind without ``saturate = true``. ``peak_rate``: requests a second that it must
    sustain, by the team's own word. ``arrivals``: of a schedule for one version. ``connections``: how many the clients
    have in all. ``processes``: how many send.
    """

    saturate: bool = False
    peak_rate: float = Field(default=0.0, ge=0, le=1e6, allow_inf_nan=False)
    arrivals: Literal["poisson", "fixed"] = "poisson"
    connections: int = Field(default=0, ge=0, le=10_000)
    processes: int = Field(default=0, ge=0, le=64)


class CountersConfig(Table):
    """``[tool.mltestscore.endpoint.counters]``: what the server says of the work for a request.

    ``places``: a counter's name → ``"header:NAME"`` or ``"body:PLACE"`` of an answer, or ``"metric:NAME"``, with labels
    if need be (``metric:calls_total{to="store"}``), of the route ``metrics``, which answers in Prometheus' text format.
    """

    metrics: RouteText = "GET /metrics"
    places: dict[str, str] = {}

    @field_validator("places")
    @classmethod
    def _known_places(cls, value: dict[str, str]) -> dict[str, str]:
        for place in value.values():
            kind, _, where = place.partition(":")
            if kind not in ("header", "body", "metric") or not where:
                raise ValueError(f"write header:NAME, body:PLACE or metric:NAME, not {place!r:.80}")
        return value


COUNTED_AS_USUAL = CountersConfig()


class EndpointConfig(Table):
    """``[tool.mltestscore.endpoint]``: a server that we start (``command``) or that runs already (``url``).

    ``url = "python:package.module:predict"`` is no server but a function that the application calls as a library,
    ``"file:model.onnx"`` a model's file likewise; ``command`` is then the interpreter for it, ours if there is none.
    ``previous_url`` and ``previous_command`` are those of the version before, each as its counterpart where it is left
    out; see :mod:`mltestscore.serving.in_process`.
    ``settings`` are those of the protocol; see :mod:`mltestscore.serving.protocols`.
    What we start inherits of our environment PATH, HOME and the like, LANG, TZ, PYTHONPATH, numbers of threads and
    ``token_variable``; what else it needs is named in ``environment``, such as
    ``{PYTHONPATH = "src", STORE = "${STORE}"}``.
    """

    command: list[str] = []
    previous_command: list[str] = []
    environment: dict[str, str] = {}
    url: str = ""
    previous_url: str = ""
    protocol: str = "plain_json"
    model: str = ""
    predict: str = ""
    health: str = ""
    settings: dict[str, bool | int | float | str] = {}
    token_variable: str = ""
    ready_timeout: float = Field(default=30.0, gt=0, le=600)
    request_timeout: float = Field(default=5.0, gt=0, le=120)
    counters: CountersConfig = COUNTED_AS_USUAL
    load: LoadConfig = LoadConfig()
