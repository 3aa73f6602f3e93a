"""Loads a rehearsed model in its own process: ``python -m mltestscore.features.rehearsal_process WORK``.

Reads ``WORK/request.json`` and ``served.parquet``, writes inputs and scores of the model to ``WORK/result.json``.
"""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.model import load_model


def main(work: Path) -> None:
    """Score the served rows with the model; one score a row, the last class's where there are several."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    model = load_model(Path(request["model"]), name="rehearsed", version="", base=Path(), **request["loading"])
    served = pd.read_parquet(work / "served.parquet")
    scores: list[float | None] | None = None
    if set(model.features) <= set(served.columns):
        with suppress(Exception):  # rows that it cannot score: what they lack is found by itself
            found = np.asarray(model.predict(served[list(model.features)]), dtype=float)
            found = found[:, -1] if found.ndim == 2 else found
            scores = [None if math.isnan(score) else float(score) for score in found]
    result = {"features": list(model.features), "scores": scores}
    (work / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except MltestscoreError as error:
        sys.exit(f"{error}")
