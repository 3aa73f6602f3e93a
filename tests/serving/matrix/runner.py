"""One system: its environment, its server, what it answers against what its model says, and its end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mltestscore.errors import InputError, MltestscoreError
from mltestscore.inputs.endpoint import Endpoint, open_endpoint
from mltestscore.serving import process

from .systems import System

HERE = Path(__file__).parent
INSTALL_S, PREPARE_S, READY_S, ANSWER_S = 900, 180, 150, 20


class MatrixError(Exception):
    """A system could not be installed or prepared, or answered otherwise than its model."""


@dataclass(frozen=True)
class Row:
    """What a run showed."""

    name: str
    title: str
    protocol: str
    version: str
    date: str
    start_s: float
    total_s: float
    result: str

    @property
    def right(self) -> bool:
        """Whether it answered as its model does."""
        return self.result.startswith("as its model")

    def record(self) -> dict[str, object]:
        """Return it as JSON."""
        return asdict(self)


def pinned(system: System) -> Path:
    """Return the list of a system's packages, every one with its version."""
    return HERE / "requirements" / f"{system.requirements or system.name}.txt"


def version_in(system: System) -> str:
    """Return the version of the system's package in its list."""
    name = re.escape(system.package).replace(r"\-", "[-_]")
    found = re.search(rf"^{name}==(\S+)$", pinned(system).read_text(encoding="utf-8"), re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise MatrixError(f"{pinned(system)} does not pin {system.package}")
    return found[1]


def run(system: System, folder: Path) -> Row:
    """Install (once), prepare, start, ask and stop a system; what goes wrong stands in the row."""
    started, start_s = time.monotonic(), 0.0
    try:
        python = environment(pinned(system), folder)
        started = time.monotonic()  # installing is not the system's doing
        start_s, result = asked(system, python, fresh(folder / "systems" / system.name))
    except (MatrixError, MltestscoreError) as error:
        result = f"failed: {' '.join(str(error).split())[:300]}"
    version = f"{system.package} {version_in(system)}"
    seconds = (round(start_s, 1), round(time.monotonic() - started, 1))
    return Row(system.name, system.title, system.protocol, version, f"{datetime.now(UTC):%Y-%m-%d}", *seconds, result)


def environment(pins: Path, folder: Path) -> Path:
    """Return the interpreter of a virtual environment with exactly the packages of a list, built if it is new."""
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    place = folder / "environments" / f"{pins.stem}-{digest}"
    python = place / "bin" / "python"
    if (place / "installed").exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    # Triton's Python backend needs the interpreter that it was built with: the system's own.
    base = next((path for path in ("/usr/bin/python3.11",) if Path(path).exists()), sys.executable)
    command([base if pins.stem == "triton" else sys.executable, "-m", "venv", str(place)], PREPARE_S)
    install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "-r", str(pins)]
    command([str(python), *install], INSTALL_S)
    (place / "installed").touch()
    return python


def low_ports() -> list[int]:
    """Return three free ports below those that the machine gives out by itself."""
    candidates = np.random.default_rng().permutation(np.arange(20_000, 32_000)).tolist()
    return [
        port for port, _ in zip((port for port in candidates if not process.is_listening(port)), range(3), strict=False)
    ]


def fresh(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place.resolve()


def command(words: list[str], timeout: float, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(words, timeout=timeout, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MatrixError(f"{words[:3]}: {error}") from error
    if done.returncode:
        raise MatrixError(f"{' '.join(words[:4])} ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}")


def asked(system: System, python: Path, place: Path) -> tuple[float, str]:
    """Return the seconds until a server was ready, and what asking it showed; stops it in any case."""
    known = {"python": str(python), "bin": str(python.parent), "servers": str(HERE / "servers"), "folder": str(place)}
    ports = low_ports() if system.low_ports else [process.free_port() for _ in range(3)]
    known |= {"port": str(ports[0]), "port2": str(ports[1]), "port3": str(ports[2])}

    def fill(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), text)

    own = {**process.environment(), **{key: fill(value) for key, value in system.environment.items()}}
    own["PATH"] = f"{python.parent}:{os.environ['PATH']}"
    command([fill(word) for word in system.prepare], PREPARE_S, {**own, "PYTHONPATH": ""}, place)
    expected = json.loads((place / "expected.json").read_text(encoding="utf-8"))
    settings = {key: fill(value) if isinstance(value, str) else value for key, value in system.settings.items()}
    settings |= {"management_port": int(settings["management_port"])} if "management_port" in settings else {}
    rows, scores = pd.DataFrame(expected["columns"]), np.array(expected["scores"])
    started = time.monotonic()
    endpoint = open_endpoint(
        command=[fill(word) for word in system.command],
        url=f"http://{process.HOST}:{ports[0]}",
        protocol=system.protocol,
        settings=settings,
        ready_timeout=READY_S,
        request_timeout=ANSWER_S,
        cwd=place,
        env=own,
        probe=rows,
    )
    start_s = time.monotonic() - started
    try:
        return start_s, _compared(system, endpoint, rows, scores)
    finally:
        endpoint.close()
        require_silence(ports[0])


def require_silence(port: int) -> None:
    """Raise when something still listens ten seconds after the server's end."""
    deadline = time.monotonic() + 10
    while process.is_listening(port):
        if time.monotonic() > deadline:
            raise MatrixError("the server outlived its end")
        time.sleep(0.1)


def _compared(system: System, endpoint: Endpoint, rows: pd.DataFrame, scores: np.ndarray) -> str:
    """Ask all rows, again from last to first, one alone, and under load; raises where an answer is not the model's."""
    backwards = rows.iloc[::-1].reset_index(drop=True)
    worst = 0.0
    for asked, wanted in ((rows, scores), (backwards, scores[::-1]), (rows.iloc[[-1]], scores[[-1]])):
        found = endpoint.predict(asked).scores
        worst = max(worst, float(np.max(np.abs(found.reshape(wanted.shape) - wanted) / np.abs(wanted).max())))
    if worst > system.tolerance:
        raise MatrixError(f"answers differ from the model's by {worst:.2g}, tolerated {system.tolerance:g}")
    load = endpoint.load(rows, rate=10, seconds=2, seed=1)
    if load.errors:
        raise MatrixError(f"under load: {load.errors}")
    if endpoint.version != system.version:
        raise MatrixError(f"expected model version {system.version!r}, found {endpoint.version!r}")
    refused = _refuses(endpoint, rows)
    if system.refuses and not refused:
        raise MatrixError("it answered rows without their last column, or its error was not understood")
    named = f", version {system.version!r}" if system.version else ""
    asked_rows = 2 * len(rows) + 1 + load.requests
    named += ", refuses malformed rows" if refused else ""
    return f"as its model: {asked_rows} rows within {max(worst, 1e-16):.0e}{named}"


def _refuses(endpoint: Endpoint, rows: pd.DataFrame) -> bool:
    try:
        endpoint.predict(rows.iloc[:2, :-1] if rows.shape[1] > 1 else rows.rename(columns=lambda name: f"no_{name}"))
    except InputError:
        return True
    return False
