"""Trains and packages candidates in a process of its own: ``python -m mltestscore.validation.packaging_process WORK``.

Reads ``WORK/request.json``, ``probe.parquet`` and one frame a candidate; writes the packages below ``WORK/packages``,
their paths to ``WORK/packaged.json`` and, where the function gives the fitted model too, its own scores of the probe.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.model import as_model
from mltestscore.inputs.training_process import as_process

COMPARED = 2_000
"""Rows on which a package is compared with the model that was packaged: they differ on nearly all rows, or on none."""


def main(work: Path, _: Path) -> None:
    """Make one package after the other."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    package = import_function(request["source"], base=Path(), setting=request["setting"])
    made = []
    for number, seed in enumerate(request["seeds"]):
        folder = work / "packages" / str(number)
        folder.mkdir(parents=True)
        began = perf_counter()
        returned = package(pd.read_parquet(work / f"frame-{number}.parquet"), seed, folder)
        seconds = perf_counter() - began
        pair = isinstance(returned, tuple) and len(returned) == 2
        path = _path(returned[0] if pair else returned, folder, request)
        if pair:
            own = as_model(returned[1], name="the fitted model", **request["speaking"])
            scores = own.predict(pd.read_parquet(work / "probe.parquet").head(COMPARED))
            np.save(work / f"own-{number}.npy", scores, allow_pickle=False)
        made.append({"path": str(path), "seconds": seconds, "own": pair})
    (work / "packaged.json").write_text(json.dumps(made), encoding="utf-8")


def _path(returned: Any, folder: Path, request: dict[str, Any]) -> Path:
    """Return the packaged model's path, below ``folder``."""
    if not isinstance(returned, str | Path):
        raise InputError(
            f"{request['setting']}: {request['source']} returned {type(returned).__name__} ({returned!r:.80}); return "
            "the path of the packaged model, or the path and the fitted model."
        )
    path = (folder / returned).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.exists():
        raise InputError(
            f"{request['setting']}: {request['source']} returned the path {str(returned)!r:.200}; write the packaged "
            "model into the folder that is the third argument, and return its path there."
        )
    return path


if __name__ == "__main__":
    as_process(main)
