"""``python -m tests.proving``: breaks copies of the flights example and shows which item noticed, and why.

Exit status 1 when a fault was missed or misattributed, or a healthy control was accused.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from . import report
from .cases import SEVERITIES, Cases, all_cases
from .runner import Case, Outcome, control_case, fault_case, matched_case, run_all
from .system import sound_example

REACH = "reach"
ASKED = ("checks", "mltestscore", "examples/flights")
LAST = Path(__file__).with_name("last.md")


def main() -> int:
    """Run what the options choose; print the table, write the page, return the exit status."""
    options = _options()
    cases = _chosen(all_cases(), options)
    if not cases:
        raise SystemExit(f"no case begins with {options.only}")
    outcomes: list[Outcome] = []
    console = Console(stderr=True)
    page = _Page(options)
    with sound_example() as sound, _progress(console) as progress:
        task = progress.add_task("proving", total=len(cases))
        flags = {"every_item": options.all, "prove": options.prove, "workers": options.workers}
        for outcome in run_all(cases, sound, **flags):
            outcomes.append(outcome)
            page.write(outcomes)  # a run that is cut short leaves what it found
            case = outcome.case
            line = f"{case.kind} {case.id} {case.severity} {outcome.verdict} ({outcome.seconds:.0f} s)"
            console.print(line, highlight=False, markup=False)
            progress.advance(task)
    found = report.rows(outcomes, page.run)
    Console(width=max(140, console.width)).print(report.table(found))
    print(report.totals(found))
    return int(bool(report.wrong(found)))


class _Page:
    """The page that a run writes; where it runs some cases only, the rows of the others stay as they were."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.file: Path | None = options.write
        self.kept = report.read(self.file) if self.file and not options.afresh else report.rows([], "")
        self.run = f"{datetime.now(UTC):%Y-%m-%d} {_commit()}"

    def write(self, outcomes: list[Outcome]) -> None:
        if not self.file:
            return
        command = f"`{' '.join(['python -m tests.proving', *sys.argv[1:]])}`"
        facts = f"Made part by part; the last was {command}, with Python {platform.python_version()}. "
        facts += "Each row says on which day, and at which commit of the checks, its case was run last."
        cases = all_cases()
        found = report.merged(self.kept, report.rows(outcomes, self.run), cases)
        self.file.write_text(report.markdown(found, cases.left_out, facts), encoding="utf-8")


def _commit() -> str:
    """Return the last commit that changed what is asked, with a plus where it has been changed since."""
    home = Path(__file__).resolve().parents[2]

    def git(*words: str) -> str:
        command = ["git", "-C", str(home), *words, "--", *ASKED]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout.strip()

    return (git("log", "-1", "--format=%h") or "?") + ("+" if git("status", "--porcelain") else "")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.proving", description=__doc__)
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="ID", help="cases whose id or item begins so: O3, monitor.2"
    )
    parser.add_argument(
        "--severity",
        nargs="*",
        default=list(SEVERITIES),
        choices=[*SEVERITIES, REACH],
        help=f"default all; {REACH}: for each fault the mildest one that must be seen",
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument("--all", action="store_true", help="run every check on every case")
    parser.add_argument("--prove", action="store_true", help="let the checks plant their own faults too")
    parser.add_argument("--workers", type=int, default=2, help="cases at a time; those of monitor.6 run alone")
    parser.add_argument("--kinds", nargs="*", default=["faults", "matched", "controls"], help="which kinds of cases")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the table as a page, and keep its rows of other cases; default: last.md where all are run",
    )
    parser.add_argument("--afresh", action="store_true", help="keep no row of the page")
    options = parser.parse_args()
    if options.write is None and not options.only:
        options.write = LAST
    return options


def _chosen(cases: Cases, options: argparse.Namespace) -> list[Case]:
    def wanted(*names: str) -> bool:
        return not options.only or any(name.startswith(tuple(options.only)) for name in names)

    found: list[Case] = []
    for seed in range(options.seeds):
        for one in cases.faults.values():
            if not wanted(one.id, one.item):
                continue
            severities = [one.mildest if severity == REACH else severity for severity in options.severity]
            if "faults" in options.kinds:
                found += [fault_case(one, severity, seed) for severity in severities]
            if "matched" in options.kinds:
                found.append(matched_case(one, severities[-1], seed))
        if "controls" in options.kinds:
            asked = [one for one in cases.controls.values() if wanted(one.id, *one.items, *one.at_length)]
            found += [control_case(one, seed, at_length=True) for one in asked]
    return found


def _progress(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


if __name__ == "__main__":
    sys.exit(main())
