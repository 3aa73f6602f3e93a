"""A team's server as a process of ours: started on a free port, watched, and always stopped with its whole tree."""

from __future__ import annotations

import atexit
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from mltestscore.errors import ConfigError, InputError
from mltestscore.stopping import kill_marked, marked

HOST = "127.0.0.1"
START_ATTEMPTS = 3
ALLOWED = frozenset(
    {"PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"}
    | {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "JAVA_HOME"}
    | {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "OMP_WAIT_POLICY"}
)
"""Environment variables that a server inherits, with ``LC_*``; everything else, secrets above all, must be given."""

OUTPUT_BYTES = 64 * 1024
PORT_TAKEN = ("address already in use", "eaddrinuse", "address in use", "errno 98", "only one usage of each socket")

NOT_IMPORTABLE = (
    '\nIf that module lies in a folder of the project, write environment = {PYTHONPATH = "src"} beside the command.'
)

GUARD = """
import os, signal, sys, time
sys.stdin.buffer.read()
for number in (signal.SIGTERM, signal.SIGKILL):
    try:
        os.killpg(int(sys.argv[1]), number)
    except OSError:
        break
    time.sleep(2)
"""
"""Run beside a server: ends the server's process group when our end of the pipe closes, however we end."""

_running: set[Server] = set()


class Server:
    """A running server process; use :func:`start`, and :meth:`stop` when done (interpreter exit stops it too).

    Attributes:
        command: as it was started, with the port filled in.
        port: the port that it was told to listen on.
        url: ``http://127.0.0.1:<port>``.
    """

    def __init__(
        self, command: Sequence[str], port: int, process: subprocess.Popen[bytes], mark: Mapping[str, str]
    ) -> None:
        self.command = tuple(command)
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._process, self._mark = process, mark
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", GUARD, str(process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._output: deque[bytes] = deque()
        self._reader = threading.Thread(target=self._drain, args=(process.stdout,), daemon=True, name="server-output")
        self._reader.start()
        _running.add(self)

    def _drain(self, stream: IO[bytes]) -> None:
        kept = 0
        with suppress(OSError, ValueError), stream:
            while chunk := stream.read1(OUTPUT_BYTES):  # type: ignore[attr-defined]  # a pipe is a BufferedReader
                self._output.append(chunk)
                kept += len(chunk)
                while kept - len(self._output[0]) > OUTPUT_BYTES:
                    kept -= len(self._output.popleft())

    def output(self, lines: int = 15) -> str:
        """Return the last lines that the server wrote, standard output and error together."""
        text = b"".join(self._output.copy()).decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def source(self) -> str:
        """The command without the port, which differs in every run and would make two records of one system differ."""
        return " ".join(self.command).replace(str(self.port), "{port}")[:300]

    @property
    def exit_code(self) -> int | None:
        """The exit code, ``None`` while the server runs."""
        return self._process.poll()

    def require_running(self) -> None:
        """Raise :class:`InputError` with exit code and last output when the server has ended by itself."""
        code = self.exit_code
        if code is None:
            return
        self._reader.join(timeout=1.0)  # what it said last may still be in the pipe
        hint = NOT_IMPORTABLE if "ModuleNotFoundError" in self.output() else ""
        raise InputError(f"endpoint: the server {self._shown} {_ending(code)}. {self._told()}{hint}")

    @property
    def port_was_taken(self) -> bool:
        """Whether the server ended saying that another process has the port."""
        if self.exit_code is None:
            return False
        self._reader.join(timeout=1.0)
        return any(sign in self.output(60).lower() for sign in PORT_TAKEN)

    def describe(self) -> str:
        """Return the command and the last output, for an error message about this server."""
        return f"{self._shown}. {self._told()}"

    @property
    def _shown(self) -> str:
        return f"`{shlex.join(self.command)[:300]}`"

    def _told(self) -> str:
        said = self.output()
        return f"Its last output:\n{said}" if said else "It wrote no output."

    def memory(self) -> int:
        """Return the resident bytes of the process tree; pages that processes share are counted in each of them."""
        total = 0
        for process in self.processes():
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def processes(self) -> list[psutil.Process]:
        """Return the process that was started, and its descendants."""
        with suppress(psutil.Error):
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        return []

    def stop(self, grace: float = 3.0) -> None:
        """Ask the whole tree to end, wait ``grace`` seconds, then kill what is left. Safe to call twice."""
        if self not in _running:
            return
        _running.discard(self)
        tree = self.processes()  # before the root ends: afterwards its children cannot be found
        _signal_group(self._process.pid, signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=grace)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        _signal_group(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=grace)
        kill_marked(self._mark)
        self._reader.join(timeout=1.0)
        self._guard.kill()
        self._guard.communicate()


