"""Say what a slow check is doing: nothing for two seconds, then a line a phase."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

AFTER_SECONDS = 2.0


class Progress:
    """Called with a phase (``"data.1: observing"``), or with an empty text at the end of a check.

    A phase that is still going on after two seconds is written out, from a thread, because the check has the main one.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._timer: threading.Timer | None = None
        self._started: float | None = None

    def __call__(self, phase: str) -> None:
        """Enter a phase, or end with an empty text."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        if not phase:
            self._started = None
            return
        if self._started is None:
            self._started = monotonic()
        waited = monotonic() - self._started
        # Once a check is known to be slow, its next phase is worth a line at once.
        self._timer = threading.Timer(0.0 if waited > AFTER_SECONDS else AFTER_SECONDS - waited, self._write, [phase])
        self._timer.daemon = True
        self._timer.start()
