"""Loads a rehearsed model in its own process: ``python -m mltestscore.features.rehearsal_process WORK``.

Reads ``WORK/request.json`` and ``served.parquet``, writes inputs and scores of the model to ``WORK/result.json``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.model import Model, load_model


def main(work: Path) -> None:
    """Score the served rows with the model; one score a row, the last class's where there are several."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    served = pd.read_parquet(work / "served.parquet")
    model, ordered = _loaded(request, served)
    scores: list[float | None] | None = None
    if ordered and set(model.features) <= set(served.columns):
        with suppress(Exception):  # rows that it cannot score: what they lack is found by itself
            found = np.asarray(model.predict(served[list(model.features)]), dtype=float)
            found = found[:, -1] if found.ndim == 2 else found
            scores = [None if math.isnan(score) else float(score) for score in found]
    result = {"features": list(model.features), "scores": scores}
    (work / "result.json").write_text(json.dumps(result), encoding="utf-8")


def _loaded(request: Mapping[str, Any], served: pd.DataFrame) -> tuple[Model, bool]:
    """Return the model, and whether the order of its inputs is known.

    What the configuration declares of the inputs was written before the feature was added. So the model's own names
    count; where it has none, whether it takes one input more than is declared.
    """
    declared = list(request["loading"].get("features", ()))

    def load(features: Sequence[str]) -> Model:
        loading = {**request["loading"], "features": features}
        return load_model(Path(request["model"]), name="rehearsed", version="", base=Path(), **loading)

    if not declared:
        return load(()), True
    with suppress(MltestscoreError):
        return load(()), True
    with suppress(Exception):  # of rows with one value more than it takes, it says so
        model = load([*declared, request["feature"]])
        model.predict(served.reindex(columns=list(model.features)).head(1))
        return model, False
    return load(declared), True


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except MltestscoreError as error:
        sys.exit(f"{error}")
