"""A server as the registry of its own versions: asked and changed by its management API, as declared."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from mltestscore.errors import InputError
from mltestscore.rollback.registries import PATIENCE, TABLE, natural
from mltestscore.serving.bodies import fill as fill_body
from mltestscore.serving.bodies import filled, path_of
from mltestscore.serving.places import find, texts
from mltestscore.serving.transports.http import bounded
from mltestscore.serving.urls import at_path, redact, token_header
from mltestscore.settings_servers import Asked, Operations, Step
from mltestscore.settings_serving import Route, Setting

PAUSE = 0.1
NOT_YET = range(400, 600)  # HTTP statuses of a version that may yet be ready
SHOWN = 300


@dataclass(frozen=True)
class ServerVersions:
    """The versions of one model on one server.

    Attributes:
        operations: how they are listed and switched.
        url: where management is asked.
        settings: what texts of ``operations`` may hold.
        also: versions that can be loaded, though the server does not list them.
        token_variable: the environment variable that holds the token of the management API.
    """

    operations: Operations
    url: str
    settings: Mapping[str, Setting]
    also: tuple[str, ...] = ()
    token_variable: str = ""

    @property
    def source(self) -> str:
        """Server, model and URL, without secrets."""
        title = self.operations.title or "a server"
        return f"{self.settings['model']!s:.80} on {title} at {redact(self.url)}"

    @property
    def content(self) -> str:
        """All of this as a text that is the same in every run."""
        return f"{self.url} {self.operations.model_dump_json()} {sorted(self.settings.items())} {self.also}"

    def current(self) -> str:
        """Return the version in service; empty while there is none."""
        return max(self._versions(self.operations.current), key=natural, default="")

    def versions(self) -> Sequence[str]:
        """Return the versions by number."""
        return sorted({*self._versions(self.operations.versions), *self.also}, key=natural)

    def promote(self, version: str, timeout: float) -> None:
        """Put it in service, loading it first where it is not loaded."""
        self._take(self.operations.promote, version, timeout, self._kept())

    def remembered(self) -> str:
        """Return what must be known to put all back."""
        return json.dumps({"loaded": self._loaded(), "kept": self._kept()})

    def put_back(self, version: str, remembered: str, timeout: float) -> None:
        """Put the version in service that was before, as it was."""
        steps = self.operations.put_back or self.operations.promote
        self._take(steps, version, timeout, json.loads(remembered)["kept"])

    def tidy(self, remembered: str, timeout: float) -> None:
        """Unload what was not loaded before."""
        before = json.loads(remembered)
        for version in self._loaded() if self.operations.tidy else ():
            if version not in before["loaded"]:
                self._take(self.operations.tidy, version, timeout, before["kept"])

    def _loaded(self) -> list[str]:
        return self._versions(self.operations.loaded or self.operations.versions)

    def _kept(self) -> Any:
        asked = self.operations.kept
        return None if asked is None else self._asked(asked.ask, "", asked.body, PATIENCE)[1]

    def _versions(self, asked: Asked | None) -> list[str]:
        assert asked is not None  # what is declared without it is not opened
        status, body = self._asked(asked.ask, "", asked.body, PATIENCE, asked.absent)
        if status in asked.absent:
            return []
        for place in asked.where:
            if found := find(body, filled(place, self.settings)):
                return list(dict.fromkeys(str(one) for each in found for one in _several(each)))
        return []

    def _take(self, steps: Sequence[Step], version: str, timeout: float, kept: Any) -> None:
        deadline = time.monotonic() + timeout
        loaded = self._loaded() if any(step.unless_loaded for step in steps) else []
        for step in steps:
            if step.unless_loaded and version in loaded:
                continue
            self._asked(step.ask, version, step.body, max(1.0, deadline - time.monotonic()), step.allow, kept)
            if step.until:
                self._wait(step.until, version, deadline)

    def _wait(self, route: Route, version: str, deadline: float) -> None:
        """Ask until the answer is what ``route`` wants."""
        places = [filled(place, {**self.settings, "version": version}) for place in route.where]
        while True:
            status, body = self._asked(route.ask, version, None, PATIENCE, NOT_YET)
            found = texts(body, places) if status not in NOT_YET else []
            denied = status in NOT_YET or any(value.lower() in found for value in route.unless)
            if not denied and (not route.values or any(value.lower() in found for value in route.values)):
                return
            if time.monotonic() > deadline:
                said = ", ".join(found)
                raise InputError(
                    f"{TABLE} server: {route.ask} says {said:.100} of {version:.80} to the end of its time."
                )
            time.sleep(PAUSE)

    def _asked(
        self, line: str, version: str, body: object, timeout: float, allow: Container[int] = (), kept: Any = None
    ) -> tuple[int, Any]:
        """Send a request; return the status and the answer's JSON, ``None`` where it is none."""
        settings = self._with(version)
        method, _, path = line.partition(" ")
        if not (path := path_of(path, settings)):
            empty = [name for name, value in settings.items() if f"{{{name}}}" in line and value in ("", None)]
            raise InputError(f"{TABLE} settings: {' and '.join(empty)} is needed for {line:.200}; write it.")
        url, headers = at_path(self.url, path), token_header(self.token_variable)
        where = f"{TABLE} server: {method} {redact(url)}"
        content = None if body is None else json.dumps(_made(fill_body(body, settings), kept)).encode()
        headers |= {"content-type": "application/json"} if content else {}
        try:
            with (
                httpx.Client(timeout=timeout, trust_env=False, headers=headers) as client,
                client.stream(method, url, content=content) as answer,
            ):
                reply = bounded(answer, time.monotonic() + timeout, where)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = f"no answer within {timeout:.0f} s" if isinstance(error, httpx.TimeoutException) else str(error)
            raise InputError(f"{where}: {why}.") from None
        if not 200 <= reply.status < 300 and reply.status not in allow:
            said, hint = reply.content[:SHOWN].decode("utf-8", "replace"), self.operations.hints.get(str(reply.status))
            raise InputError(f"{where} was answered {reply.status}: {said!r}{f'; {hint}' if hint else ''}")
        try:
            return reply.status, json.loads(reply.content)
        except (ValueError, RecursionError):
            return reply.status, None

    def _with(self, version: str) -> dict[str, Setting]:
        """Return the settings, the version filled into those that hold it."""
        known = {key: value.replace("{version}", version) if isinstance(value, str) else value
                 for key, value in self.settings.items()}  # fmt: skip
        return {**known, "version": version}


def _several(found: object) -> list[object]:
    return found if isinstance(found, list) else [found]


def _made(body: Any, kept: Any) -> Any:
    """Return a body with what was kept and texts of JSON in their places.

    >>> _made({"config": {"$text": {"$kept": {"policy": 1}}}}, {"policy": 2, "name": "iris"})
    {'config': '{"policy": 1, "name": "iris"}'}
    """
    if isinstance(body, list):
        return [_made(part, kept) for part in body]
    if not isinstance(body, Mapping):
        return body
    if set(body) == {"$kept"}:
        return {**kept, **_made(body["$kept"], kept)} if isinstance(kept, Mapping) else kept
    if set(body) == {"$text"}:
        return json.dumps(_made(body["$text"], kept))
    return {key: _made(part, kept) for key, part in body.items()}
