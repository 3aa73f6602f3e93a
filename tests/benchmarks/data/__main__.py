"""``python -m tests.benchmarks.data``: what the data checks cost, beside their peers and one pass over the files.

Writes ``data.json`` and, from it, ``data.md`` beside this folder. Exit status 1 when a program of ours failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from . import record
from .contenders import CONTENDERS, Contender, chosen
from .costs import ROOT, Cost, ProgramError, run
from .environments import python_of
from .page import page
from .record import Measured, Run, Size
from .work import Work

HERE = Path(__file__).parents[1]
ENOUGH_CPU_S = 20.0
UNITS = {"k": 1_000, "M": 1_000_000}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every size that the options name; keep and print the page."""
    options = _options(arguments)
    console = Console(stderr=True)
    kept = options.output.with_suffix(".json")
    failed = False
    for rows in options.rows:
        work = Work(options.folder / f"{rows}x{options.columns}", rows, options.columns)
        try:
            size = _measured(work, chosen(options.only, rows, options.columns), options, console)
        finally:
            if not options.keep:
                shutil.rmtree(work.folder, ignore_errors=True)
        found = record.load(kept).with_size(size)
        record.save(found, kept)
        options.output.write_text(page(found), encoding="utf-8")
        peers = {one.name for one in CONTENDERS if one.peer}
        failed |= any(one.reason for one in size.measured if one.name not in peers)
    sys.stdout.write(page(record.load(kept)))
    return int(failed)


def _measured(work: Work, contenders: Sequence[Contender], options: argparse.Namespace, console: Console) -> Size:
    """Run all contenders of one size, in turn, the order turned round each time."""
    limit, before = options.timeout, os.getloadavg()[0]
    with console.status(f"{work.rows:,} rows, {work.columns} columns: writing the files"):
        work.make(Path(sys.executable), timeout_s=limit)
        if any(one.shuffled for one in contenders):
            work.shuffled(Path(sys.executable), timeout_s=limit)
    pythons, reasons = _pythons(contenders, options.folder, limit, console)
    costs: dict[str, list[Cost]] = defaultdict(list)
    for turn in range(options.repeats):
        for one in contenders if turn % 2 == 0 else reversed(contenders):
            if one.name in reasons or sum(cost.cpu_s for cost in costs[one.name]) > ENOUGH_CPU_S:
                continue
            with console.status(f"{work.rows:,} rows: {one.name}, run {turn + 1} of {options.repeats}"):
                try:
                    costs[one.name].append(_run(one, pythons[one.peer], work, limit))
                except ProgramError as refusal:
                    reasons[one.name] = str(refusal)
                    continue
            cost = costs[one.name][-1]
            line = f"{work.rows:,} rows: {one.name}: {cost.cpu_s:.2f} CPU s, {cost.wall_s:.2f} s, {cost.peak_mb:.0f} MB"
            console.print(line, highlight=False, markup=False)
    return Size(
        rows=work.rows,
        columns=work.columns,
        date=record.today(),
        commit=record.commit(),
        machine=record.machine(),
        load=(before, os.getloadavg()[0]),
        measured=tuple(_summed(one, costs[one.name], reasons.get(one.name, "")) for one in contenders),
    )


def _pythons(
    contenders: Sequence[Contender], folder: Path, limit: float, console: Console
) -> tuple[dict[str, Path], dict[str, str]]:
    """Return an interpreter a peer, ours under the empty name, and why others have none."""
    pythons, reasons = {"": Path(sys.executable)}, {}
    for one in contenders:
        if one.peer:
            with console.status(f"{one.name}: its environment"):
                try:
                    pythons[one.peer] = python_of(one.peer, folder, timeout_s=limit)
                except ProgramError as refusal:
                    reasons[one.name] = str(refusal)
    return pythons, reasons


def _run(one: Contender, python: Path, work: Work, limit: float) -> Cost:
    variables = {} if one.peer else {"PYTHONPATH": str(ROOT)}
    return run([str(python), str(one.file), str(work.folder)], timeout_s=limit, variables=variables)


def _summed(one: Contender, costs: Sequence[Cost], reason: str) -> Measured:
    """Return what a contender came to; a run that failed voids the others."""
    if reason:
        return Measured(name=one.name, does=one.does, reason=reason)
    said = json.loads(costs[-1].output.strip().splitlines()[-1])
    runs = tuple(
        Run(cpu_s=round(cost.cpu_s, 3), wall_s=round(cost.wall_s, 3), peak_mb=round(cost.peak_mb, 1)) for cost in costs
    )
    return Measured(name=one.name, does=one.does, version=said["versions"][one.main], found=said["found"], runs=runs)


def _count(text: str) -> int:
    """Read ``100k``, ``1M`` or ``2500``."""
    digits, unit = (text[:-1], UNITS[text[-1]]) if text[-1:] in UNITS else (text, 1)
    if not digits.isdecimal() or not int(digits):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows; say it as 100k, 1M or 2500")
    return int(digits) * unit


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.data", description=__doc__)
    sizes = [100_000, 1_000_000]
    parser.add_argument("--rows", nargs="+", type=_count, default=sizes, help="rows of each file (100k 1M)")
    parser.add_argument("--columns", type=_count, default=20, help="three numbers to two strings (20)")
    programs = ", ".join(one.program for one in CONTENDERS)
    parser.add_argument("--only", nargs="+", default=[], metavar="PROGRAM", help=f"run these alone: {programs}")
    parser.add_argument("--repeats", type=_count, default=3, help="runs of each program (3)")
    parser.add_argument("--timeout", type=float, default=3600, metavar="S", help="of each process (3600)")
    folder = Path(tempfile.gettempdir()) / "mltestscore-benchmarks"
    parser.add_argument("--folder", type=Path, default=folder, help=f"for files and environments ({folder})")
    parser.add_argument("--keep", action="store_true", help="leave the Parquet files there")
    parser.add_argument("--output", type=Path, default=HERE / "data.md", help="the page, with its .json beside it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
