"""Answers held back as a worse server would, for planted faults, also by several processes that share the requests."""

from __future__ import annotations

import threading
import time
from typing import Any


class Stall:
    """Holds answers back, as a slower server would; for planted faults.

    ``every=1``: each answer is ``delay`` seconds late. ``every=k``: at each k-th request the whole server pauses for
    ``delay`` seconds, so that all answers due meanwhile wait too (a garbage collection, a global lock).
    """

    def __init__(self, delay: float, every: int = 1) -> None:
        self.delay, self.every = delay, every
        self._gate, self._count, self._counting = threading.Lock(), 0, threading.Lock()

    def hold(self) -> None:
        """Wait as long as the answer at hand is held back."""
        if self.every <= 1:
            time.sleep(self.delay)
            return
        with self._counting:
            self._count += 1
            pause = self._count % self.every == 0
        with self._gate:
            if pause:
                time.sleep(self.delay)

    def told(self, parts: int) -> dict[str, Any]:
        """Return the arguments of each of so many processes' share: as much of its time is spent in pauses."""
        return {"delay": self.delay, "every": self.every if self.every <= 1 else max(2, round(self.every / parts))}


class Bottleneck:
    """Lets at most ``rate`` answers a second pass, one after the other, as a lock round the model would."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._free, self._turn = 0.0, threading.Lock()

    def hold(self) -> None:
        """Wait for the turn of the answer at hand."""
        with self._turn:
            self._free = max(time.perf_counter(), self._free) + 1 / self.rate
            until = self._free
        time.sleep(max(0.0, until - time.perf_counter()))

    def told(self, parts: int) -> dict[str, Any]:
        """Return the arguments of each of so many processes' share."""
        return {"rate": self.rate / parts}


Hold = Stall | Bottleneck


def as_told(told: dict[str, Any] | None) -> Hold | None:
    """Return what the arguments of :meth:`Stall.told` or :meth:`Bottleneck.told` describe."""
    if not told:
        return None
    return Bottleneck(**told) if "rate" in told else Stall(**told)
