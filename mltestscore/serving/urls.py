"""Addresses of servers: which are valid, how they are shown, and which credentials belong to them."""

from __future__ import annotations

import os
from urllib.parse import SplitResult, urlsplit, urlunsplit

from mltestscore.errors import InputError

SCHEMES = {
    "http": ("http", "https"),
    "grpc": ("grpc", "grpcs", "http", "https"),  # gRPC travels over HTTP/2, and many write it so
    "resp": ("redis", "rediss", "http"),  # what we start ourselves listens at "http://…"
    "in_process": ("python", "http"),
}
"""Transport → the schemes of its URLs, its own first, an encrypted one among :data:`ENCRYPTED`."""

ENCRYPTED = ("https", "grpcs", "rediss")


def port_of(url: str) -> int:
    """Return the port of a server's URL, 0 where it names none; raises :class:`InputError` for what is no such URL."""
    try:
        parts = urlsplit(url)
        if parts.hostname and any(parts.scheme in schemes for schemes in SCHEMES.values()):
            return parts.port or 0
    except ValueError:  # a port that is no number, or none that exists; an address that is not closed
        raise InputError("endpoint: the url has no valid host and port; write it as http://host:port.") from None
    raise InputError(f"endpoint: {redact(url)!r} is no URL of a server; write it as http://host:port.")


def server_at(url: str, transport: str, protocol: str) -> SplitResult:
    """Return the parts of a URL that a transport can reach; raises :class:`InputError` for any other."""
    port_of(url)
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES[transport]:
        raise InputError(
            f"endpoint: the protocol {protocol!r} is spoken over {transport.upper()}, and {redact(url)!r} is no such "
            f"address; write it as {SCHEMES[transport][0]}://host:port, or name another protocol."
        )
    return parts


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


def redact(url: str) -> str:
    """Return the URL without user, password and query values.

    >>> redact("https://me:secret@example.org/score?key=abc")
    'https://***@example.org/score?***'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")
    netloc = f"***@{host[2]}" if host[1] else host[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "***" if parts.query else "", ""))


def secret_in(variable: str, key: str = "secrets") -> str:
    """Return what an environment variable holds; raises :class:`InputError`, naming its ``key``, when it is not set."""
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InputError(f"endpoint: the environment variable {variable!r} ({key}) is not set; set the token.")
    if not value.isprintable() or not value.isascii():  # the HTTP library would show it in its error
        raise InputError(f"endpoint: the environment variable {variable!r} ({key}) holds what no header can.")
    return value


def token_for_server(variable: str) -> dict[str, str]:
    """Return the named variable as it is, for a server that we start: it must know which token to accept."""
    return {variable: os.environ[variable]} if variable in os.environ else {}


def token_header(variable: str) -> dict[str, str]:
    """Return the ``Authorization`` header for the token in the named environment variable; none for an empty name.

    A value with a space in it is the whole header (``Basic …``), any other a bearer token. gRPC sends it as metadata;
    for RESP see :func:`mltestscore.serving.transports.resp.credentials`.

    Raises :class:`InputError` when the variable is not set.
    """
    if not variable:
        return {}
    value = secret_in(variable, "token_variable")
    return {"authorization": value if " " in value else f"Bearer {value}"}
