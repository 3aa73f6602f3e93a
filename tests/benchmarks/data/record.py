"""What a run of the benchmark leaves: one record a size, so that every ratio is of numbers from one run."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from .costs import ROOT


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Frozen):
    """One process: processor seconds, wall seconds and peak memory in 1,000,000 bytes."""

    cpu_s: float
    wall_s: float
    peak_mb: float


class Measured(_Frozen):
    """What a contender came to at one size.

    Attributes:
        name: as in the table.
        does: what of the work it does.
        version: of its main package.
        found: what it said of the data.
        runs: its runs; empty where there is a reason.
        reason: why there is no number.
    """

    name: str
    does: str
    version: str = ""
    found: str = ""
    runs: tuple[Run, ...] = ()
    reason: str = ""

    @property
    def cpu_s(self) -> float:
        """The median of its processor seconds."""
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def wall_s(self) -> float:
        """Its least wall seconds: what else the machine did can only have added to them."""
        return min(run.wall_s for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """Its largest peak memory."""
        return max(run.peak_mb for run in self.runs)


class Size(_Frozen):
    """All that was measured of one work, in one run.

    Attributes:
        load: the machine's load average of one minute before the first and after the last process.
    """

    rows: int
    columns: int
    date: str
    commit: str
    machine: str
    load: tuple[float, float]
    measured: tuple[Measured, ...]

    def of(self, name: str) -> Measured | None:
        """Return a contender's numbers, or ``None`` where it has none."""
        return next((one for one in self.measured if one.name == name and one.runs), None)


class Record(_Frozen):
    """The last run of each size."""

    sizes: tuple[Size, ...] = ()

    def of(self, rows: int, columns: int) -> Size | None:
        """Return what was measured at a size, if it was."""
        return next((size for size in self.sizes if (size.rows, size.columns) == (rows, columns)), None)

    def with_size(self, new: Size) -> Record:
        """Return the record with a size replaced as a whole, or added."""
        others = [size for size in self.sizes if (size.rows, size.columns) != (new.rows, new.columns)]
        return Record(sizes=tuple(sorted((*others, new), key=lambda size: (size.columns, size.rows))))


def load(path: Path) -> Record:
    """Read the record; an absent file is an empty one."""
    return Record.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else Record()


def save(record: Record, path: Path) -> None:
    """Write the record as JSON that a diff can show."""
    path.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """Return what the numbers depend on, in one line."""
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, glibc " + (
        f"{platform.libc_ver()[1]}, Python {platform.python_version()}"
    )


def commit() -> str:
    """Return the commit that is checked out, with a plus where tracked files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.strip() or "unknown"


def today() -> str:
    """Return the date in UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
