"""The same model served by NVIDIA Triton: its environment, the server, the model in it, and how a version is chosen."""

from __future__ import annotations

import os
from pathlib import Path

from flights import spec

VARIABLE = "FLIGHTS_TRITON"
MODEL = "flights"  # as Triton knows it


def place() -> Path:
    """Return the folder of Triton's environment."""
    return Path(os.environ.get(VARIABLE, spec.HOME / ".venv-triton"))


def number(version: str) -> int:
    """Return a version as Triton names it, which knows whole numbers only.

    >>> number("v2")
    2
    """
    return int(version.removeprefix("v"))
