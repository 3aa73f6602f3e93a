"""Several processes that share a schedule, where one core cannot send it: each takes every k-th request.

They are told what to send through pipes, credentials too, which so never stand in a list of processes. A pipe closes
with us, however we end, and with it the worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import mltestscore
from mltestscore.errors import InputError
from mltestscore.serving.answers import Reply
from mltestscore.serving.process import environment
from mltestscore.serving.sending import UNSENT, Connections, Sent
from mltestscore.serving.stalls import Hold
from mltestscore.serving.transports.base import Target
from mltestscore.serving.worker import READY, heard

ROOT = str(Path(mltestscore.__file__).parents[1])
# Not -m: the folder at hand would come first, and with it whatever there is named like a module of ours.
PROGRAM = f"import sys; sys.path[0] = {ROOT!r}; from mltestscore.serving.worker import main; main()"
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
START_SECONDS = 30.0
LEAD = 0.02
GRACE = 10.0
"""Seconds that a worker has, after the last answer could come, to write down what it saw."""


class Workers:
    """So many processes, each with its own connections to one target; close them when done."""

    def __init__(self, target: Target, count: int) -> None:
        self._target = target
        self._processes: list[subprocess.Popen[str]] = []
        try:
            for _ in range(count):
                self._processes.append(_started())
                self._tell(self._processes[-1], asdict(target))
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._processes)

    def send(
        self, bodies: Sequence[bytes], intended: np.ndarray, connections: Connections, stall: Hold | None
    ) -> tuple[Sent, float]:
        """Send as :meth:`mltestscore.serving.sending.Sender.send` does.

        Raises :class:`InputError` when a process ends or says nothing in time; then all are stopped.
        """
        try:
            return self._send(bodies, intended, connections, stall)
        except BaseException:
            self.close()
            raise

    def _send(
        self, bodies: Sequence[bytes], intended: np.ndarray, connections: Connections, stall: Hold | None
    ) -> tuple[Sent, float]:
        parts = [np.arange(first, len(intended), len(self)) for first in range(len(self))]
        share = [-(-number // len(self)) for number in (connections.first, connections.most)]
        busy = [(process, part) for process, part in zip(self._processes, parts, strict=True) if len(part)]
        for process, part in busy:
            job = {
                "bodies": [bodies[index % len(bodies)].decode("latin-1") for index in part[: len(bodies)]],
                "intended": intended[part].tolist(),
                "connections": share,
                "stall": stall.told(len(self)) if stall else None,
            }
            self._tell(process, job)
        with ThreadPoolExecutor(len(busy)) as pool:
            try:
                return self._heard(pool, busy, intended)
            except BaseException:
                self.close()  # before the pool waits for threads that read: their pipes must end
                raise

    def _heard(
        self,
        pool: ThreadPoolExecutor,
        busy: Sequence[tuple[subprocess.Popen[str], np.ndarray]],
        intended: np.ndarray,
    ) -> tuple[Sent, float]:
        """Give the sign to begin when all are ready, and collect what they saw."""

        def lines(seconds: float) -> list[str]:
            until = time.monotonic() + seconds
            reading = [pool.submit(_line, process) for process, _ in busy]
            try:
                return [one.result(max(0.0, until - time.monotonic())) for one in reading]
            except TimeoutError:
                raise InputError(f"load: a sending process said nothing for {seconds:.0f} s.") from None

        if any(line != READY for line in lines(START_SECONDS)):
            raise InputError("load: a sending process did not get ready.")
        origin = time.perf_counter() + LEAD  # the clock is the machine's, the same in every process
        for process, _ in busy:
            self._tell(process, origin)
        whole = lines(LEAD + float(intended[-1]) + self._target.timeout + GRACE)
        return _merged([(part, heard(json.loads(line))) for line, (_, part) in zip(whole, busy, strict=True)]), origin

    def _tell(self, process: subprocess.Popen[str], what: Any) -> None:
        assert process.stdin is not None  # a pipe
        try:
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()
        except OSError as error:
            raise InputError(f"load: a sending process ended by itself (exit code {process.poll()}).") from error

    def close(self) -> None:
        """Stop every process. Safe to call twice."""
        while self._processes:
            process = self._processes.pop()
            process.kill()
            process.wait()
            for pipe in filter(None, (process.stdin, process.stdout)):
                with suppress(OSError):
                    pipe.close()


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**environment(), **{name: os.environ[name] for name in CERTIFICATES if name in os.environ}},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is ours to answer
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # a pipe
    line = process.stdout.readline()
    if not line.endswith("\n"):
        raise InputError(f"load: a sending process ended by itself (exit code {process.poll()}).")
    return line.rstrip("\n")


def _merged(parts: Sequence[tuple[np.ndarray, Sent]]) -> Sent:
    """Return the parts as one: every request at its place; the CPU share of the busiest process, which is the limit."""
    count = sum(len(part) for part, _ in parts)
    sent, finished, lag = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count)
    answers: list[Reply | str] = [UNSENT] * count
    for part, one in parts:
        sent[part], finished[part], lag[part] = one.sent, one.finished, one.lag
        for place, answer in zip(part.tolist(), one.answers, strict=True):
            answers[place] = answer
    every = [one for _, one in parts]
    busiest, seconds = max(one.cpu for one in every), sum(one.seconds for one in every)
    return Sent(sent, finished, lag, answers, busiest, seconds, sum(one.connections for one in every))
