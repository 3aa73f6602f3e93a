"""The team's trace in its own process: ``python -m mltestscore.tracing.function_process WORK``.

Reads ``WORK/request.json`` and ``rows.parquet``, and writes one line of JSON a row to ``WORK/result.jsonl`` as soon as
the row is answered, so that one row that hangs loses no other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.functions import import_function
from mltestscore.tracing.trace import tidy


def main(work: Path) -> None:
    """Call the function with each row, a mapping of plain values, and the version."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    function = import_function(request["call"], base=Path(), setting=request["setting"])
    rows = pd.read_parquet(work / "rows.parquet").to_dict("records")
    with (work / "result.jsonl").open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(_answer(function, dict(row), request["version"])) + "\n")
            out.flush()


def _answer(function: Callable[..., Any], row: dict[Any, Any], version: str) -> dict[str, Any]:
    try:
        steps = tidy(function(row, version))
    except (Exception, SystemExit) as error:
        return {"steps": [], "error": f"{type(error).__name__}: {error}"[:400]}
    return {"steps": [(step.name, [(one.name, one.value) for one in step.values]) for step in steps], "error": ""}


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except MltestscoreError as error:
        sys.exit(f"{error}")
