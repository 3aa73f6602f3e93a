"""The team's tests at hand: a process that has collected them in a copy of the project, and runs them when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from time import monotonic
from types import TracebackType
from typing import Any

from mltestscore.codetests.sandbox import copied, started
from mltestscore.errors import InputError
from mltestscore.inputs.feature_code import FeatureCode

TIMED_OUT = 1_000
SLACK = 5.0  # seconds beyond a run's own limit, for the process to say that it was stopped


@dataclass(frozen=True)
class Judged:
    """What a run came to: pytest's exit status, negative for a signal, or TIMED_OUT; and the test that failed."""

    code: int
    by: str = ""


class Session:
    """Runs of the tests of feature code, each as if it were the first. The process starts with the first of them."""

    def __init__(self, features: FeatureCode) -> None:
        self.features = features
        self._stack = ExitStack()
        self._started = False

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def observe(self, seconds: float) -> Mapping[str, Any] | None:
        """Run all tests under coverage.py; ``None`` where that, loading included, takes longer than ``seconds``.

        The answer holds pytest's exit status as ``code``; without a ``report`` there is no more than that.
        """
        return self._asked({"do": "observe"}, seconds)

    def judge(
        self, tests: Sequence[str], *, module: str, text: str, anew: bool, seconds: float, cpu: float, left: float
    ) -> Judged | None:
        """Run ``tests`` up to the first that fails, with ``text`` as the module; as it is, where ``text`` is empty.

        A run ends after ``seconds`` of wall time, or ``cpu`` seconds of processor time, by a signal. Returns ``None``
        where ``left`` seconds were over first. ``anew``: importing runs what is changed.
        """
        limits = {"seconds": seconds, "cpu": cpu}
        order = {"do": "judge", "tests": list(tests), "module": module, "text": text, "anew": anew}
        answer = self._asked({**order, **limits}, min(left, seconds + SLACK))
        return None if answer is None else Judged(answer["code"], answer["by"])

    @property
    def pid(self) -> int:
        """The process that has the tests at hand, 0 before there is one."""
        return self._running.process.pid if self._started else 0

    @property
    def said(self) -> str:
        """The last lines of what pytest printed."""
        return self._running.said() if self._started else ""

    def _asked(self, order: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
        until = monotonic() + seconds
        try:
            if not self._started:
                self._start()
            self._orders.send_bytes(json.dumps(order).encode())
            if not self._orders.poll(max(0.0, until - monotonic())):
                self._stack.close()
                self._started = False
                return None
            answer: Mapping[str, Any] = json.loads(self._orders.recv_bytes())
        except (EOFError, OSError):
            raise InputError(
                f"{self.features.table} tests could not be run in a copy of the project. They said:\n{self.said}"
            ) from None
        return answer

    def _start(self) -> None:
        features = self.features
        sandbox = self._stack.enter_context(copied(features.folder, features.ignored, features.table))
        self._orders, theirs = Pipe()
        self._stack.callback(self._orders.close)
        command = [sys.executable, "-m", "mltestscore.codetests.session_process", str(theirs.fileno())]
        with theirs:
            handed = (theirs.fileno(),)
            process = started(command, sandbox=sandbox, home=features.folder, handed=handed)
            self._running = self._stack.enter_context(process)
        self._started = True
        first = {"modules": features.modules, "tests": features.tests, "deaf": features.deaf}
        self._orders.send_bytes(json.dumps(first).encode())
