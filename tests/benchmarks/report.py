"""What mltestscore costs: start-up over plain pytest, and where the time of the flights run goes.

``python tests/benchmarks/report.py`` measures both in one run, prints the report and keeps it in ``last.md``.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FLIGHTS = HERE.parent.parent / "examples" / "flights"
PAIRS = 15
SPINE = ("data_1", "model_5", "infra_1", "monitor_2", "monitor_3", "monitor_4", "monitor_5", "monitor_6")
COUNT = "import sys, pytest; code = pytest.main(['-q', 'test_nothing.py'{}]); print('MODULES', len(sys.modules))"


@dataclass(frozen=True)
class Cost:
    """A process as a whole."""

    wall: float
    cpu: float
    output: str


def measured(command: list[str], folder: Path, **variables: str) -> Cost:
    """Run a command and return wall and CPU seconds of the process and all that it started."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=600, check=False
    )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)


def start_up() -> list[str]:
    """Compare plain pytest with pytest and the unused plugin, in interleaved pairs of fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text("def test_nothing():\n    assert True\n")
        programs = {"plain": COUNT.format(""), "plugin": COUNT.format(", '-p', 'mltestscore.plugin'")}
        costs: dict[str, list[Cost]] = {"plain": [], "plugin": []}
        for pair in range(PAIRS):
            for kind in sorted(programs, reverse=bool(pair % 2)):
                run = [sys.executable, "-c", programs[kind]]
                costs[kind].append(measured(run, folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"))
    modules = {kind: int(runs[0].output.rsplit("MODULES", 1)[1]) for kind, runs in costs.items()}
    differences = [1000 * (b.wall - a.wall) for a, b in zip(costs["plain"], costs["plugin"], strict=True)]
    cpu = [1000 * (b.cpu - a.cpu) for a, b in zip(costs["plain"], costs["plugin"], strict=True)]
    wall = statistics.median(1000 * run.wall for run in costs["plain"])
    return [
        "| start-up of an unused plugin | value |",
        "|---|---:|",
        f"| modules beyond plain pytest | {modules['plugin'] - modules['plain']} |",
        f"| wall, median of {PAIRS} paired differences | {statistics.median(differences):+.1f} ms |",
        f"| CPU, median of {PAIRS} paired differences | {statistics.median(cpu):+.1f} ms |",
        f"| plain pytest, median wall | {wall:.0f} ms |",
    ]


def flights() -> list[str]:
    """Score copies of the flights example without a history, then with proofs on record; split the times."""
    scored = [sys.executable, "-m", "pytest", "--mltestscore", "-p", "no:randomly", "-p", "no:xdist", "-q"]
    measured([*scored, "--collect-only"], FLIGHTS)  # builds the example, if it is not built
    rows, scorecards = [], []
    with tempfile.TemporaryDirectory() as name:
        for folder, label, chosen in (
            ("eight", f"{len(SPINE)} items of the spine", ["-k", " or ".join(SPINE)]),
            ("all", "all items", []),
            ("all", "all items again, proofs from the record", []),
        ):
            copy = Path(name) / folder
            if not copy.exists():
                shutil.copytree(FLIGHTS, copy, ignore=shutil.ignore_patterns(".mltestscore", "broken-*"))
            cost = measured([*scored, *chosen], copy)
            scorecards.append(json.loads((copy / "mltestscore-report" / "scorecard.json").read_text()))
            phases = scorecards[-1]["run"]["phases"]
            split = " | ".join(f"{phases[part]:.1f}" for part in ("collection", "inputs", "checks", "faults", "report"))
            rows.append(f"| {label} | {split} | {cost.wall:.1f} | {cost.cpu:.1f} |")
        page = (copy / "mltestscore-report" / "scorecard.html").stat().st_size / 1000
    return [
        "| flights run, seconds | collection | inputs | checks | faults | report | whole process, wall | CPU |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
        "",
        f"scorecard.html: {page:.0f} kB",
        "",
        *by_item(scorecards[1]),
    ]


def by_item(scorecard: dict[str, Any]) -> list[str]:
    """Return a table of what each item took, the slowest first."""
    took = {item["id"]: check["seconds"] for item in scorecard["items"] for check in item["checks"]}
    return [
        "| item, seconds | inputs | check | faults |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {one['inputs']:.1f} | {one['check']:.1f} | {one['faults']:.1f} |"
            for name, one in sorted(took.items(), key=lambda pair: -sum(pair[1].values()))
        ),
    ]


def main() -> None:
    """Print the report and keep it beside this file."""
    cores, python = len(os.sched_getaffinity(0)), platform.python_version()
    machine = f"{platform.system()} {platform.machine()}, {cores} cores, Python {python}"
    head = [f"Measured {datetime.now(UTC):%Y-%m-%d} by `python tests/benchmarks/report.py` on {machine}.", ""]
    text = "\n".join([*head, *start_up(), "", *flights(), ""])
    (HERE / "last.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
