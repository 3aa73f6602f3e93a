"""``python -m tests.stats.simulations``: draws rows of known truth and tables how often bounds and verdicts are wrong.

Exit status 1 when something is wrong more often than promised and not known to be.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy
import scipy
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .catalogue import FAMILIES, all_aims, all_scenes, judged, simulated
from .page import page, unexplained
from .scene import SIMULATIONS

KEPT = Path(__file__).parents[1] / "coverage.md"
NAMES = [family.__name__.rpartition(".")[2] for family in FAMILIES]


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what the options choose; print the page, keep it where all was simulated, return the exit status."""
    options = _options(arguments)
    scenes = [name for name, scene in all_scenes().items() if scene.family in options.only]
    aims = [place for place, aim in enumerate(all_aims()) if aim.scene.family in options.only]
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    # Spawned: the bar draws itself in a thread, which a fork would leave behind.
    pool = ProcessPoolExecutor(options.workers, get_context("spawn"))
    with pool, Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        work = [pool.submit(simulated, name, options.simulations) for name in scenes]
        more = [pool.submit(judged, place, options.simulations) for place in aims]
        for _ in progress.track(as_completed([*work, *more]), total=len(work) + len(more), description="simulating"):
            pass
    told = [(all_scenes()[name], job.result()) for name, job in zip(scenes, work, strict=True)]
    shown = [(all_aims()[place], job.result()) for place, job in zip(aims, more, strict=True)]
    text = page(told, shown, _facts(options.simulations))
    sys.stdout.write(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    for line in (wrong := unexplained(told)):
        console.print(line, highlight=False, markup=False)
    return int(bool(wrong))


def _facts(simulations: int) -> str:
    spent = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    versions = f"Python {platform.python_version()}, numpy {numpy.__version__}, scipy {scipy.__version__}"
    cost = f"{simulations:,} simulations at most, {spent / 60:.0f} CPU minutes"
    return f"{datetime.now(UTC):%Y-%m-%d}, {versions}, {cost}."


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stats.simulations", description=__doc__)
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES, metavar="FAMILY", help=", ".join(NAMES))
    parser.add_argument(
        "--simulations", type=int, default=SIMULATIONS, help=f"of rows that are quick to judge; default {SIMULATIONS}"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"keep the page; default {KEPT.name}, of all")
    options = parser.parse_args(arguments)
    if options.write is None and options.only == NAMES and options.simulations == SIMULATIONS:
        options.write = KEPT
    return options


if __name__ == "__main__":
    sys.exit(main())
