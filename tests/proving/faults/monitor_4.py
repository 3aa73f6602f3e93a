"""Faults of the lineage in the registry: what is old, and what only looks new."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import Any

from tests.proving.cases import fault
from tests.proving.system import System

REGISTRY = "build/registry"
NOW = datetime.fromisoformat("2013-11-18T13:00:00+00:00")
KEPT = ("version", "data_digest", "weights_digest", "code_commit", "config_digest")
MAX_AGE = 60


def _moved(value: Any, by: timedelta, name: str = "") -> Any:
    """Return a lineage with every time in it moved back."""
    if isinstance(value, dict):
        return {key: _moved(part, by, key) for key, part in value.items()}
    return (datetime.fromisoformat(value) - by).isoformat() if isinstance(value, str) and name not in KEPT else value


def aged(system: System, days: float) -> None:
    """Let the current version be so many days old, with all that it was made from; the one before as much older."""
    trained = datetime.fromisoformat("2013-10-01T14:00:00+00:00")
    by = timedelta(days=days) - (NOW - trained)
    for version in ("v1", "v2"):
        system.json(f"{REGISTRY}/{version}/lineage.json", lambda lineage: _moved(lineage, by))


@fault("O4a", "monitor.4", "the model is 61, 90, 250 days old, its limit 60", (61, 90, 250), ["age of the model"])
def old(system: System, severity: float, seed: int) -> None:
    aged(system, severity)


@old.healthy("59 days old, with dates written in Tokyo's time")
def not_yet(system: System, severity: float, seed: int) -> None:
    aged(system, MAX_AGE - 1)

    def tokyo(lineage: dict[str, Any]) -> dict[str, Any]:
        at = datetime.fromisoformat(lineage["trained_at"]) + timedelta(hours=9)
        return lineage | {"trained_at": at.replace(tzinfo=None).isoformat() + "+09:00"}

    system.json(f"{REGISTRY}/v2/lineage.json", tokyo)


@fault(
    "O4b",
    "monitor.4",
    "the retraining job publishes the old model again: old weights, old data, both",
    (0, 1, 2),
    ["same as version v2"],
)
def republished(system: System, severity: float, seed: int) -> None:
    changed: dict[str, str] = {}
    if severity == 0:
        changed = {"data_digest": "0f" * 8}
    elif severity == 1:
        changed = {"weights_digest": "0f" * 8}
    _published(system, changed)


@republished.healthy("the data did not change, the lineage says why, and the model is another one")
def unchanged(system: System, severity: float, seed: int) -> None:
    note = "no flights were added: the feed is monthly"
    _published(system, {"weights_digest": "0f" * 8, "unchanged_note": note})


def _published(system: System, changed: dict[str, str]) -> None:
    """Publish the files of v2 as v3, trained ten days ago, and serve them."""
    folder = system.home / REGISTRY
    shutil.copytree(folder / "v2", folder / "v3")
    fresh = timedelta(days=-38)
    system.json(f"{REGISTRY}/v3/lineage.json", lambda lineage: _moved(lineage, fresh) | {"version": "v3"} | changed)
    (folder / "current").write_text("v3\n", encoding="utf-8")
    system.edit(
        "flights/spec.py",
        'CURRENT, PREVIOUS, CANDIDATE = "v2", "v1", "v3"',
        'CURRENT, PREVIOUS, CANDIDATE = "v3", "v2", "v4"',
    )
    system.edit("pyproject.toml", '"--version", "v2"', '"--version", "v3"')
    system.edit("pyproject.toml", "registry/v2/model.skops", "registry/v3/model.skops")


@fault(
    "O4c", "monitor.4", "the model is fresh, its snapshot 61, 90, 180 days older", (61, 90, 180), ["lag of the data"]
)
def old_snapshot(system: System, severity: float, seed: int) -> None:
    _lag(system, severity)


@old_snapshot.healthy("labels come seven days late, as declared")
def label_delay(system: System, severity: float, seed: int) -> None:
    _lag(system, 7)
    system.option("monitor.4", "max_data_lag_days", 8)


def _lag(system: System, days: float) -> None:
    def behind(lineage: dict[str, Any]) -> dict[str, Any]:
        until = datetime.fromisoformat(lineage["trained_at"]) - timedelta(days=days)
        return lineage | {"data_until": until.isoformat()}

    system.json(f"{REGISTRY}/v2/lineage.json", behind)
