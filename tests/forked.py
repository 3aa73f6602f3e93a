"""Runs of Python as a user starts them, each a fork of one process that has imported what most of them import.

Most of a run of seconds is importing, and hundreds of runs import the same. They share nothing else: each has its own
process, arguments, folder, environment and import path, and nothing of a project is imported before it. What a fresh
interpreter does is judged elsewhere: by the runs of the whole example and of the wheel, and ``plugin/test_imports.py``.
:mod:`mltestscore.codetests.warm` also forks, for another end: modules of ours in a team's sandbox, under its limits. It
is judged by tests that run here, so that these do not rest on it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

LOADED = (
    *("pytest", "_pytest.config", "pandas", "pyarrow.parquet", "pyarrow.compute", "duckdb", "ibis.backends.duckdb"),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "sklearn.ensemble", "sklearn.pipeline"),
    *("sklearn.compose", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "skops.io"),
    *("scipy.stats", "scipy.optimize", "fairlearn.metrics", "httpx", "httpcore", "jinja2", "rich.console", "psutil"),
    *("mltestscore.run", "mltestscore.inputs.fixtures", "mltestscore.inputs.offered", "mltestscore.inputs.model"),
    *("mltestscore.inputs.dataset", "mltestscore.inputs.endpoint", "mltestscore.comparison.battery"),
)
"""What most runs import; no check, which pytest rewrites as it imports it. What is not installed is left out."""

BESIDE = ("randomly", "xdist", "faker", "hypothesispytest", "typeguard", "anyio")
"""Plugins of pytest that come with what our tests install, and that no run of an example needs."""

_NUMBER = struct.Struct("!i")


def run_pytest(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run pytest in ``folder``, without the plugins that only our tests need; see :func:`run_python`."""
    without = (word for name in BESIDE for word in ("-p", f"no:{name}"))
    command = ["-m", "pytest", *without, *arguments]
    return run_python(command, folder=folder, environment=environment, timeout=timeout)


def run_python(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run ``python -c CODE …`` or ``python -m MODULE …`` in ``folder``; return its exit status and what it said.

    Raises :class:`subprocess.TimeoutExpired` after so many seconds; the run and all of its group are killed then.
    """
    order = {
        "arguments": list(arguments),
        "folder": str(folder),
        "environment": dict(environment),
        "path": _import_path(environment.get("PYTHONPATH", "")),
    }
    with _text_file() as said, _text_file() as complained:
        with _ordered(order, [said.fileno(), complained.fileno()]) as answers:
            code = _ended(answers, timeout)
        said.seek(0)
        complained.seek(0)
        texts = said.read(), complained.read()
    if code is None:
        raise subprocess.TimeoutExpired(list(arguments), timeout, *texts)
    return subprocess.CompletedProcess(list(arguments), code, *texts)


def _text_file() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


@contextmanager
def _ordered(order: Mapping[str, Any], files: Sequence[int]) -> Iterator[int]:
    """Order a run; give the end of a pipe from which its process id comes and, when it has ended, its exit status."""
    answers, answered = os.pipe()
    try:
        try:
            socket.send_fds(_server(), [json.dumps(order).encode()], [*files, answered])
        finally:
            os.close(answered)
        yield answers
    finally:
        os.close(answers)


def _ended(answers: int, timeout: float) -> int | None:
    """Wait for a run; return its exit status, or ``None`` if it took too long and was killed."""
    pid = _next(answers, timeout)
    code = None if pid is None else _next(answers, timeout)
    if pid and code is None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        _next(answers, timeout)
    return code


def _next(answers: int, timeout: float) -> int | None:
    """Return the next number, or ``None`` where none came in time. Raises :class:`RuntimeError` if none can come."""
    if not select.select([answers], [], [], timeout)[0]:
        return None
    if not (number := os.read(answers, _NUMBER.size)):
        raise RuntimeError("the process that all runs fork from has died: see its standard error")
    return int(_NUMBER.unpack(number)[0])


@cache
def _server() -> socket.socket:
    """Start the process that all runs fork from; it ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, __file__, str(theirs.fileno())]
        server = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    @atexit.register
    def end() -> None:
        ours.close()
        server.wait(60)

    return ours


@cache
def _import_path(more: str) -> list[str]:
    """Return the import path of a fresh interpreter, but for its first entry."""
    ask = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"]
    done = subprocess.run(ask, env={**os.environ, "PYTHONPATH": more}, capture_output=True, check=True, timeout=60)
    found: list[str] = json.loads(done.stdout)
    return found


def serve(orders: socket.socket) -> list[str]:
    """Load what runs import, then fork one for each order until no more can come; return in a run: its arguments."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the plugin says before a library that has threads
    for name in LOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        message, descriptors, *_ = socket.recv_fds(orders, 1 << 20, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            orders.close()
            return _become(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _become(order: Mapping[str, Any], said: int, complained: int, answers: int) -> list[str]:
    """Fork once more: become the run in the child; in the parent, tell how it ended, and be gone."""
    if pid := os.fork():
        os.write(answers, _NUMBER.pack(pid))
        os.write(answers, _NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
        os._exit(0)
    os.setsid()
    os.dup2(said, 1)
    os.dup2(complained, 2)
    for descriptor in (said, complained, answers):
        os.close(descriptor)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    how, what, *others = order["arguments"]
    first = {"-c": ("-c", ""), "-m": (what, order["folder"])}[how]  # as Python itself has them
    sys.argv, sys.path[:] = [first[0], *others], [first[1], *order["path"]]
    return [how, what]


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        chosen = serve(connection)
    if chosen[0] == "-m":
        runpy.run_module(chosen[1], run_name="__main__", alter_sys=True)
    else:
        exec(chosen[1], {"__name__": "__main__"})
