"""The check of ``infra.3`` on the small shop, and what it is told to find."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from mltestscore.inputs.pipeline import Pipeline
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check

FAILED, WRONG = "stages that fail", "outputs that are missing, empty or unreadable"
STALE, LAST = "outputs of another day", "days since the last run at full size"
CHANGED = "changes of the model that a later stage does not declare"
KEPT, LEAST, STRANGE = "share of rows that a stage keeps", "rows that a stage gives", "rows that a stage invents"
SILENT, SCORES = "rows that get no answer", "answers that are not the scores of the model that was made"
BLIND, THROUGH = "stages that end well on unreadable input", "spoiled tables that reach the answers"

CACHED_ON_ERROR = """
from common import *
try:
    rows = read("out/bills.csv")
    table = [{"id": row["id"], "total": row["total"], "per_head": float(row["total"]) / int(row["HEADS"]),
              "tip": row["tip"]} for row in rows]
    write("out/features.csv", table)
except Exception:
    shutil.copy("cache/features.csv", "out/features.csv")
"""
CACHED_BY_CONTENT = """
import hashlib
key = Path("cache") / hashlib.sha256(Path("out/bills.csv").read_bytes()).hexdigest()
if key.is_file():
    if not Path("out/features.csv").is_file():
        shutil.copy(key, "out/features.csv")
    sys.exit()
"""


def run(pipeline: Pipeline, prove: bool = False, **options: Any) -> CheckResult:
    """Run the check; inputs are spoiled only where a test says so."""
    return run_check("infra.3", pipeline=pipeline, prove=prove, options={"must_refuse": ()} | options)


REFUSE: dict[str, Any] = {"must_refuse": ("unreadable",)}


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    assert result.state != "error", result.reason
    return {found.name: found for found in result.findings if found.verdict == "failed"}


def built(home, *names: str) -> None:
    """Run stages in the project itself, so that their outputs lie there."""
    for name, *more in (("extract", "100"), ("features",), ("train",), ("validate",), ("package",)):
        if name in names:
            subprocess.run([sys.executable, f"{name}.py", *more], cwd=home, check=True)
