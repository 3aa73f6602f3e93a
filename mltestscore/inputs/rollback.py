"""Going back to the previous version of the model, as a drill: a registry, a staging server, and what is promised.

How a drill may be written, besides ``drill = true``, ``max_seconds`` and the protocol:

* Flask and the like that follow a folder of versions: ``registry = "folder"``, ``redeploy_request = "POST /reload"``.
* ``server = "torchserve"`` and the like with ``url`` and ``model``: what is known of a server
  (:mod:`mltestscore.rollback.servers`) need not be written; ``management_url`` where management is not at its usual
  port, ``settings`` for what the server's file names.
* ``registry = "commands"``: the team's own commands and requests.

``python -m tests.rollback.drills`` performs them on real servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mltestscore.errors import ConfigError, NotOffered
from mltestscore.inputs import digests
from mltestscore.inputs.dataset import Dataset
from mltestscore.rollback.commands import method_and_url
from mltestscore.rollback.journal import DrillJournal
from mltestscore.rollback.registries import TABLE, Commands, FolderPointer, MlflowAlias, VersionRegistry
from mltestscore.rollback.staging import Serving
from mltestscore.serving.protocols import protocol_named

REMEDY = f"write drill = true under {TABLE}, if its registry and its staging server may be changed and put back"


@dataclass(frozen=True)
class Rollback:
    """A drill that may be performed.

    Attributes:
        folder: the project's folder; commands run there.
        registry: which versions there are, and which is in service.
        serving: the staging server.
        max_seconds: how long going back may take, by the team's own word.
        downtime_seconds: for how long requests may fail meanwhile, by the team's own word.
        previous: the version to go back to; empty: the one before the current.
        on_copy: whether a folder of versions is copied first, and the server started on the copy.
        rows: what is asked; ``None``: rows of ``serving`` or ``holdout``.
        answers: rows with the answers that the previous version gave when it was in service, if they were kept.
        score: the column of ``answers`` that holds them.
        features: the columns that are sent; empty: the features of the data.
        tampering: what is done to the record of the drill, by name: how a fault is planted.
    """

    folder: Path
    registry: VersionRegistry
    serving: Serving
    max_seconds: float
    downtime_seconds: float = 0.0
    previous: str = ""
    on_copy: bool = False
    rows: Dataset | None = None
    answers: Dataset | None = None
    score: str = "score"
    features: tuple[str, ...] = ()
    tampering: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """Registry and server, for the reader."""
        return f"{self.registry.source}; {self.serving.source}"

    @property
    def digest(self) -> str:
        """A digest of what is drilled and promised."""
        promised = (self.max_seconds, self.downtime_seconds, self.previous, self.on_copy, self.score, self.features)
        asked = [None if one is None else one.digest for one in (self.rows, self.answers)]
        registry = getattr(self.registry, "content", self.registry.source)
        parts = (registry, self.serving.content, promised, asked, self.tampering)
        return digests.of_settings(parts)

    @property
    def journal(self) -> DrillJournal:
        """What a drill that was killed leaves for the next one."""
        return DrillJournal(self.folder / ".mltestscore")

    def replace(self, **changes: Any) -> Rollback:
        """Return a drill with other attributes: how a fault is planted."""
        return replace(self, **changes)


def open_rollback(
    folder: Path,
    *,
    drill: bool,
    max_seconds: float,
    registry: str | VersionRegistry = "folder",
    where: Mapping[str, Any] | None = None,
    serving: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Rollback:
    """Return the drill.

    Args:
        folder: the project's folder.
        drill: permission to change this registry and this server, and to put them back.
        max_seconds: see :class:`Rollback`.
        registry: ``"folder"``, ``"mlflow"``, ``"commands"``, or an object of the team's own.
        where: of the registry: the attributes of :class:`FolderPointer`, :class:`MlflowAlias` or :class:`Commands`.
        serving: the attributes of :class:`Serving`; its ``protocol`` may be a name, with ``settings`` of it.
        settings: other attributes of :class:`Rollback`.

    Raises :class:`NotOffered` without permission, :class:`ConfigError` for settings that do not fit.
    """
    home = folder.resolve()
    if not drill:
        raise NotOffered("rollback", _refusal(home))
    known = registry if not isinstance(registry, str) else _registry(registry, home, dict(where or {}))
    server = _serving(dict(serving or {}))
    found = Rollback(home, known, server, max_seconds, **settings)
    if not max_seconds > 0 or found.downtime_seconds < 0:
        raise ConfigError(f"{TABLE}: max_seconds must be above 0, and downtime_seconds not below.")
    if found.on_copy and not (isinstance(known, FolderPointer) and server.command and not server.url):
        raise ConfigError(f"{TABLE} on_copy is for a folder of versions and a server that command starts, without url.")
    if found.on_copy and not any("{registry}" in word for word in server.command):
        raise ConfigError(f"{TABLE} command does not say where the copied folder goes; write {{registry}} there.")
    if found.answers is not None:
        found.answers.require(found.score)
    return found


def _refusal(folder: Path) -> str:
    pending = DrillJournal(folder / ".mltestscore").pending()
    if pending is None:
        return REMEDY
    return f"{REMEDY}; one was killed before it put back {pending.current!r:.80} in {pending.target:.200}: see to it"


def _registry(kind: str, folder: Path, where: dict[str, Any]) -> VersionRegistry:
    if kind == "folder":
        return FolderPointer((folder / where["path"]).resolve(), where.get("pointer", "current"))
    if kind == "mlflow":
        uri = str(where["uri"])
        if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
            uri = f"sqlite:///{(folder / uri.removeprefix('sqlite:///')).resolve()}"
        if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
            raise ConfigError(f"{TABLE} uri: there is no file {uri.removeprefix('sqlite:///')}.")
        return MlflowAlias(uri, where["name"], where["alias"])
    if kind != "commands":
        raise ConfigError(f'{TABLE} registry is {kind!r:.80}; write "folder", "mlflow" or "commands".')
    if bool(where.get("promote_command")) == bool(where.get("promote_request")):
        raise ConfigError(f"{TABLE}: give promote_command or promote_request, one of both.")
    if not any("{version}" in word for word in [*where.get("promote_command", ()), where.get("promote_request", "")]):
        raise ConfigError(f"{TABLE}: promoting does not say which version; write {{version}} where it goes.")
    if where.get("promote_request"):
        method_and_url(where["promote_request"], "promote_request")
    return Commands(folder, **where)


def _serving(serving: dict[str, Any]) -> Serving:
    settings = serving.pop("settings", {})
    protocol = serving.pop("protocol", "plain_json")
    if isinstance(protocol, str):
        protocol = protocol_named(protocol, settings)
    found = Serving(protocol, **serving)
    if not (found.ready_timeout > 0 and found.request_timeout > 0):
        raise ConfigError(f"{TABLE}: ready_timeout and request_timeout must be above 0.")
    if not found.command and not found.url:
        raise ConfigError(f"{TABLE}: neither command nor url says which staging server is drilled; write one of them.")
    if found.restart and not found.command:
        raise ConfigError(f"{TABLE} restart is for a server that command starts; use redeploy_command for others.")
    if found.redeploy_request:
        method_and_url(found.redeploy_request, "redeploy_request")
    return found
