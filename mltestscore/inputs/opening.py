"""How an endpoint is started or reached: by a command, a URL, or as what is called in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.endpoint import AS_NEEDED, Endpoint
from mltestscore.serving import process
from mltestscore.serving.client import Client
from mltestscore.serving.in_process import command_for, is_in_process, protocol_for
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.urls import port_of, token_for_server, token_header
from mltestscore.serving.wire import Wire
from mltestscore.settings_serving import COUNTED_AS_USUAL, CountersConfig, LoadConfig, Protocol

Setting = bool | int | float | str


@dataclass(frozen=True, kw_only=True, repr=False)  # the environment may hold secrets
class Opening:
    """What is known of an endpoint before it is asked, of the version in service and of the one before.

    Attributes:
        command: program and arguments; ``{port}`` becomes a free port. With ``url`` too, the server listens there;
            for what is called in a process, the interpreter.
        url: where the server answers; with a command without ``{port}``, the local port that it takes by itself; or
            what is called in a process (:mod:`mltestscore.serving.in_process`).
        previous_command, previous_url: likewise for the model version served before; started on first use.
        protocol: a name of :data:`mltestscore.serving.protocols.NAMES`, or of ``protocols``.
        features: the columns to send; empty: all columns of the frame at hand.
        model, predict, health: the protocol's model name, prediction path and health path, where it has them.
        settings: further settings of the protocol by name.
        protocols: the team's own protocols, or its changes to ours.
        token_variable: holds the bearer token (or a whole Authorization header); inherited by what is started.
        ready_timeout: seconds that a started server has until it answers its first row.
        request_timeout: seconds that any answer may take.
        cwd, env: its working directory, and environment variables besides the harmless ones.
        loading: how it may be loaded.
        counters: what it says of the work for a request.
        model_loading: how a model's file is read that ``url`` names.
    """

    command: Sequence[str] = ()
    url: str = ""
    previous_command: Sequence[str] = ()
    previous_url: str = ""
    protocol: str = "plain_json"
    features: Sequence[str] = ()
    model: str = ""
    predict: str = ""
    health: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    protocols: Mapping[str, Protocol] | None = None
    token_variable: str = ""
    ready_timeout: float = 30.0
    request_timeout: float = 5.0
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    loading: LoadConfig = AS_NEEDED
    counters: CountersConfig = COUNTED_AS_USUAL
    model_loading: Mapping[str, Any] = field(default_factory=dict)

    def open(self, probe: pd.DataFrame | None = None) -> Endpoint:
        """Start or reach the version in service; close the endpoint when done.

        With rows to ``probe``, it has answered the first of them; else the first frame shows whether it is ready.
        Raises :class:`ConfigError` for settings that do not fit, :class:`InputError` for a server that does not start.
        """
        if not self.command and not self.url:
            raise ConfigError("endpoint: neither command nor url is given; write one of them.")
        endpoint = self._reached(self.command, self.url, previous=self._previous)
        if is_in_process(self.url) or (self.command and not self.url):
            endpoint.twin = lambda hook: self._reached(self.command, self.url, hook=hook)
        if probe is not None:
            try:
                endpoint.wait_until_ready(probe)
            except InputError:
                endpoint.close()
                raise
        return endpoint

    @cached_property
    def _spoken(self) -> str:
        return protocol_for(self.url, self.previous_url, self.protocol)

    @cached_property
    def _wire(self) -> Wire:
        given = {**self.settings, **({"model": self.model} if self.model else {})}
        return protocol_named(self._spoken, given, declared=self.protocols, predict=self.predict, health=self.health)

    def _previous(self) -> Endpoint | None:
        command, url = self.previous_command, self.previous_url
        if not command and not url:
            return None
        if is_in_process(self.url):
            command, url = command or self.command, url or self.url
        return self._reached(command, url)

    def _reached(
        self,
        command: Sequence[str],
        url: str,
        *,
        previous: Callable[[], Endpoint | None] = lambda: None,
        hook: Path | None = None,
    ) -> Endpoint:
        """Start or reach one version; ``hook`` is a folder of code that its Python runs first."""
        ready_by, source = time.monotonic() + self.ready_timeout, ""
        wire, headers = self._wire, token_header(self.token_variable)
        if is_in_process(url):
            command = command_for(url, command, wire, timeout=self.request_timeout, loading=self.model_loading)
            url, source = "", url
        port, server = port_of(url) if url else 0, None
        if command:
            given = {**token_for_server(self.token_variable), **self.env}
            variables = process.hooked(hook, given) if hook else given
            server = process.start_listening(command, cwd=self.cwd, env=variables, port=port, deadline=ready_by)
        return Endpoint(
            Client(url or (server.url if server else ""), wire, timeout=self.request_timeout, headers=headers),
            protocol=self._spoken,
            features=self.features,
            server=server,
            source=source,
            ready_by=ready_by,
            previous=previous,
            loading=self.loading,
            counters=self.counters,
        )
