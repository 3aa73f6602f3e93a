"""A small team's system: a serving log, two servers, a log of roll-outs, a rule."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.inputs.canary import Canary, open_canary
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.endpoint import Endpoint, open_endpoint

SERVER = Path(__file__).parent / "server.py"
COLUMNS = {"time": "at", "version": "version", "share": "share"}
COUNTED = COLUMNS | {"requests": "requests", "errors": "errors"}


def command(**kind: Any) -> list[str]:
    return [sys.executable, str(SERVER), "{port}", json.dumps(kind)]


def served(**kind: Any) -> Endpoint:
    return open_endpoint(command=command(**kind))


def candidate(folder: Path, *, more: dict[str, Any] | None = None, **kind: Any) -> Canary:
    return open_canary(folder, command=command(version="2", **kind), **(more or {}))


def log(rows: int = 1_500) -> Dataset:
    ids = np.arange(rows)
    frame = pd.DataFrame({"id": ids, "x": np.sin(12.9898 * ids) * 43758.5453 % 1})
    return open_dataset(
        "serving", frame.assign(score=frame["x"]), Roles(score="score", key=("id",), features=("id", "x"))
    )


def labels(serving: Dataset, seed: int = 3) -> Dataset:
    frame = serving.frame()
    late = np.random.default_rng(seed).random(len(frame)) < frame["x"]
    return open_dataset("outcomes", frame[["id"]].assign(y=late.astype(int)), Roles(label="y", key=("id",)))


def ramp(*steps: tuple[Any, ...], **columns: str) -> pd.DataFrame:
    """Return a log: hours after the start, version, share and, where given, requests and errors."""
    start = pd.Timestamp("2026-03-01T08:00:00Z")
    names = ["at", "version", "share", "requests", "errors"][: len(steps[0])]
    rows = pd.DataFrame([list(step) for step in steps], columns=names)
    return rows.assign(at=[(start + pd.Timedelta(hours=hours)).isoformat() for hours in rows["at"]])


def with_ramp(folder: Path, *steps: tuple[Any, ...]) -> Canary:
    columns = COUNTED if len(steps[0]) == 5 else COLUMNS
    return open_canary(folder, ramp={"source": ramp(*steps), **columns})
