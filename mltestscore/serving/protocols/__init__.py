"""Wire protocols: how rows become a request and an answer becomes one score per row, one small file a protocol.

A protocol is a frozen dataclass whose fields are its settings; add one by adding a file and a line in ``PROTOCOLS``.
Sources: TensorFlow Serving's ``g3doc/api_rest.md``; the Open Inference Protocol V2 (KServe, Triton, MLServer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Protocol as Interface

from mltestscore.errors import ConfigError, near
from mltestscore.serving.protocols.answers import Columns, Prediction
from mltestscore.serving.protocols.open_inference import OpenInference
from mltestscore.serving.protocols.plain_json import PlainJson
from mltestscore.serving.protocols.tensorflow import TensorflowServing

__all__ = ["PROTOCOLS", "Columns", "Prediction", "Protocol", "protocol_named"]


class Protocol(Interface):
    """What the client needs to know of a server; paths are relative to the endpoint's URL."""

    @property
    def predict_path(self) -> str:
        """Where rows are posted."""

    @property
    def status_path(self) -> str:
        """Where readiness and version are asked for; empty when the protocol has no such route."""

    def encode(self, columns: Columns) -> object:
        """Return the JSON body that asks for one score per row."""

    def decode(self, body: object, rows: int) -> Prediction:
        """Return the scores in row order; raises :class:`ValueError` saying what was expected and what was found."""

    def ready(self, body: object) -> bool:
        """Say whether the status route's answer (HTTP status 200) means that predictions can be asked for."""

    def version(self, body: object) -> str:
        """Return the model version that the status route's answer names, else the empty string."""


PROTOCOLS: dict[str, type[TensorflowServing] | type[OpenInference] | type[PlainJson]] = {
    "tensorflow": TensorflowServing,
    "open_inference": OpenInference,
    "plain_json": PlainJson,
}


def protocol_named(name: str, settings: Mapping[str, object] | None = None) -> Protocol:
    """Return the protocol called ``name`` with its settings.

    Raises :class:`ConfigError` for an unknown protocol or setting, suggesting near names.

    >>> protocol_named("plain_json", {"path": "/score"}).predict_path
    '/score'
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"endpoint: there is no protocol {name!r}.{near(name, PROTOCOLS)}")
    kind = PROTOCOLS[name]
    known = [field.name for field in fields(kind)]
    for setting in settings or {}:
        if setting not in known:
            raise ConfigError(f"endpoint: the protocol {name!r} has no setting {setting!r}.{near(setting, known)}")
    return kind(**dict(settings or {}))  # type: ignore[arg-type]  # values are the user's; a wrong one shows in its use
