"""One drill: its server, the team's table, the check as anybody runs it, and what came of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.config import read_config
from mltestscore.errors import MltestscoreError
from mltestscore.inputs import offered_infra
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.model import Model
from mltestscore.result import CheckResult
from mltestscore.rollback.record import Drill
from mltestscore.serving import process
from mltestscore.testing import run_check
from tests.serving.matrix import runner as matrix
from tests.serving.matrix.runner import MatrixError

from .systems import System

HERE = Path(__file__).parent
PREPARE_S, READY_S, KILLED_S = 180, 300, 180
SLOW_MS = 500.0
TABLE = "[tool.mltestscore.rollback]"


@dataclass(frozen=True)
class Row:
    """What a drill showed; seconds are those until the other version answers."""

    name: str
    title: str
    version: str
    date: str
    back_s: float | None
    restored_s: float | None
    requests: int
    failed: int
    timed_out: int
    slow: int
    state: str
    result: str
    by_second: Mapping[str, Sequence[float]]
    total_s: float

    @property
    def right(self) -> bool:
        """Whether the drill found what it must."""
        return self.result.startswith("as it must")

    def record(self) -> dict[str, object]:
        """Return it as JSON."""
        return asdict(self)


def run(system: System, folder: Path) -> Row:
    """Install (once), start, drill and stop a server; what goes wrong stands in the row."""
    pins = matrix.HERE / "requirements" / f"{system.requirements or system.name}.txt"
    found = re.search(rf"^{re.escape(system.package)}==(\S+)$", pins.read_text(encoding="utf-8"), re.MULTILINE)
    version = f"{system.package} {found[1] if found else 'not pinned'}"
    date, started = f"{datetime.now(UTC):%Y-%m-%d}", time.monotonic()
    try:
        python = matrix.environment(pins, folder)
        started = time.monotonic()  # installing is not the drill's doing
        result, drill, said = drilled(system, python, matrix.fresh(folder / "drills" / system.name))
    except (MatrixError, MltestscoreError) as error:
        why, total = f"failed: {' '.join(str(error).split())[:300]}", round(time.monotonic() - started, 1)
        return Row(system.name, system.title, version, date, None, None, 0, 0, 0, 0, "error", why, {}, total)
    (picture,) = [detail for detail in result.details if detail.kind == "series"] or [None]
    return Row(
        system.name,
        system.title,
        version,
        date,
        _rounded(drill.back_after),
        _rounded(drill.restored_after),
        len(drill.requests),
        sum(bool(one.error) for one in drill.requests),
        sum(one.late for one in drill.requests),
        sum(1000 * one.seconds > SLOW_MS for one in drill.requests),
        result.state,
        said,
        picture.data["lines"] if picture else {},
        round(time.monotonic() - started, 1),
    )


def drilled(system: System, python: Path, place: Path) -> tuple[CheckResult, Drill, str]:
    """Return the check's result, what the drill saw, and whether that is what it must find."""
    ports = matrix.low_ports() if system.low_ports else [process.free_port() for _ in range(3)]
    known = {"python": str(python), "bin": str(python.parent), "servers": str(HERE / "servers"), "folder": str(place)}
    known["matrix"] = str(matrix.HERE / "servers")
    known |= {"port": str(ports[0]), "port2": str(ports[1]), "port3": str(ports[2])}
    # A server that the drill starts gets its port from the drill.
    kept = known if system.start else {key: value for key, value in known.items() if not key.startswith("port")}
    lines = ["[tool.mltestscore]", TABLE, "drill = true", *(_filled(line, kept) for line in system.table)]
    (place / "pyproject.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    own = {**process.environment(), **dict(system.environment), "PATH": f"{python.parent}:{os.environ['PATH']}"}
    if system.prepare:
        words = [_filled(word, known) for word in system.prepare]
        matrix.command(words, PREPARE_S, {**own, "PYTHONPATH": ""}, place)
    with _running([_filled(word, known) for word in system.start], place, own, ports[0]):
        if system.killed:
            _killed_half_way(place, system.versions)
        result, drill = check(place, system.versions)
    return result, drill, _judged(system, result, drill, place)


def check(place: Path, versions: tuple[str, str]) -> tuple[CheckResult, Drill]:
    """Run ``infra.7`` with all its planted faults on the project in ``place``."""
    rollback = offered_infra.rollback(read_config(place / "pyproject.toml"))
    frame = pd.DataFrame({"a": np.arange(40) / 8, "b": (np.arange(40) % 7 - 3) / 4 + 0.1})

    def first(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(rows["a"] + rows["b"])

    previous = Model("line", versions[0], "regression", ("a", "b"), (), None, "", "", first)
    options: dict[str, Any] = {"rows": len(frame), "slow_ms": SLOW_MS}
    data = open_dataset("serving", frame)
    result = run_check("infra.7", rollback=rollback, serving=data, previous_model=previous, options=options)
    drill = rollback.memory.get("last")
    if drill is None:
        raise MatrixError(f"no drill: {result.state}: {result.reason}")
    return result, drill


def _judged(system: System, result: CheckResult, drill: Drill, place: Path) -> str:
    failed = {one.name: one.cause for one in result.findings if one.verdict == "failed"}
    if (place / ".mltestscore" / "rollback-drill.json").exists():
        return "failed: the journal is open, so something is not put back"
    if drill.unable or drill.left:
        return f"failed: {drill.unable or drill.left}"
    if system.killed and "was put back before this one" not in drill.recovered:
        return f"failed: the killed drill was not put back: {drill.recovered or 'nothing was done'}"
    if system.finds is None:
        if result.state != "passed" or result.proof is None or result.proof.state != "proven":
            return f"failed: {result.state}: {failed or result.reason}"
        return "as it must: passed, every planted fault caught" + (
            ", after a drill that was killed half-way was put back" if system.killed else ""
        )
    name, words = system.finds
    if words not in failed.get(name, ""):
        return f"failed: {name!r} should say {words!r}; found {failed}"
    return f"as it must: {name}: {textwrap.shorten(failed[name], 260, placeholder=' …')}"


@contextmanager
def _running(words: list[str], place: Path, env: dict[str, str], port: int) -> Iterator[None]:
    if not words:
        yield
        return
    server = process.start_listening(words, cwd=place, env=env, port=port, deadline=time.monotonic() + READY_S)
    try:
        yield
    finally:
        server.stop()
        matrix.require_silence(port)


def _killed_half_way(place: Path, versions: tuple[str, str]) -> None:
    """Start the same drill in a process of its own, and kill it as soon as the registry has changed."""
    code = f"import pathlib; from {__name__} import check; check(pathlib.Path({str(place)!r}), {versions!r})"
    registry = offered_infra.rollback(read_config(place / "pyproject.toml")).registry
    before = (registry.current(), list(registry.versions()))
    running = subprocess.Popen([sys.executable, "-c", code], cwd=HERE.parents[2], start_new_session=True)
    try:
        deadline = time.monotonic() + KILLED_S
        while (registry.current(), list(registry.versions())) == before:
            if time.monotonic() > deadline or running.poll() is not None:
                raise MatrixError("the drill that was to be killed changed nothing")
            time.sleep(0.05)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def _filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), text)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
