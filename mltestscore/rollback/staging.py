"""The staging server of a drill: started by us or reached at a URL, asked for answers, and told to redeploy."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

from mltestscore.errors import InputError
from mltestscore.rollback.commands import call, fill, request
from mltestscore.serving import process
from mltestscore.serving.client import Answer, Client
from mltestscore.serving.protocols import Columns, Wire
from mltestscore.serving.transports.base import NotReadyError
from mltestscore.serving.urls import port_of, redact, token_for_server, token_header

PAUSE = 0.1


@dataclass(frozen=True)
class Serving:
    """How the staging server is started or reached, asked, and made to load what the registry names.

    Attributes:
        protocol: how rows and answers are written.
        command: starts it; ``{port}``, ``{version}``, ``{registry}`` and ``{python}`` are filled in.
        environment: variables of a server that ``command`` starts, besides the harmless ones of ours.
        url: where it answers, if it runs already.
        redeploy_command: makes it serve the promoted version; words as in ``command``, and ``{url}``.
        redeploy_request: does so by HTTP: ``"POST /reload"``.
        restart: whether the server that we started is stopped and started again.
        reference_command: starts a server of ``{version}`` by itself, apart from registry and staging server.
        token_variable: the environment variable that holds the server's token.
        ready_timeout: seconds that a started server has until it answers.
        request_timeout: seconds that any answer may take.
        waits: what is known of requests that wait on such a server while versions switch.
    """

    protocol: Wire
    command: tuple[str, ...] = ()
    url: str = ""
    redeploy_command: tuple[str, ...] = ()
    redeploy_request: str = ""
    restart: bool = False
    reference_command: tuple[str, ...] = ()
    token_variable: str = ""
    ready_timeout: float = 30.0
    request_timeout: float = 5.0
    environment: Mapping[str, str] = field(default_factory=dict)
    waits: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """All of this as values whose texts are the same in every run."""
        wire = (self.protocol.name, self.protocol.declared.model_dump_json(), sorted(self.protocol.settings.items()))
        return (wire, *(getattr(self, one.name) for one in fields(self) if one.name != "protocol"))

    @property
    def source(self) -> str:
        """The command or the URL."""
        return " ".join(self.command) or redact(self.url)


class Staging:
    """The server during one drill; started, where it is ours, by :func:`opened`."""

    def __init__(self, serving: Serving, folder: Path, registry: str, version: str) -> None:
        self.serving, self._folder, self._registry = serving, folder, registry
        headers = token_header(serving.token_variable)
        self._token, self._url = headers, serving.url
        self._server: process.Server | None = None
        if serving.command:
            self._server = self._started(version)
            self._url = self._url or self._server.url
        # Each request on its own connection, as a new user comes: a kept one would blame the swap for a closed socket.
        headers = {**headers, "connection": "close"}
        self.client = Client(self._url, serving.protocol, timeout=serving.request_timeout, headers=headers)

    def _started(self, version: str) -> process.Server:
        words = [fill(word, self._values(version)) for word in self.serving.command]
        port = port_of(self._url) if self._url else 0
        deadline = time.monotonic() + self.serving.ready_timeout
        own = {**token_for_server(self.serving.token_variable), **self.serving.environment}
        return process.start_listening(words, cwd=self._folder, env=own, port=port, deadline=deadline)

    def wait_until_ready(self, probe: Columns) -> Answer:
        """Return the first answer; raises :class:`InputError` where there is none within ``ready_timeout``."""
        deadline = time.monotonic() + self.serving.ready_timeout
        while True:
            try:
                return self.client.predict(probe)
            except NotReadyError as error:
                if self._server:
                    self._server.require_running()
                if time.monotonic() > deadline:
                    told = f"\nStarted as {self._server.describe()}" if self._server else ""
                    raise InputError(f"{error}{told}") from None
            time.sleep(PAUSE)

    def served_version(self, probe: Columns) -> str:
        """Return the version that the server names with its answers, or an empty text, once it answers."""
        return self.wait_until_ready(probe).version

    def redeploy(self, version: str, timeout: float) -> None:
        """Make the server serve what the registry names now; a server that looks by itself needs nothing.

        Raises :class:`InputError` when the command, the request or the new start fails.
        """
        if self.serving.redeploy_command:
            words, values = self.serving.redeploy_command, self._values(version)
            call(words, values, folder=self._folder, setting="redeploy_command", timeout=timeout)
        if self.serving.redeploy_request:
            request(
                self.serving.redeploy_request,
                {"version": version},
                setting="redeploy_request",
                timeout=timeout,
                base=self.client.url,
                headers=self._token,
            )
        if self.serving.restart and self._server:
            self._server.stop()
            self._server = self._started(version)

    def _values(self, version: str) -> Mapping[str, str]:
        known = {"version": version, "registry": self._registry, "python": sys.executable}
        return {**known, "url": self._url, "port": str(port_of(self._url))} if self._url else known

    def close(self) -> None:
        """Stop what we started."""
        self.client.close()
        if self._server:
            self._server.stop()


@contextmanager
def opened(serving: Serving, folder: Path, registry: str, version: str) -> Iterator[Staging]:
    """Give the staging server, perhaps not ready yet; what we started is stopped afterwards, whatever happens."""
    staging = Staging(serving, folder, registry, version)
    try:
        yield staging
    finally:
        staging.close()
