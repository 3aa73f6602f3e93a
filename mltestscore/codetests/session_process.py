"""The team's tests, collected once and run as often as asked: ``python -m mltestscore.codetests.session_process FD``.

Orders come and answers go as JSON through the socket ``FD``. The current folder is a copy of the project. pytest loads
and collects once, under coverage.py; each run is then a fork of that moment, so none sees what another one did.
A changed module is written to the copy, and the functions that are loaded already get its code. What importing runs
cannot be exchanged: then the fork forgets the project's modules and lets pytest begin anew. Beside the copy lie the
tests' temporary files, gone with it.
"""

from __future__ import annotations

import gc
import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, NoReturn

import coverage
import pytest

from mltestscore.codetests.exchange import Functions, forget
from mltestscore.codetests.pytest_run import MOST_FAILURES, Deaf, Watcher, arguments

TIMED_OUT = 1_000
_LONGEST_POLL = 0.02

Role = Literal["server", "observed", "judging"]


class Server:
    """A plugin that runs the tests for each order in a fork, in the place of the one run of the session."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders
        first = json.loads(orders.recv_bytes())
        self.tests: list[str] = first["tests"]
        self.deaf: bool = first["deaf"]
        self._here = Path.cwd().resolve()
        self.temporary, self._noticed = self._here.parent / "temporary", self._here.parent / "noticed"
        self._files = [str(self._here / module) for module in first["modules"]]
        self._role: Role = "server"
        self._collected = False
        self._functions = Functions(self._files)
        self.watcher = Watcher(self._entered)
        self._measured = coverage.Coverage(
            data_file=None, branch=True, include=self._files, config_file=False, messages=False
        )
        self._measured.exclude(r"if (typing\.)?TYPE_CHECKING:")
        self._measured.exclude(r"if __name__ == .__main__.:")
        self._measured.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Answer orders until there are no more; in a fork, return so that pytest goes on to run the tests."""
        self._collected = True
        watched = True
        while order := self._next():
            if order["do"] == "observe":
                if self._observe():
                    return None
                continue
            if watched:  # the runs that judge are not measured, and collect no garbage among what is loaded here
                self._measured.stop()
                self._functions.note()
                gc.collect()
                gc.freeze()
                watched = False
            if self._judge(order):
                self._become(order, session)
                return None
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """End a run that judges, once the fixtures are torn down: nobody reads the summary that would follow."""
        if self._role == "judging":
            self._noticed.write_text(next(iter(self.watcher.failed), ""), encoding="utf-8")
            os._exit(int(exitstatus))

    def ended(self, code: int) -> None:
        """Say what pytest came to, and end the process."""
        if self._role == "observed":
            self._send(self._observed(code))
            os._exit(0)
        if self._role == "judging":
            os._exit(code)
        if not self._collected and self._next():
            self._send({"code": code})

    def _next(self) -> dict[str, Any]:
        try:
            order: dict[str, Any] = json.loads(self._orders.recv_bytes())
        except (EOFError, OSError):
            return {}
        return order

    def _send(self, answer: Mapping[str, Any]) -> None:
        self._orders.send_bytes(json.dumps(answer).encode())

    def _entered(self, test: str) -> None:
        if self._role == "observed":
            self._measured.switch_context(test)

    # --- one run with everything watched -------------------------------------------------------------------------

    def _observe(self) -> bool:
        """Fork; return ``True`` in the child, which answers when its tests have run."""
        child = os.fork()
        if child == 0:
            self._role = "observed"
            self._began = time.monotonic(), time.process_time()
            return True
        _, status = os.waitpid(child, 0)
        if status:
            self._send({"code": os.waitstatus_to_exitcode(status)})
        return False

    def _observed(self, code: int) -> dict[str, Any]:
        seconds, cpu = time.monotonic() - self._began[0], time.process_time() - self._began[1]
        self._measured.stop()
        watcher = self.watcher
        return {
            "code": code,
            "tests": len(watcher.tests - watcher.skipped),
            "failed": dict(list(watcher.failed.items())[:MOST_FAILURES]),
            "failures": len(watcher.failed),
            "seconds": seconds,
            "cpu": cpu,
            "report": self._report(),
        }

    def _report(self) -> dict[str, Any]:
        """Return coverage.py's JSON report by module; a file that nothing ran is reported as not run at all."""
        for file in self._files:
            self._measured.get_data().touch_file(file)
        target = self._here.parent / "coverage.json"
        self._measured.json_report(morfs=self._files, outfile=str(target), show_contexts=True)
        found = json.loads(target.read_text(encoding="utf-8"))["files"]
        return {Path(name).resolve().relative_to(self._here).as_posix(): report for name, report in found.items()}

    # --- one run that judges -------------------------------------------------------------------------------------

    def _judge(self, order: Mapping[str, Any]) -> bool:
        """Write the changed module, if one is, and fork; return ``True`` in the child; afterwards all is as before."""
        target = self._here / order["module"]
        sound = target.read_bytes()
        self._noticed.unlink(missing_ok=True)
        if order["text"]:
            target.write_text(order["text"], encoding="utf-8")
        child = os.fork()
        if child == 0:
            self._role = "judging"
            with suppress(OSError):
                os.setsid()
            most = math.ceil(order["cpu"])
            resource.setrlimit(resource.RLIMIT_CPU, (most, most))
            return True
        code = _ended(child, time.monotonic() + order["seconds"])
        target.write_bytes(sound)
        by = self._noticed.read_text(encoding="utf-8") if self._noticed.exists() else ""
        self._send({"code": code, "by": by})
        return False

    def _become(self, order: Mapping[str, Any], session: pytest.Session) -> None:
        """Let this fork run the tests of an order, on its code, up to the first that fails."""
        target = self._here / order["module"]
        if order["text"] and (order["anew"] or not self._functions.exchange(str(target), order["text"])):
            self._begin_anew(order)
        if order["tests"] != self.tests:
            place = {name: number for number, name in enumerate(order["tests"])}
            session.items[:] = sorted(
                (item for item in session.items if item.nodeid in place), key=lambda item: place[item.nodeid]
            )
        session.config.option.maxfail = 1

    def _begin_anew(self, order: Mapping[str, Any]) -> NoReturn:
        forget(self._here)
        watcher = Watcher()
        plugins: list[object] = [watcher, *([Deaf()] if self.deaf else [])]
        code = pytest.main(arguments(order["tests"], self.temporary, stop_at_first=True), plugins=plugins)
        self._noticed.write_text(next(iter(watcher.failed), ""), encoding="utf-8")
        os._exit(int(code))


def _ended(child: int, deadline: float) -> int:
    """Wait for a child; return its exit status, negative for a signal, TIMED_OUT where it was stopped too late."""
    pause, done, status = 0.001, 0, 0
    while not done and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(_LONGEST_POLL, pause * 1.5)
        done, status = os.waitpid(child, os.WNOHANG)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # also what outlived it
    if done:
        return os.waitstatus_to_exitcode(status)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)  # where its time was up before it had a group of its own
    os.waitpid(child, 0)
    return TIMED_OUT


def main(descriptor: int) -> None:
    """Serve until no more orders come."""
    os.set_inheritable(descriptor, False)  # what the tests start must not keep the socket open
    sys.dont_write_bytecode = True  # a changed file of the same size and second would be taken for the compiled one
    server = Server(Connection(descriptor))
    plugins: list[object] = [server, server.watcher, *([Deaf()] if server.deaf else [])]
    server.ended(int(pytest.main(arguments(server.tests, server.temporary), plugins=plugins)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
