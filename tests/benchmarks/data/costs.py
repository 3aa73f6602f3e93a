"""What a process costs as a whole: processor seconds, wall seconds, peak memory, those that it started included."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parent / "programs"
LOOK_S = 0.2
SAID = 300
# Nothing is sent anywhere, no screen is opened, no accelerator is looked for.
QUIET = {
    "DO_NOT_TRACK": "1",
    "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "True",
    "DISABLE_LATEST_VERSION_CHECK": "True",
    "WHYLOGS_NO_ANALYTICS": "True",
    "MPLBACKEND": "Agg",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


class ProgramError(Exception):
    """A process that failed or ran out of time; the message is the last that it said."""


@dataclass(frozen=True)
class Cost:
    """What one process came to.

    Attributes:
        cpu_s: user and system seconds, of its children too.
        wall_s: seconds from start to end, which depend on what else the machine does.
        peak_mb: the most memory, in 1,000,000 bytes: the kernel's figure for the process, or the sum over it and its
            children as seen five times a second, whichever is larger (pages that they share count for each).
        output: what it printed.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float
    output: str


def run(command: Sequence[str], *, timeout_s: float, variables: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and return its cost; raise :class:`ProgramError` if it fails or takes too long."""
    with tempfile.TemporaryFile("w+b") as output, tempfile.TemporaryFile("w+b") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**os.environ, **QUIET, **(variables or {})},
            start_new_session=True,
        )
        try:
            status, usage, seen = _watched(process.pid, began + timeout_s)
            process.returncode = os.waitstatus_to_exitcode(status)  # else Popen would wait for it again
        finally:
            _stop(process)
        wall = time.perf_counter() - began
        said, complaint = _text(output), _text(errors)
        if process.returncode:
            raise ProgramError(f"exit status {process.returncode}: {_last(complaint or said)}")
    # exec keeps the peak of the process that forked: up to ours, only what was seen counts.
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = max(usage.ru_maxrss * 1024 if usage.ru_maxrss > inherited else 0, seen)
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak / 1e6, said)


def _watched(pid: int, deadline: float) -> tuple[int, resource.struct_rusage, int]:
    """Wait for a process and return its status, its usage and the most memory that its tree was seen with."""
    most = 0
    while True:
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found:
            return status, usage, most
        if time.perf_counter() > deadline:
            raise ProgramError("it took longer than it may; give it more by --timeout")
        most = max(most, _resident(pid))
        time.sleep(LOOK_S)


def _resident(pid: int) -> int:
    """Return the bytes that a process and those it started hold now, 0 once it is gone."""
    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += int(one.memory_info().rss)
    return total


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, if it has not ended, and whatever it left running."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:SAID] if lines else "it said nothing"
