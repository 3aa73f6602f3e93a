"""Runs inside a team's server, as its ``sitecustomize``: says where memory was allocated that is held on to.

Standard library only, for any interpreter that the server may have. A thread looks into the folder that
``MLTESTSCORE_HOOK`` names: the file ``first`` asks for a snapshot, ``second`` for what grew since; and ``before.1``,
``after.1``, ``before.2`` … in turn, for the most that was held in between beyond what was held at first.
"""

from __future__ import annotations

import gc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import sys
import threading
import time
import tracemalloc
from pathlib import Path

FRAMES = 8
SITES = 3
FOLDER = os.environ.get("MLTESTSCORE_HOOK", "")


def begin() -> None:
    """Trace allocations and wait for questions, in this process and in those that it forks."""
    tracemalloc.start(FRAMES)
    os.register_at_fork(after_in_child=wait)
    wait()


def wait() -> None:
    """Wait in a thread of its own: the server has the first."""
    threading.Thread(target=answer, daemon=True, name="allocations").start()


def answer() -> None:
    """Answer the first questions that are asked, by files named after this process."""
    write("here", "")
    if until_asked("first", "before.1") == "first":
        tell_what_grew()
    else:
        tell_the_most()


def tell_the_most() -> None:
    """Answer for ever how many bytes more than before were in use at once."""
    for number in itertools.count(1):
        until_asked(f"before.{number}")
        gc.collect()
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        write(f"before.{number}", "")
        until_asked(f"after.{number}")
        write(f"after.{number}", json.dumps(tracemalloc.get_traced_memory()[1] - held))


def tell_what_grew() -> None:
    """Answer once where what is held was allocated since."""
    before = taken()
    write("first", "")
    until_asked("second")
    grown = taken().compare_to(before, "traceback")
    sites = [
        {"bytes": one.size_diff, "frames": [[frame.filename, frame.lineno] for frame in one.traceback]}
        for one in sorted(grown, key=lambda one: -one.size_diff)[:SITES]
        if one.size_diff > 0
    ]
    write("second", json.dumps(sites))


def taken() -> tracemalloc.Snapshot:
    """Return a snapshot of what is in use, without our own."""
    gc.collect()
    ours = [tracemalloc.Filter(False, name) for name in (tracemalloc.__file__, __file__, threading.__file__)]
    return tracemalloc.take_snapshot().filter_traces(ours)


def until_asked(*questions: str) -> str:
    """Wait until the file of one of the questions is there, and say which; the server's end ends this too."""
    while True:
        for question in questions:
            if Path(FOLDER, question).exists():
                return question
        time.sleep(0.02)


def write(name: str, text: str) -> None:
    """Write a file at once, as whoever reads it must never see a half."""
    partial = Path(FOLDER, f"{name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(partial.with_suffix(""))


def run_the_other() -> None:
    """Run the ``sitecustomize`` that ours has hidden, where the server's interpreter has one."""
    path = [entry for entry in sys.path if Path(entry).resolve() != Path(FOLDER).resolve()]
    other = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if other is not None and other.loader is not None:
        other.loader.exec_module(importlib.util.module_from_spec(other))


if FOLDER and __name__ == "sitecustomize":
    begin()
    run_the_other()
