"""Loads packaged models in a process of its own: ``python -m mltestscore.validation.scoring_process WORK``.

Reads ``WORK/scoring.json`` and ``probe.parquet``; writes task, classes and inputs of each model, or why it cannot be
loaded, to ``WORK/scored.json``, and its scores of the probe beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.model import load_model
from mltestscore.inputs.training_process import as_process


def main(work: Path, _: Path) -> None:
    """Score the probe with one model after the other."""
    request = json.loads((work / "scoring.json").read_text(encoding="utf-8"))
    probe = pd.read_parquet(work / "probe.parquet")
    found = [
        _scored(Path(path), probe, request["loading"], work / f"scores-{number}.npy")
        for number, path in enumerate(request["paths"])
    ]
    (work / "scored.json").write_text(json.dumps(found), encoding="utf-8")


def _scored(path: Path, probe: pd.DataFrame, loading: dict[str, Any], file: Path) -> dict[str, Any]:
    try:
        model = load_model(path, name="the packaged model", **loading)
        try:
            scores = model.predict(probe)
        finally:
            model.close()
    except MltestscoreError as error:
        return {"error": str(error)}
    except Exception as error:  # what a file that is cut off does to its library is the library's own affair
        return {"error": f"{type(error).__name__}: {error}"}
    np.save(file, scores, allow_pickle=False)
    classes = [value if isinstance(value, str | int | float | bool) else str(value) for value in model.classes]
    return {"error": "", "task": model.task, "classes": classes, "features": list(model.features)}


if __name__ == "__main__":
    as_process(main)
