"""What a run keeps in ``config.stash``: no module-level state, so that runs in one process do not meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mltestscore.config import Config
from mltestscore.proof import Progress, Proving


@dataclass
class Running:
    """How checks are run in this process."""

    proving: Proving | None
    progress: Progress
    drilldowns: Path | None = None
    """The folder for a closer look at flagged features; ``None``: nobody asked for it."""


CONFIG = pytest.StashKey[Config]()
RUNNING = pytest.StashKey[Running]()
