"""Builders of records, as short as a test can read them: findings, checks and the four kinds of details."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mltestscore import Interval, at_most
from mltestscore.finding import Finding
from mltestscore.result import CheckResult, DetailRecord, FaultRecord, FindingRecord, InputFact, Proof, Seconds

TRAINING = InputFact(
    name="training", source="data/training.parquet", digest="c03d51e88a5f6e20", rows=241_904, columns=16
)
SERVING = InputFact(
    name="serving", source="logs/served-2026-11.jsonl", digest="9f2c4be01d7753aa", rows=6_512, columns=17
)
RECOMPUTED = InputFact(
    name="recomputed", source="features/batch.parquet", digest="41aa07c6e0b9127d", rows=6_512, columns=15
)
MODEL = InputFact(name="model", source="registry/v12/model.skops", digest="77b1d0f24c9a3e55", note="version 12")

FAULTS = (
    "temperatures are served in °F",
    "one feature lags by an hour",
    "two columns are swapped",
    "missing values are served as 0",
    "categories are served in lower case",
    "times are served in local time",
    "strings are cut after eight characters",
    "one row in a hundred is default-filled",
)
FLAT = ("name", "where", "floor", "ceiling", "unit", "verdict", "cause", "note", "advisory", "smallest_visible")


def record(finding: Finding, previous: float | None = None) -> FindingRecord:
    """Return a finding as the record that a run writes: flat, with ``None`` for an open end."""
    flat = {name: getattr(finding, name) for name in (*FLAT, "n_to_settle")}
    if (interval := finding.interval) is not None:
        flat |= {"value": interval.value, "low": _finite(interval.low), "high": _finite(interval.high)}
        flat |= {"n": interval.n, "confidence": interval.confidence, "method": interval.method}
    return FindingRecord(**flat, previous=previous)


def share(name: str, count: int, n: int, limit: float, **more: Any) -> Finding:
    """Return a share with a Wald interval: wide enough for a picture."""
    value = count / n
    reach = 1.96 * math.sqrt(max(value * (1 - value), 1 / n) / n)
    interval = Interval(value, max(0.0, value - reach), min(1.0, value + reach), n, 0.95, "Wald")
    return at_most(name, interval, limit, unit="share", **more)


def check(
    id: str,
    findings: Sequence[Finding],
    *,
    faults: int = 3,
    missed: str = "",
    proof_of: str = "20261119T140002Z-0f9e8d7",
    previous: Mapping[str, float] | None = None,
    **more: Any,
) -> CheckResult:
    """Return the result of a check with these findings; ``previous`` gives the last run's value by finding name.

    ``proof_of`` is the run whose proof was taken from the record, empty for one that was made now; only what was proven
    stays on record.
    """
    counted = [finding.verdict for finding in findings if not finding.advisory]
    state = next((verdict for verdict in ("failed", "inconclusive") if verdict in counted), "passed")
    by = ", ".join(part for part in (findings[0].name, findings[0].where) if part)
    planted = [FaultRecord(name=name, state="caught", by=by, seconds=0.2) for name in FAULTS[:faults]]
    if missed:
        planted.append(FaultRecord(name=missed, state="missed", seconds=0.2))
    state_of_proof = "vacuous" if missed else "proven" if planted else "unproven"
    reused = proof_of if state_of_proof == "proven" else ""
    fields: dict[str, Any] = {
        "id": id,
        "item": id.split("/")[0],
        "node": f"checks/{id}::check",
        "state": state,
        "proof": Proof(state=state_of_proof, faults=planted, cached_from=reused),
        "findings": [record(finding, (previous or {}).get(finding.name)) for finding in findings],
        "inputs": [TRAINING, MODEL],
        "options": {"tolerance": 0.001, "min_rows": 500},
        "version": "5be1c09d",
        "runs_before": 6,
        "seconds": Seconds(inputs=0.1, check=0.84, faults=0.0 if reused or not planted else 2.31),
    }
    return CheckResult(**{**fields, **more})


def table(rows: int, columns: int) -> DetailRecord:
    names = ["key", "served", "computed", "difference", "carrier", *(f"column {n}" for n in range(6, 13))]
    cells = [[f"UA{1500 + r}", 80.6 + r, 27.0 + r * 0.55, -53.6 - r * 0.45, "UA", *range(7)] for r in range(rows)]
    data = {"columns": names[:columns], "rows": [row[:columns] for row in cells], "left_out": 313}
    return DetailRecord(kind="table", title="Rows that differ most", data=data)


def series(points: int) -> DetailRecord:
    x = [float(i) for i in range(points)]
    this = [30 + 5 * math.sin(i / 9) + i / points for i in x]
    last = [29 + 4 * math.sin(i / 8 + 1) for i in x]
    data = {"x_name": "block", "y_name": "p95, ms", "x": x, "lines": {"this version": this, "version 11": last}}
    return DetailRecord(kind="series", title="Latency, block by block", data=data)


def histograms(bins: int) -> DetailRecord:
    edges = [10 + i * 90 / bins for i in range(bins + 1)]

    def bell(middle: float, width: float) -> list[float]:
        heights = [math.exp(-((((low + high) / 2 - middle) / width) ** 2)) for low, high in pairwise(edges)]
        return [height / sum(heights) for height in heights]

    data = {
        "left_name": "computed",
        "left": bell(40, 18),
        "right_name": "served",
        "right": bell(52, 24),
        "edges": edges,
    }
    return DetailRecord(kind="histograms", title="temp, served against computed", data={**data, "categories": []})


def categories() -> DetailRecord:
    names = ["UA", "B6", "DL", "AA", "EV"]
    left, right = [0.38, 0.27, 0.2, 0.1, 0.05], [0.3, 0.25, 0.24, 0.13, 0.08]
    data = {
        "left_name": "computed",
        "left": left,
        "right_name": "served",
        "right": right,
        "categories": names,
        "edges": [],
    }
    return DetailRecord(kind="histograms", title="carrier, served against computed", data=data)


def log(characters: int) -> DetailRecord:
    lines = "\n".join(f"row {n}: served 80.6, computed 27.0" for n in range(characters // 34))
    return DetailRecord(kind="text", title="First rows that differ", data={"body": lines})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
