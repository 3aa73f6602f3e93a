"""Faults of a roll-back, in the registry and in the staging server of the example."""

from __future__ import annotations

import json
import shutil

from tests.proving.cases import fault
from tests.proving.system import System

STAGING, APP, CONFIG = "flights/staging.py", "flights/app.py", "pyproject.toml"
SECONDS = "max_seconds = 5"
RELOADED = "                self._current = self._load()\n"


@fault(
    "I7a",
    "infra.7",
    "the previous version was cleaned away: its model, its model and lineage where it is declared",
    (0, 0, 1),
    ["answered 500|not in the registry any more"],
    also=("monitor.6",),
)
def cleaned(system: System, severity: float, seed: int) -> None:
    previous = system.home / "build" / "registry" / "v1"
    if severity:
        shutil.rmtree(previous)
        system.edit(CONFIG, "on_copy = true\n", 'on_copy = true\nprevious = "v1"\n')
    else:
        (previous / "model.skops").unlink()


@cleaned.healthy("a version before the previous one was cleaned away")
def oldest(system: System, severity: float, seed: int) -> None:
    registry = system.home / "build" / "registry"
    lineage = json.loads((registry / "v1" / "lineage.json").read_text(encoding="utf-8"))
    (registry / "v0").mkdir()
    earlier = lineage | {"version": "v0", "trained_at": "2013-01-01T00:00:00+00:00"}
    (registry / "v0" / "lineage.json").write_text(json.dumps(earlier), encoding="utf-8")


@fault(
    "I7b",
    "infra.7",
    "the name goes back, and what scores 5, 50, 100 % of the flights stays",
    (5, 50, 100),
    ["rows not answered as the old version answers them"],
)
def name_only(system: System, severity: float, seed: int) -> None:
    _kept(system, f"[stale if far % 100 < {severity} else fresh for far, stale, fresh in zip(far, late, scores)]")


@name_only.healthy("the server keeps what it loaded first, and asks it without using what it says")
def asked_in_vain(system: System, severity: float, seed: int) -> None:
    _kept(system, "[fresh for far, stale, fresh in zip(far, late, scores)]")


def _kept(system: System, scores: str) -> None:
    """Let the application keep the first model that it loads; distances are whole miles."""
    loaded = '    scores_of = scoring(registry.load(versions or build / "registry", version))\n'
    system.edit(APP, loaded, loaded + '    first = KEPT.setdefault("scores", scores_of)\n')
    system.edit(APP, "LOG_BYTES = 20_000_000\n", "LOG_BYTES = 20_000_000\nKEPT = {}\n")
    scored = "        scores = scores_of(features)\n"
    mixed = f'        far, late = features["distance"].tolist(), first(features)\n        scores = {scores}\n'
    system.edit(APP, scored, scored + mixed)


@fault("I7c", "infra.7", "going back takes 0.8, 2, 6 s longer than the 2 s declared", (0.8, 2, 6), ["seconds|did not"])
def slow(system: System, severity: float, seed: int) -> None:
    _waits(system, 2 + severity)
    system.edit(CONFIG, SECONDS, "max_seconds = 2")


@slow.healthy("slow, but within the declared time")
def declared(system: System, severity: float, seed: int) -> None:
    _waits(system, 2 + severity)
    system.edit(CONFIG, SECONDS, "max_seconds = 60")


def _waits(system: System, seconds: float) -> None:
    system.edit(STAGING, RELOADED, f"                __import__('time').sleep({seconds})\n{RELOADED}")
