"""What a training costs: wall time, time of processors and memory of the whole tree of its processes."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

LOOK_EVERY = 0.25
"""Seconds between two looks at the memory of a training's child processes; a look takes some milliseconds."""


@dataclass(frozen=True)
class TrainingCost:
    """What one training took.

    Attributes:
        source: the name of the training function.
        rows, columns: of the frame that it learned from.
        seconds: wall time of the training function alone.
        waited: of these, the seconds that its thread was ready to run while no processor was free for it.
        cpu_seconds: of all processors, with the processes that it started.
        peak_bytes: largest resident size of its processes together, the interpreter and its libraries included.
    """

    source: str
    rows: int
    columns: int
    seconds: float
    waited: float
    cpu_seconds: float
    peak_bytes: int


def cpu_seconds() -> float:
    """Return what this process, the ones that it waited for and those that it still has took of all processors."""
    import psutil

    spent = sum(os.times()[:4])
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            spent += sum(child.cpu_times()[:4])
    return spent


def waited_seconds() -> float:
    """Return how long this process's first thread has waited for a free processor; 0 where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    return 0.0


class PeakOfTree:
    """Looks at the memory of a process and its descendants until :meth:`stop`."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._over = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="training-memory")
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum of bytes that was seen while there was a child process, 0 without one."""
        self._over.set()
        self._thread.join(timeout=2.0)
        return self._peak

    def _look(self) -> None:
        import psutil

        with suppress(psutil.Error):
            root = psutil.Process(self._pid)
            while not self._over.wait(LOOK_EVERY):
                if children := root.children(recursive=True):
                    self._peak = max(self._peak, sum(map(_bytes, (root, *children))))


def _bytes(process: psutil.Process) -> int:
    """Return the resident bytes of a process, what it shares with others divided among them where that is known."""
    import psutil

    with suppress(psutil.Error):
        found = process.memory_full_info()
        return int(getattr(found, "pss", found.rss))
    return 0
