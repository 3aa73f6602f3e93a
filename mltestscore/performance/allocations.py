"""What a server allocates: a second server of the same command, its allocations traced, tells where and how much.

Tracing slows a server down, so that it never runs in the one that is measured.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from mltestscore.errors import InputError, MltestscoreError
from mltestscore.inputs.endpoint import Endpoint
from mltestscore.performance import allocation_probe

REQUESTS = 300
WAIT = 10.0
SHOWN = 200
NATIVE = 0.2
"""Share of what is kept, below which Python's allocator is not what keeps it."""
LIBRARIES = ("site-packages", "dist-packages", f"{os.sep}lib{os.sep}python", "<")
BY_HAND = "start the server with `python -X tracemalloc=10` and compare two snapshots, or use memray"


def allocation_site(endpoint: Endpoint, frame: pd.DataFrame, kept: float) -> str:
    """Return where the server allocates the ``kept`` bytes a request, or how to find out, as half a sentence."""
    if endpoint.twin is None:
        return ""
    try:
        found = _traced(endpoint, frame)
    except (MltestscoreError, OSError, ValueError, LookupError, TypeError) as error:
        return f"where it is allocated could not be traced ({str(error).partition(chr(10))[0][:SHOWN]}); {BY_HAND}"
    if found is None:
        return f"where it is allocated is not known, as no Python process of it could be traced; {BY_HAND}"
    size, frames = max(found, key=lambda one: one[0], default=(0.0, []))
    if size < NATIVE * kept:
        return (
            f"Python's allocator holds {size / 1000:,.1f} kB of these {kept / 1000:,.1f}: look in native code "
            "(memray --native, heaptrack), or in another process"
        )
    return f"{size / 1000:,.1f} kB a request are allocated at {_place(frames)}"


def allocated(endpoint: Endpoint, frame: pd.DataFrame, passes: int) -> list[float]:
    """Return how many bytes Python holds at most beyond the usual while each row is answered, once for each pass.

    None where no process tells. A server of several processes tells by the one that takes most. Raises
    :class:`InputError` where the second server does not start or answer.
    """
    if endpoint.twin is None:
        return []
    with _twin(endpoint, frame) as (twin, folder):
        if not twin.count(frame):  # what is kept from the first requests on; and whether it answers at all
            raise InputError("no answer of it was usable")
        found = []
        for number in range(1, passes + 1):
            before = _asked(folder, f"before.{number}")
            twin.count(frame)
            after = _asked(folder, f"after.{number}") if before else []
            found += [max(float(json.loads(one.read_text(encoding="utf-8"))) for one in after)] if after else []
        return found


def _traced(endpoint: Endpoint, frame: pd.DataFrame) -> list[tuple[float, list[tuple[str, int]]]] | None:
    """Return bytes a request and frames (innermost last) of what grew; ``None`` where no process answers."""
    with _twin(endpoint, frame) as (twin, folder):
        twin.send(frame, np.zeros(REQUESTS // 2))
        if not _asked(folder, "first"):
            return None
        twin.send(frame, np.zeros(REQUESTS))
        answers = _asked(folder, "second")
        return [site for answer in answers for site in _sites(answer)]


@contextmanager
def _twin(endpoint: Endpoint, frame: pd.DataFrame) -> Iterator[tuple[Endpoint, Path]]:
    """Start a traced server beside the endpoint's; the folder is where its processes are asked."""
    assert endpoint.twin is not None  # the caller has looked
    with tempfile.TemporaryDirectory(prefix="mltestscore-") as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_bytes(Path(allocation_probe.__file__).read_bytes())
        with closing(endpoint.twin(folder)) as twin:
            twin.wait_until_ready(frame)
            yield twin, folder


def _asked(folder: Path, question: str) -> list[Path]:
    """Ask all traced processes a question and return their answers, at the latest after ten seconds."""
    (folder / question).touch()
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        answers = list(folder.glob(f"{question}.*[0-9]"))
        if len(answers) >= len(list(folder.glob("here.*[0-9]"))):
            return answers
        time.sleep(0.05)
    return list(folder.glob(f"{question}.*[0-9]"))


def _sites(answer: Path) -> Iterator[tuple[float, list[tuple[str, int]]]]:
    for site in json.loads(answer.read_text(encoding="utf-8")):
        yield site["bytes"] / REQUESTS, [(str(file), int(line)) for file, line in site["frames"]]


def _place(frames: list[tuple[str, int]]) -> str:
    """Return the innermost place, and the nearest one that is not in a library, which says who asked for it."""

    def shown(place: tuple[str, int]) -> str:
        return f"{Path(*Path(place[0]).parts[-2:])!s:.80}, line {place[1]}"

    own = [place for place in frames if not any(part in place[0] for part in LIBRARIES)]
    innermost = frames[-1]
    if own and own[-1] != innermost:
        return f"{shown(innermost)}, called from {shown(own[-1])}"
    return shown(innermost)
