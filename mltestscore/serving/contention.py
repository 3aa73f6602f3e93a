"""Whether other processes left a server of ours the processor that it needs: else a slow answer says more of them.

How late the load generator was does not show it: who sleeps until the next request is put first, who computes waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import psutil

from mltestscore.serving.load import Load
from mltestscore.serving.process import Server

IDLE, OTHERS = 0.1, 0.25
"""Shares of the machine: with less than the first idle and more than the second used by others, the server waits."""


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far: of the whole machine, idle and not (``steal`` of a virtual one among it), and of ours."""

    busy: float
    idle: float
    ours: float

    @classmethod
    def now(cls, server: Server) -> Usage:
        """Return what has been used until now."""
        whole = psutil.cpu_times()
        idle = whole.idle + getattr(whole, "iowait", 0.0)
        counted = ("user", "nice", "system", "irq", "softirq", "steal")
        busy = sum(getattr(whole, name, 0.0) for name in counted)
        ours = time.process_time()
        for process in server.processes():
            with suppress(psutil.Error):
                spent = process.cpu_times()
                ours += spent.user + spent.system
        return cls(busy, idle, ours)


def crowded(before: Usage, after: Usage, seconds: float, senders: float = 0.0) -> str:
    """Return why slow answers may be other processes' doing, or empty; ``senders`` are CPU seconds of ours elsewhere.

    >>> crowded(Usage(0, 0, 0), Usage(2.0, 0.0, 0.6), 1.0), crowded(Usage(0, 0, 0), Usage(1.4, 0.6, 0.4), 1.0)
    ('other processes used 1.4 of 2 cores, and 0 % of the machine was idle', '')
    """
    busy, idle = after.busy - before.busy, after.idle - before.idle
    whole, others = busy + idle, max(0.0, busy - (after.ours - before.ours) - senders)
    if not whole > 0 or idle / whole >= IDLE or others / whole < OTHERS:
        return ""
    cores = max(1, round(whole / seconds))
    used, free = others / whole * cores, round(100 * idle / whole)
    return f"other processes used {used:.1f} of {cores} cores, and {free} % of the machine was idle"


def watched(server: Server | None, send: Callable[[], Load]) -> Load:
    """Send a load, and note what other processes did meanwhile; of a server that is not ours nothing can be told."""
    if server is None:
        return send()
    before, began = Usage.now(server), time.perf_counter()
    load = send()
    seconds = time.perf_counter() - began
    # Of several senders the busiest is known: what they used together is at most this.
    senders = load.cpu * load.processes * seconds if load.processes > 1 else 0.0
    return replace(load, crowded=crowded(before, Usage.now(server), seconds, senders))
