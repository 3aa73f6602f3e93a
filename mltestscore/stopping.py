"""What a command of ours started and left behind: known by a variable that it inherited, and killed.

A daemon leaves its session and its parents, so that neither the process group nor the tree leads to it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress

MARK = "MLTESTSCORE_STARTED"
ROUNDS = 3  # of looking: what is found may have started another one meanwhile


def marked() -> dict[str, str]:
    """Return the variable for the environment of one command; its value begins with that of who started us."""
    return {MARK: f"{os.environ.get(MARK, '')}/{secrets.token_hex(8)}"}


def kill_marked(mark: Mapping[str, str]) -> None:
    """Kill every process that inherited this mark, or one that was made under it."""
    import psutil

    for _ in range(ROUNDS):
        found = False
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError, ValueError):  # somebody else's, or gone
                if f"{process.environ().get(MARK, '')}/".startswith(f"{mark[MARK]}/"):
                    process.kill()
                    found = True
        if not found:
            return
