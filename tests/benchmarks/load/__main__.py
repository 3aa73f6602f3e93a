"""``python -m tests.benchmarks.load``: our load generator beside autocannon and wrk, on a server whose truth is known.

Each program has one core, the server another. Writes ``load.md`` beside this folder. Exit status 1 when ours is off by
more than 5 %. Needs npm (autocannon is installed, pinned, into a folder of its own) and wrk; says so where they miss.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mltestscore.serving.load import Arrivals, schedule
from mltestscore.serving.process import free_port, is_listening

from . import truth
from .ours import SEED
from .server import EVERY, PAUSE, SERVICE

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = HERE.parent / "load.md"
AUTOCANNON = "autocannon@8.0.0"
ALLOWED = 0.05
PEERS = 512
"""Connections of a program that is told how many."""
WRK = """
done = function(summary, latency, requests)
  io.write(string.format('{"50.0":%f,"99.0":%f,"99.9":%f,"requests":%d,"failed":%d}\\n', latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, summary.requests, summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Row:
    """What one program says, beside the truth of its own seconds (percentile → milliseconds)."""

    name: str
    said: dict[float, float]
    true: dict[float, float]
    requests: int
    failed: int
    cpu_s: float
    note: str = ""

    @property
    def off(self) -> float:
        """The largest error of a percentile, as a share of the truth."""
        return max(abs(self.said[share] / self.true[share] - 1) for share in truth.SHARES)


@dataclass(frozen=True)
class Bench:
    """The server at work, and how it is asked."""

    url: str
    log: Path
    folder: Path
    rate: int
    seconds: int
    connections: int

    def timed(self, command: Sequence[str]) -> tuple[dict[str, Any], float, float]:
        """Run a program on the first core; return its last line of JSON, when it began, and its CPU seconds."""
        cores = sorted(os.sched_getaffinity(0))
        before, began = os.times(), time.perf_counter()
        done = subprocess.run(
            ["taskset", "-c", str(cores[0]), *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{command[0]} exited {done.returncode}: {done.stderr[-2000:]}")
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
        return json.loads(line), began, cpu

    def true(self, starts: np.ndarray) -> dict[float, float]:
        """Return the truth of requests that are meant to start then."""
        return truth.of_schedule(starts, truth.pauses(self.log))

    def evenly(self, began: float, count: int) -> dict[float, float]:
        """Return the truth of evenly spaced requests from ``began`` on."""
        return self.true(began + np.arange(count) / self.rate)


def ours(bench: Bench) -> Iterator[Row]:
    """Yield what our generator says of both schedules, from the intended start and from the sending."""
    kinds: tuple[Arrivals, ...] = ("fixed", "poisson")
    for arrivals in kinds:
        words = [bench.url, str(bench.rate), str(bench.seconds), str(bench.connections), arrivals]
        told, _, cpu = bench.timed([sys.executable, "-m", "tests.benchmarks.load.ours", *words])
        true = bench.true(told["origin"] + schedule(bench.rate, bench.seconds, SEED, arrivals))
        note = f"{told['lag_ms']:.2f} ms late (p99), {told['cpu']:.0%} of the core; {told['limited'] or 'not limited'}"
        note += f"; {told['connections']} connections, {told['processes']} process" + "es" * (told["processes"] > 1)
        for kind in ("corrected", "uncorrected"):
            said = {float(share): value for share, value in told[kind].items()}
            yield Row(f"mltestscore, {arrivals}, {kind}", said, true, told["requests"], told["failed"], cpu, note)


def autocannon(bench: Bench) -> Iterator[Row]:
    """Yield what autocannon says at the same rate, with its correction and without."""
    if shutil.which("npm") is None:
        raise SystemExit("npm is not here: install Node.js, or leave autocannon out with --only")
    subprocess.run(
        ["npm", "install", "--silent", "--prefix", str(bench.folder), AUTOCANNON], check=True, capture_output=True
    )
    program = str(bench.folder / "node_modules" / ".bin" / "autocannon")
    how = ["-R", str(bench.rate), "-c", str(bench.connections or PEERS), "-d", str(bench.seconds), "-j", "-n"]
    for kind, more in (("corrected", []), ("uncorrected", ["-C"])):
        told, began, cpu = bench.timed([program, *how, *more, f"{bench.url}/predict"])
        said = {share: told["latency"]["p" + f"{share:g}".replace(".", "_")] for share in truth.SHARES}
        count = told["requests"]["total"]
        yield Row(f"{AUTOCANNON}, {kind}", said, bench.evenly(began + 0.5, count), count, told["errors"], cpu)


def wrk(bench: Bench) -> Iterator[Row]:
    """Yield what wrk says, which sends as fast as answers come: a closed loop."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not here: apt-get install wrk, or leave it out with --only")
    script = bench.folder / "percentiles.lua"
    script.write_text(WRK)
    clients = str(round(bench.rate * SERVICE))
    how = ["-t", "1", "-c", clients, "-d", f"{bench.seconds}s", "-s", str(script)]
    told, began, cpu = bench.timed(["wrk", *how, f"{bench.url}/predict"])
    said = {share: told[str(share)] for share in truth.SHARES}
    note = f"closed loop of {clients} connections"
    yield Row("wrk", said, bench.evenly(began, bench.rate * bench.seconds), told["requests"], told["failed"], cpu, note)


PROGRAMS = {"ours": ours, "autocannon": autocannon, "wrk": wrk}


@contextmanager
def served(folder: Path, **how: int) -> Iterator[Bench]:
    """Start the server on the last core, and stop it."""
    port, log = free_port(), folder / "pauses.txt"
    last = str(max(os.sched_getaffinity(0)))
    command = ["taskset", "-c", last, sys.executable, str(HERE / "server.py"), str(port), str(log)]
    server = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 10
        while not is_listening(port) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield Bench(f"http://127.0.0.1:{port}", log, folder, **how)
    finally:
        server.kill()
        server.wait()


def page(rows: Sequence[Row], bench: Bench, load: float) -> str:
    """Return the table as Markdown."""
    cores = len(os.sched_getaffinity(0))
    facts = f"{platform.machine()}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"
    lines = [
        "# The load generator beside others",
        "",
        f"Made {datetime.now(UTC):%Y-%m-%d} by `python -m tests.benchmarks.load` on {facts}; load average {load:.1f} "
        f"before{_priority()}.",
        "",
        f"The server takes {SERVICE * 1000:g} ms for each answer, as many at once as come, and pauses {PAUSE * 1000:g} "
        f"ms every {EVERY:g} s. It writes its pauses down; from them follows what each of {bench.rate:,} requests a "
        f"second, sent for {bench.seconds} s whatever the answers, must wait: the truth. Each program has one core; "
        "ours chooses its connections by itself, from 0.2 s at the same rate before.",
        "",
        "| program | requests | failed | p50 (truth) | p99 (truth) | p99.9 (truth) | largest error | CPU s | note |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        told = " | ".join(f"{row.said[share]:.1f} ({row.true[share]:.1f})" for share in truth.SHARES)
        lines.append(
            f"| {row.name} | {row.requests:,} | {row.failed} | {told} | {row.off:.1%} | {row.cpu_s:.2f} | {row.note} |"
        )
    return "\n".join(lines) + "\n"


def _priority() -> str:
    """Say that other programs of the machine had to wait, where ``chrt`` saw to that."""
    real_time = os.sched_getscheduler(0) in (os.SCHED_RR, os.SCHED_FIFO)
    return "; server and programs ran before all others (real-time priority)" if real_time else ""


def main() -> int:
    """Measure each program, keep and print the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load", description=__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=0, help="0: ours by itself, the others 512")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    options = parser.parse_args()
    load = os.getloadavg()[0]
    how = {"rate": options.rate, "seconds": options.seconds, "connections": options.connections}
    with tempfile.TemporaryDirectory() as name, served(Path(name), **how) as bench:
        rows = [row for program in options.only for row in PROGRAMS[program](bench)]
        text = page(rows, bench, load)
    if len(options.only) == len(PROGRAMS):
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return int(
        any(
            row.name.startswith("mltestscore") and row.name.endswith(", corrected") and row.off > ALLOWED
            for row in rows
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
