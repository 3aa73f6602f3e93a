"""Processes that need not import a project's libraries again: forks of one that has, where forks are safe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from mltestscore.codetests.sandbox import Running, environment, last_lines, started

START = 60.0
"""Seconds that importing a project's libraries may take."""


class WarmPython:
    """Runs modules of ours in copies of a project, one at a time.

    The first run starts a process that imports the libraries; that run and the later ones are forks of it. Where a
    library began a thread, forks are not safe, and each run is a fresh process.

    Args:
        libraries: what the runs will import; see :func:`mltestscore.codetests.libraries.libraries_of`.
        home: the project's folder, no file of which that process can import.
        variables: of the environment of every run.
    """

    def __init__(self, libraries: Sequence[str], home: Path, variables: Mapping[str, str]) -> None:
        self._libraries, self._home, self._variables = list(libraries), home.resolve(), dict(variables)
        self._stack = ExitStack()
        self._orders: Connection | None = None
        self._heard = False
        self._forks = sys.platform == "linux"
        weakref.finalize(self, self._stack.close)

    def close(self) -> None:
        """Stop the process and what it runs; a later run starts another."""
        self._orders, self._heard = None, False
        self._stack.close()

    @contextmanager
    def running(self, module: str, arguments: Sequence[str], sandbox: Path) -> Iterator[Running | Forked]:
        """Run ``python -m MODULE ARGUMENTS`` in a copy of the project; stop what still runs afterwards."""
        orders = self._ready()
        if orders is None:
            command = [sys.executable, "-m", module, *arguments]
            with started(command, sandbox=sandbox, home=self._home, variables=self._variables) as fresh:
                yield fresh
            return
        with tempfile.NamedTemporaryFile() as said:
            order = {"module": module, "arguments": list(arguments), "folder": str(sandbox), "said": said.name}
            variables = environment(sandbox, self._home) | self._variables
            fork = Forked(orders, said.name)
            try:
                with suppress(OSError):  # it ended just now: waiting says so
                    orders.send_bytes(json.dumps(order | {"variables": variables}).encode())
                yield fork
            finally:
                if fork.code is None:
                    self.close()

    def prepare(self) -> None:
        """Let the process begin to import, if none is at hand, and do not wait for it."""
        if self._orders is not None and (not self._heard or not self._orders.poll(0)):
            return  # it imports, or waits for an order: unasked, only its end can be read
        self.close()
        if self._forks:
            self._start()

    def _ready(self) -> Connection | None:
        """Return the way to a process that can fork; ``None`` where there can be none."""
        self.prepare()
        try:
            if self._orders is not None and not self._heard:
                self._heard = self._orders.poll(START) and json.loads(self._orders.recv_bytes())["forks"]
        except (EOFError, OSError):
            pass  # a library ended it; a fresh process will say so where that matters
        if not self._heard:
            self._forks = False
            self.close()
        return self._orders

    def _start(self) -> None:
        nowhere = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mltestscore-"))).resolve()
        path = [part for part in filter(None, sys.path) if not Path(part).resolve().is_relative_to(self._home)]
        variables = {**self._variables, "PYTHONPATH": os.pathsep.join(path)}
        self._orders, theirs = Pipe()
        self._stack.callback(self._orders.close)
        command = [sys.executable, "-m", "mltestscore.codetests.warm_process", str(theirs.fileno())]
        with theirs:
            handed = (theirs.fileno(),)
            self._stack.enter_context(
                started(command, sandbox=nowhere, home=self._home, variables=variables, handed=handed)
            )
        self._orders.send_bytes(json.dumps({"libraries": self._libraries}).encode())


class Forked:
    """A fork at work; ``code`` is its exit status once it is known."""

    def __init__(self, orders: Connection, output: str) -> None:
        self._orders, self._output = orders, output
        self.code: int | None = None

    def wait(self, seconds: float) -> int:
        """Return its exit status; raise :class:`subprocess.TimeoutExpired` where it still runs after ``seconds``."""
        if self.code is None:
            if not self._orders.poll(max(0.0, seconds)):
                raise subprocess.TimeoutExpired("python", seconds)
            try:
                answer: dict[str, Any] = json.loads(self._orders.recv_bytes())
                self.code = int(answer["code"])
            except (EOFError, OSError):
                return -9
        return self.code

    def said(self) -> str:
        """Return the last lines of its output and errors."""
        with Path(self._output).open("rb") as output:
            return last_lines(output)
