"""What a request's body and an answer are as bytes: JSON, a message of protocol buffers, a command of Redis."""

from __future__ import annotations

import json
from typing import Any, Protocol

from mltestscore.errors import ConfigError
from mltestscore.serving.answers import Reply, parsed
from mltestscore.settings_serving import Protocol as Declared
from mltestscore.settings_serving import transport_of


class Coder(Protocol):
    """Turns what a template says into bytes, and an answer's bytes into what places are looked up in."""

    def pack(self, path: str, body: object) -> bytes:
        """Return the request; raises :class:`InputError` or :class:`ConfigError` for what it cannot hold."""

    def unpack(self, path: str, reply: Reply) -> Any:
        """Return the answer, :data:`mltestscore.serving.answers.NOT_PARSED` where it is of another kind."""


class Json:
    """JSON, whatever the route; ``allow_nan``: with the token NaN."""

    def __init__(self, allow_nan: bool = False) -> None:
        self._allow_nan = allow_nan

    def pack(self, path: str, body: object) -> bytes:
        """Return the body as JSON."""
        return json.dumps(body, allow_nan=self._allow_nan).encode()

    def unpack(self, path: str, reply: Reply) -> Any:
        """Return what the answer holds."""
        return parsed(reply.content, "json")


def coder_of(name: str, declared: Declared, transport: str, *, allow_nan: bool = False) -> Coder:
    """Return the coder of a protocol; raises :class:`ConfigError` where its routes cannot travel so."""
    routes = (declared.live, declared.ready, declared.model_ready, declared.metadata)
    for ask in [*(route.ask for route in routes if route), *declared.admin.values()]:
        if transport_of(ask) not in ("http", transport):
            raise ConfigError(
                f"endpoint: the protocol {name!r} sends rows by {declared.predict!r} and asks {ask!r}: "
                "beside its own transport a protocol can ask over HTTP only."
            )
    if transport == "grpc":
        from mltestscore.serving.messages import Messages

        return Messages(name, declared.messages)
    if transport == "resp":
        from mltestscore.serving.transports.resp import Commands

        return Commands()
    if transport == "in_process":
        from mltestscore.serving.transports.in_process import Calls

        return Calls(allow_nan)
    return Json(allow_nan)
