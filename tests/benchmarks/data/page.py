"""The record as a Markdown page: the targets, then one table a size."""

from __future__ import annotations

from collections.abc import Iterable

from .contenders import OURS, PASS
from .record import Measured, Record, Size
from .targets import targets

COLUMNS = ("program", "version", "CPU s", "wall s", "peak MB", "x pass", "x ours", "runs", "does", "found")
MET = {True: "met", False: "**missed**", None: "not measured"}
NOTES = """\
Every number is of a whole process, from start to exit, with all that it started: user and system CPU seconds (median of
the runs), least wall seconds, largest peak memory (1 MB = 1,000,000 bytes). The runs of one size follow each other in
one session, their order turned round each time; a program is not repeated beyond 20 CPU seconds. CPU seconds hardly
depend on what else a machine does, wall seconds do: read them with the load average beside each table. `x pass` is CPU
over that of one DuckDB pass, `x ours` over that of mltestscore. Our checks run without planting their faults: no peer
has any. The peers read the files with pandas, as they ask for; ours reads them with DuckDB. Linear growth is judged
with the cost of imports taken off both sizes.
"""


def page(record: Record) -> str:
    """Return the whole page."""
    lines = ["# The data items beside their peers", "", "Made by `python -m tests.benchmarks.data`.", "", NOTES, ""]
    lines += ["## Targets", "", *_table(("target", "promised", "measured", "verdict"), _targets(record))]
    for size in record.sizes:
        lines += ["", f"## {size.rows:,} rows, {size.columns} columns, two files", "", _facts(size), ""]
        lines += _table(COLUMNS, (_row(one, size) for one in size.measured))
    return "\n".join(lines) + "\n"


def _targets(record: Record) -> Iterable[tuple[str, ...]]:
    for one in targets(record):
        yield str(one.number), one.promise, one.measured, MET[one.met]


def _facts(size: Size) -> str:
    before, after = size.load
    return f"{size.date}, commit {size.commit}; {size.machine}; load average {before:.1f} before, {after:.1f} after."


def _row(one: Measured, size: Size) -> tuple[str, ...]:
    if not one.runs:
        return (one.name, one.version, "", "", "", "", "", "0", one.does, one.reason)
    ratios = (_ratio(one, size.of(PASS)), _ratio(one, size.of(OURS)))
    numbers = (f"{one.cpu_s:.2f}", f"{one.wall_s:.2f}", f"{one.peak_mb:.0f}", *ratios, str(len(one.runs)))
    return (one.name, one.version, *numbers, one.does, one.found)


def _ratio(one: Measured, other: Measured | None) -> str:
    return f"{one.cpu_s / other.cpu_s:.2f}" if other else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return lines + [f"| {' | '.join(map(_cell, row))} |" for row in rows]


def _cell(text: str) -> str:
    """Return text that cannot end its cell: a program's last words are not ours."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
