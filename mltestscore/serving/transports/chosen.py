"""The transport of a protocol, and that of a load; each is imported where it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mltestscore.serving.transports.base import Connection, Target, Transport

if TYPE_CHECKING:
    from mltestscore.serving.wire import Wire


def transport_to(url: str, wire: Wire, *, timeout: float, headers: Mapping[str, str]) -> Transport:
    """Return the transport that the protocol's routes name; raises :class:`InputError` where it cannot be had."""
    if wire.transport == "grpc":
        from mltestscore.serving.transports.grpc import Grpc

        return Grpc(url, wire.name, timeout=timeout, headers=headers)
    if wire.transport == "resp":
        from mltestscore.serving.transports.resp import Resp

        return Resp(url, wire.name, timeout=timeout, headers=headers)
    if wire.transport == "in_process":
        from mltestscore.serving.transports.in_process import InProcess

        return InProcess(url, wire.name, timeout=timeout, headers=headers)
    from mltestscore.serving.transports.http import Http

    return Http(url, wire.name, timeout=timeout, headers=headers)


def connector(target: Target) -> Callable[[], Connection]:
    """Return what opens connections to a load's target, one more with every call."""
    scheme = urlsplit(target.url).scheme
    if scheme in ("grpc", "grpcs"):
        from mltestscore.serving.transports.grpc import connector as of_grpc

        return of_grpc(target)
    if scheme in ("redis", "rediss"):
        from mltestscore.serving.transports.resp import connector as of_resp

        return of_resp(target)
    if scheme == "python":
        from mltestscore.serving.transports.in_process import connector as of_in_process

        return of_in_process(target)
    from mltestscore.serving.transports.kept import connector as of_http

    return of_http(target)
