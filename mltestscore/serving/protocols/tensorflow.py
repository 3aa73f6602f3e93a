"""TensorFlow Serving's REST API, row format: ``POST /v1/models/{model}[/versions/{version}]:predict``.

Also spoken by KServe V1 servers, whose status body differs (``{"name": …, "ready": true}``). TensorFlow Serving reads
and writes the tokens NaN and Infinity, reports versions as strings (int64 in JSON) and has no health route:
``GET /v1/models/{model}`` with a version in state AVAILABLE is its sign of readiness.
Source: tensorflow/serving ``tensorflow_serving/g3doc/api_rest.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mltestscore.serving.protocols.answers import Columns, Prediction, as_rows, at, scores


@dataclass(frozen=True)
class TensorflowServing:
    """Settings of the TensorFlow Serving protocol.

    Attributes:
        model: the model's name in the URL.
        model_version: pin a version; empty: the server's latest.
        named: send every row as an object of named inputs; else as one list of numbers in feature order.
        signature: ``signature_name`` of the request; empty: the server's default.
        column: which of a row's class scores is the score; ``None``: all of them.
    """

    model: str = "model"
    model_version: str = ""
    named: bool = True
    signature: str = ""
    column: int | None = None

    @property
    def predict_path(self) -> str:
        """Where rows are posted."""
        return f"{self.status_path}:predict"

    @property
    def status_path(self) -> str:
        """The model status route, of one version where one is pinned."""
        return f"/v1/models/{self.model}" + (f"/versions/{self.model_version}" if self.model_version else "")

    def encode(self, columns: Columns) -> object:
        """Return ``{"instances": […]}`` in row order."""
        rows = as_rows(columns)
        body: dict[str, object] = {"instances": rows if self.named else [list(row.values()) for row in rows]}
        return {"signature_name": self.signature, **body} if self.signature else body

    def decode(self, body: object, rows: int) -> Prediction:
        """Read ``predictions``; the version comes from the status route, answers do not name it."""
        return Prediction(scores(at(body, "predictions"), rows, self.column))

    def ready(self, body: object) -> bool:
        """Ready when a version is AVAILABLE (TensorFlow Serving) or the body says so (KServe V1)."""
        return bool(self.version(body)) or (isinstance(body, Mapping) and body.get("ready") is True)

    def version(self, body: object) -> str:
        """Return the newest version in state AVAILABLE: the one that answers when none is pinned."""
        states = body.get("model_version_status") if isinstance(body, Mapping) else None
        found = [
            str(state.get("version", ""))
            for state in (states if isinstance(states, list) else [])
            if isinstance(state, Mapping) and state.get("state") == "AVAILABLE"
        ]
        return max(found, key=lambda version: (len(version), version), default="")
