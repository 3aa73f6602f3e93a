"""Environments of the peers: one a pinned list, built once and kept under the benchmark's folder."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path

from .costs import ProgramError, run

LISTS = Path(__file__).parents[1] / "peers"
VERSION = re.compile(r"^# Python (3\.\d+)$", re.MULTILINE)
DONE = "installed"


def pinned(peer: str) -> Path:
    """Return the list of a peer's packages, every one with its version."""
    return LISTS / f"{peer}.txt"


def python_of(peer: str, folder: Path, *, timeout_s: float) -> Path:
    """Return the interpreter of a peer's environment, which is built if its list is new.

    Raises :class:`ProgramError`, with the reason, when the list's Python is not here or pip cannot install it.
    """
    wanted = pinned(peer).read_bytes()
    place = folder / "peers" / f"{peer}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    python = place / "bin" / "python"
    if (place / DONE).exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    base = _base(wanted.decode("utf-8"), peer)
    try:
        run([base, "-m", "venv", str(place)], timeout_s=timeout_s)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run([str(python), *install, "--requirement", str(pinned(peer))], timeout_s=timeout_s)
    except ProgramError as refusal:
        raise ProgramError(f"does not install: {refusal}") from refusal
    (place / DONE).touch()
    return python


def _base(wanted: str, peer: str) -> str:
    found = VERSION.search(wanted)
    if found is None:
        raise SystemExit(f"{pinned(peer)} does not say its version; write a line such as '# Python 3.11' on top.")
    if found[1] == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    path = shutil.which(f"python{found[1]}")
    if path is None:
        raise ProgramError(f"does not install: its list is for Python {found[1]}, which is not on this machine")
    return path
