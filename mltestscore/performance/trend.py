"""Times, memory and training over the runs on record: growth by degrees, which no comparison of two versions shows.

It warns and never fails: runs lie days apart, and the machine may have changed in ways that nobody recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import scipy

from mltestscore.details import Series, Table
from mltestscore.errors import MltestscoreError
from mltestscore.facts import machine
from mltestscore.finding import Finding, at_most
from mltestscore.inputs.training_costs import TrainingCost
from mltestscore.result import CheckResult
from mltestscore.serving.blocks import Arm
from mltestscore.stats.interval import CLEAR, Interval

if TYPE_CHECKING:
    from mltestscore.history import History

FIGURES = "Figures of this run, for the trend"
TREND = "worse by degrees over the runs on record"
CAPACITY = "capacity (1/s)"
LEAST_RUNS = 8
"""With fewer, the slope's bound at the level below is a matter of luck."""
LEVEL = 0.002
"""Of a warning; runs that follow one another are alike, and a trend of seven figures is looked at in every run."""
METHOD = "Theil-Sen on logarithms, Sen's interval"


def figures_of(arm: Arm, costs: Sequence[TrainingCost]) -> dict[str, float]:
    """Return what is worth remembering of the current version, by name with unit."""
    median, high = np.percentile(arm.latencies_ms, [50, 99])
    found = {
        "median latency (ms)": median,
        "99th percentile of latency (ms)": high,
        CAPACITY: float(np.median(arm.capacities)),
    }
    if arm.memory:
        found["memory (MiB)"] = max(arm.memory) / 2**20
    if costs:
        found["training (processor s)"] = min(cost.cpu_seconds for cost in costs)
        found["training (MiB)"] = max(cost.peak_bytes for cost in costs) / 2**20
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def judge_trend(
    history: History | None, now: Mapping[str, float], rate: float, tolerance: float, runs: int
) -> Iterator[Finding | Table | Series]:
    """Warn of each figure that became worse by more than ``tolerance`` over at most ``runs`` runs, this one included.

    Only runs on a machine like this one and at the same declared ``rate`` are compared.
    """
    yield Table(FIGURES, ["figure", "value"], list(now.items()))
    if history is None or runs < 2:
        return
    earlier: list[tuple[str, dict[str, float]]] = []
    with suppress(MltestscoreError):  # the run itself warns of a history that cannot be read
        earlier = list(_comparable(history, rate, runs - 1))
    lines = {}
    for name, value in now.items():
        values = [found[name] for _, found in earlier if name in found and found[name] > 0]
        if len(values) == len(earlier) > 0 and value > 0:
            lines[name] = [*values, value]
    for name, line in lines.items() if len(earlier) + 1 >= LEAST_RUNS else ():
        since = f"over {len(line)} runs since {earlier[0][0][:10]}; a warning, since nothing tells what else changed"
        yield at_most(TREND, growth(name, line), tolerance, where=name, unit="share", note=since, advisory=True)
    if lines:
        relative: dict[str, Sequence[float]] = {
            name: [round(value / line[0], 4) for value in line] for name, line in lines.items()
        }
        yield Series("Over the runs on record", "run", range(1, len(earlier) + 2), relative, "relative to the first")


def growth(name: str, line: Sequence[float]) -> Interval:
    """Return the relative change for the worse from the first run to the last along a robust line.

    >>> round(growth("memory (MiB)", [100, 110, 121, 133.1, 146.41]).value, 2)
    0.46
    """
    y = np.log(np.asarray(line, dtype=float)) * (-1 if name == CAPACITY else 1)
    slope, _, low, _ = scipy.stats.theilslopes(y, alpha=1 - 2 * LEVEL)
    high = scipy.stats.theilslopes(y, alpha=1 - 2 * CLEAR)[3]
    value, least, most = (math.expm1(part * (len(line) - 1)) for part in (slope, min(low, slope), max(high, slope)))
    return Interval(value, least, most, len(line), 1 - LEVEL, METHOD)


def _comparable(history: History, rate: float, runs: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield when each earlier run on a machine like this one began, and its figures."""
    here = machine()
    for run, result in history.results("monitor.6", runs):
        there = run.machine
        alike = (there.system, there.cpus, there.memory_gib) == (here.system, here.cpus, here.memory_gib)
        if alike and result.options.get("rate", 0.0) == rate and (found := _figures_in(result)):
            yield run.started, found


def _figures_in(result: CheckResult) -> dict[str, float]:
    for detail in result.details:
        if detail.kind == "table" and detail.title == FIGURES:
            return {
                str(row[0]): float(row[1])
                for row in detail.data.get("rows", ())
                if len(row) == 2 and isinstance(row[1], int | float) and not isinstance(row[1], bool)
            }
    return {}
