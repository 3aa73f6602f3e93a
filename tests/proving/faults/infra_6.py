"""Faults of a canary: in the log of its roll-out, in the traffic that it met, in the candidate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System


def _log(system: System) -> tuple[Path, pd.DataFrame]:
    file = system.home / "build" / "ramp.csv"
    return file, pd.read_csv(file)


@fault(
    "I6a", "infra.6", "v2 begins with 40, 70, 100 % of the traffic", (0.4, 0.7, 1.0), ["begin with too much traffic"]
)
def skipped(system: System, severity: float, seed: int) -> None:
    file, log = _log(system)
    larger = log["share"].where(log["version"] != "v2", log["share"].clip(lower=severity))
    log.assign(share=larger).to_csv(file, index=False)


@skipped.healthy("one step less, beginning with 5 % all the same")
def fewer(system: System, severity: float, seed: int) -> None:
    file, log = _log(system)
    log[log["share"] != 0.25].to_csv(file, index=False)


@fault("I6b", "infra.6", "the canary errs twice, three, four times as often, and goes on", (2, 3, 4), ["more errors"])
def ignored(system: System, severity: float, seed: int) -> None:
    _errs(system, severity)


@ignored.healthy("errors of 2 % on both sides, 5 % more of the canary's by chance")
def chance(system: System, severity: float, seed: int) -> None:
    _errs(system, 1.05)


def _errs(system: System, times: float) -> None:
    file, log = _log(system)
    share = np.where(log["version"] == "v2", 0.02 * times, 0.02)
    log.assign(errors=(log["requests"] * share).round()).to_csv(file, index=False)


@fault("I6c", "infra.6", "50, 80, 100 % of the canary's requests leave from one airport", (0.5, 0.8, 1.0), ["traffic"])
def easy(system: System, severity: float, seed: int) -> None:
    _leans(system, severity, seed)


@easy.healthy("the hash gives one airport two points more")
def hashed(system: System, severity: float, seed: int) -> None:
    _leans(system, 0.02, seed)


def _leans(system: System, share: float, seed: int) -> None:
    file = system.home / "build" / "ramp_requests.parquet"
    rows = pd.read_parquet(file)
    moved = (rows["version"] == "v2") & (np.random.default_rng(seed).random(len(rows)) < share)
    rows.assign(origin=rows["origin"].where(~moved, "LGA")).to_parquet(file, index=False)


@fault("I6d", "infra.6", "the candidate's file is cut, its libraries are others", (0.9, 0.5, 0.0), ["failed|libraries"])
def unreadable(system: System, severity: float, seed: int) -> None:
    folder = system.home / "build" / "candidates" / "v3"
    if severity:
        content = (folder / "model.skops").read_bytes()
        (folder / "model.skops").write_bytes(content[: int(severity * len(content))])
    else:
        _trained_with(folder, lambda version: f"{int(version.split('.')[0]) - 1}.0")


@unreadable.healthy("the same libraries as another build of them")
def rebuilt(system: System, severity: float, seed: int) -> None:
    _trained_with(system.home / "build" / "candidates" / "v3", lambda version: f"{version}+rebuilt")


def _trained_with(folder: Path, changed) -> None:
    file = folder / "lineage.json"
    lineage = json.loads(file.read_text(encoding="utf-8"))
    lineage["libraries"] = {name: changed(version) for name, version in lineage["libraries"].items()}
    file.write_text(json.dumps(lineage), encoding="utf-8")
