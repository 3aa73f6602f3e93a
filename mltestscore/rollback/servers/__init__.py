"""Servers whose versions a drill can switch, as data, one small file each: :class:`settings_servers.Operations`.

Add one by a file with ``OPERATIONS`` and a line in ``NAMES``; a team adds or changes one in
``[tool.mltestscore.servers.<name>]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import quote

from mltestscore.errors import ConfigError, near
from mltestscore.rollback.commands import fill
from mltestscore.rollback.managed import ServerVersions
from mltestscore.serving.protocols import declaration
from mltestscore.serving.urls import at_path
from mltestscore.settings_infra import RollbackConfig
from mltestscore.settings_servers import Operations
from mltestscore.settings_serving import Protocol, Setting

NAMES = ("mlflow", "mlserver", "multi_model_server", "torchserve", "triton")
ALIASES = {"mms": "multi_model_server"}


def operations_named(name: str, declared: Mapping[str, Operations] | None = None) -> Operations:
    """Return how versions are switched on a server; what a team declares under one of our names changes ours.

    Raises :class:`ConfigError` for an unknown name, suggesting near ones.
    """
    own, known = (declared or {}).get(name), ALIASES.get(name, name)
    if known not in NAMES:
        if own is None:
            raise ConfigError(
                f"tool.mltestscore.rollback: no server is called {name!r:.80}."
                f"{near(name, {*NAMES, *ALIASES, *(declared or {})})}"
            )
        return own
    ours: Operations = import_module(f"{__name__}.{known}").OPERATIONS
    if own is None:
        return ours
    changed = {key: getattr(own, key) for key in own.model_fields_set}
    return ours.model_copy(update={**changed, "settings": {**ours.settings, **own.settings}})


def settings_of(found: RollbackConfig, operations: Operations) -> dict[str, Setting]:
    """Return the settings that texts of ``operations`` may hold, as the drill sets them."""
    own = {key: value for key, value in found.settings.items() if key in operations.settings}
    return {**operations.settings, **own, "model": found.model or found.settings.get("model", "")}


def applied(found: RollbackConfig, operations: Operations, protocols: Mapping[str, Protocol]) -> RollbackConfig:
    """Return the drill's table with what ``operations`` says in place of what the team leaves out.

    Raises :class:`ConfigError` where the model is not named that must be loaded.
    """
    values = {key: str(value) for key, value in settings_of(found, operations).items()}
    if operations.redeploy and "{model}" in operations.redeploy and not values["model"]:
        raise ConfigError(f"tool.mltestscore.rollback has server = {found.server!r} and no model; write its name.")
    names = {**values, "name": found.name, "alias": found.alias, "uri": found.uri}
    said: dict[str, Any] = {
        "registry": operations.registry,
        "protocol": operations.protocol or "plain_json",
        "redeploy_request": fill(operations.redeploy, {key: quote(value, safe="") for key, value in values.items()}),
    }
    if operations.command and not found.url:
        said |= {"command": [fill(word, names) for word in operations.command], "restart": operations.restart}
    if found.redeploy_command or found.redeploy_request:  # the team has its own way
        said = {key: value for key, value in said.items() if key not in ("redeploy_request", "restart")}
    said = {key: value for key, value in said.items() if key not in found.model_fields_set}
    said["environment"] = {
        **{key: fill(text, names) for key, text in operations.environment.items()},
        **found.environment,
    }
    known = declaration(said.get("protocol", found.protocol), protocols).settings
    said["settings"] = {
        key: value for key, value in found.settings.items() if key in known or key not in operations.settings
    }
    said["model"] = found.model if "model" in known else ""
    return found.model_copy(update=said)


def versions_of(found: RollbackConfig, operations: Operations | None) -> ServerVersions:
    """Return the server as the registry of its own versions; raises :class:`ConfigError` for what is missing."""
    if operations is None:
        known = ", ".join(NAMES)
        raise ConfigError(f'tool.mltestscore.rollback has registry = "server" and no server; write one of {known}.')
    settings = settings_of(found, operations)
    if operations.current is None or operations.versions is None or not operations.promote:
        raise ConfigError(f"tool.mltestscore.rollback: server = {found.server!r} says not how versions are promoted.")
    if not settings["model"]:
        raise ConfigError(f"tool.mltestscore.rollback has server = {found.server!r} and no model; write its name.")
    url = found.management_url or at_path(found.url, operations.management) if found.url else found.management_url
    if not url or found.command:
        raise ConfigError(
            f"tool.mltestscore.rollback: server = {found.server!r} is asked for its versions before the drill; "
            "start it yourself and write its url, and no command."
        )
    also = (found.previous,) if found.previous else ()
    return ServerVersions(operations, url.rstrip("/"), settings, also, found.management_token_variable)
