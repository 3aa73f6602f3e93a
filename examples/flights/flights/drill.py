"""The rollback drill of ``docs/rollback.md`` on a copy of the build: ``python -m flights.drill``."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from flights import registry, spec
from flights.app import LOG, create_app
from flights.build import ensure

FLIGHTS = 500


def drill(build: Path) -> str:
    """Roll back and forward on a copy of ``build``; return the row for the table of drills.

    Raises :class:`RuntimeError` when a server answers with the scores or the name of another version.
    """
    rows = pd.read_parquet(build / "holdout.parquet", columns=list(spec.FEATURES)).head(FLIGHTS)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "build"
        shutil.copytree(build, copy, ignore=shutil.ignore_patterns("broken-*", "logs"))
        began = time.monotonic()
        differences = [_switch(copy, version, rows) for version in (spec.PREVIOUS, spec.CURRENT)]
        took = time.monotonic() - began
    day = datetime.now(UTC).date().isoformat()
    return (
        f"| {day} | {spec.CURRENT} | {spec.PREVIOUS} and back | {len(rows)} | {max(differences):.1g} | {took:.1f} s |"
    )


def _switch(build: Path, version: str, rows: pd.DataFrame) -> float:
    """Point to ``version``, serve what is pointed to, and return its largest difference from that version's model."""
    registry.point_to(build / "registry", version)
    current = (build / "registry" / registry.POINTER).read_text(encoding="utf-8").strip()
    app = create_app(build, current, build / "logs" / "drill.jsonl")
    sent = rows.astype(object).where(rows.notna(), None).to_dict("records")
    with closing(app.extensions[LOG]):
        answer = app.test_client().post("/predict", json={"rows": sent}).get_json()
    expected = registry.load(build / "registry", version).predict_proba(rows)[:, 1]
    difference = float(np.max(np.abs(np.array(answer["scores"]) - expected)))
    if answer["version"] != version or difference > 1e-9:
        raise RuntimeError(f"rolled to {version}, but {answer['version']} answers, off by {difference:.3g}")
    return difference


if __name__ == "__main__":
    print(drill(ensure()))