def start(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, port: int = 0
) -> Server:
    """Start a server in its own process group; returns at once, readiness is the caller's to wait for.

    Args:
        command: program and arguments; ``{port}`` in any of them becomes the port.
        cwd: working directory; default: the current one.
        env: environment variables besides the allowed ones (:data:`ALLOWED`).
        port: 0 takes a free one.

    Raises :class:`InputError` when the command cannot be run or the given port is taken.
    """
    port = port or free_port()
    if is_listening(port):
        raise InputError(
            f"endpoint: port {port} is taken by another process, so the server cannot start there. "
            "Stop that process, or write {port} in the command and a free port is used."
        )
    filled, mark = [part.replace("{port}", str(port)) for part in command], marked()
    try:
        process = subprocess.Popen(
            filled,
            cwd=cwd,
            env={**environment(), **dict(env or {}), **mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, IndexError) as error:
        raise InputError(
            f"endpoint: the command {list(command)} cannot be started in {cwd or Path.cwd()}: {error}. "
            "Give the program and its arguments as a list of strings."
        ) from error
    return Server(filled, port, process, mark)


def start_listening(
    command: Sequence[str], *, cwd: Path | None, env: Mapping[str, str] | None, port: int, deadline: float
) -> Server:
    """Start a server as :func:`start` does and wait until it listens, at the longest until ``deadline``.

    A free port that another process took meanwhile is replaced. What does not listen in time is stopped.

    Raises :class:`ConfigError` for a command that leaves the port open, :class:`InputError` as :func:`start` and
    :func:`wait_until_listening` do.
    """
    if not port and not any("{port}" in word for word in command):
        raise ConfigError(
            f"endpoint: the command {list(command)} says nowhere on which port to listen; "
            "write {port} where the port goes, or give the url with the port that the server takes by itself."
        )
    for attempt in range(1, START_ATTEMPTS + 1):
        server = start(command, cwd=cwd, env=env, port=port)
        try:
            wait_until_listening(server, deadline)
        except BaseException:
            taken = server.port_was_taken
            server.stop()
            if port or not taken or attempt == START_ATTEMPTS:
                raise
        else:
            return server
    raise AssertionError("unreachable: the last attempt returns or raises")


def environment() -> dict[str, str]:
    """Return what a server inherits of our environment; output is unbuffered so that last words are not lost."""
    kept = {name: value for name, value in os.environ.items() if name in ALLOWED or name.startswith("LC_")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def hooked(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` for a Python server that imports from ``folder`` first, and finds it in ``MLTESTSCORE_HOOK``."""
    path = env.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    return {**env, "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), path))), "MLTESTSCORE_HOOK": str(folder)}


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Say whether something accepts connections on the local port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def wait_until_listening(server: Server, deadline: float) -> None:
    """Wait until the server accepts connections, at the longest until ``deadline`` (:func:`time.monotonic`).

    Raises :class:`InputError` when it ends or does not listen by then.
    """
    while not is_listening(server.port):
        server.require_running()
        if time.monotonic() > deadline:
            raise InputError(
                f"endpoint: nothing listens on port {server.port} in time (ready_timeout). "
                f"Started as {server.describe()}\n"
                "Does the command use {port}? Raise ready_timeout if the server needs longer."
            )
        time.sleep(0.05)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended by itself with exit code {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


@atexit.register
def stop_all() -> None:
    """Stop every server that is still running; called at interpreter exit."""
    for server in list(_running):
        server.stop(grace=1.0)
