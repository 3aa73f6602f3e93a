"""Whether a server keeps memory of its requests: a growth that a second run of twice the length shows again.

Warm-up, caches that fill and an allocator's steps all look like growth for a while (Machida et al. 2013): twice as
many requests more, sent to the same server, let those come to their end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from mltestscore.finding import Finding, at_most, undecided
from mltestscore.serving.blocks import Arm
from mltestscore.serving.memory import Growth, growth

MEBIBYTE = 2**20
MEMORY = "resident memory"
KEPT = "memory kept of every request"
GOES_ON = 0.7
"""Of the first run's slope, what the second must have at least: a leak keeps its slope, a filling cache loses it."""
GREW_BY_HALF = 0.5
"""Of the memory at the start, what both runs must have added where no previous version shows what is usual."""
SHORT_SECONDS = 60.0
"""A second run may always take so long, and else four times what the first took, of which it sends twice as much."""


def judge_memory(
    current: Arm,
    before: Arm | None,
    frame: pd.DataFrame,
    memory_mb: float | None,
    alpha: float,
    site: Callable[[float], str] = lambda _: "",
) -> Iterator[Finding]:
    """Hold resident memory to its limit in MiB, if there is one, and show what is kept of every request.

    Growth counts only where it looks like a leak and a second run of twice as many requests (rows of ``frame``) shows
    it again; else it is advisory. ``site`` says, for so many bytes a request, where they are allocated.
    """
    if not current.memory:
        if memory_mb is not None:
            yield undecided(MEMORY, "the server is not our process; offer its command instead of a url", unit="MiB")
        return
    first = growth(current.asked, current.memory, alpha)
    usual = growth(before.asked, before.memory, alpha) if before else None
    if first is None or not suspicious(first, usual):
        longer, kept = current, _advisory(first, "a short run shows no leak; warm-up and filling caches look like it")
    else:
        longer, kept = _confirmed(current, before, frame, first, alpha, site)
    if memory_mb is not None:
        peak = max(*current.memory, *longer.memory)
        yield at_most(MEMORY, peak / MEBIBYTE, memory_mb, unit="MiB", n=len(current.memory))
    yield from kept


def suspicious(found: Growth, usual: Growth | None) -> bool:
    """Say whether a growth is steady to its end, above an allocator's steps, and not the previous version's too."""
    if not found.steady or found.per_request.low <= found.visible:
        return False
    return usual is None or found.per_request.low > usual.per_request.high


def _advisory(found: Growth | None, note: str) -> list[Finding]:
    if found is None:
        return []
    return [at_most(KEPT, found.per_request, found.visible, unit="bytes", note=note, advisory=True)]


def _confirmed(
    current: Arm,
    before: Arm | None,
    frame: pd.DataFrame,
    first: Growth,
    alpha: float,
    site: Callable[[float], str],
) -> tuple[Arm, list[Finding]]:
    """Run twice as long again; return that run, and the leak if it is one."""
    arms = [_longer(arm, frame) for arm in (current, before) if arm is not None]
    grown = [growth(arm.asked, arm.memory, alpha) for arm in arms]
    again, usual = grown[0], grown[1] if before else None
    if again is None or len(arms[0].memory) < 2 * len(current.memory) - 1:
        why = f"it grows, and a run of double length, to show whether it goes on, took over {_most(current):.0f} s"
        return arms[0], [undecided(KEPT, why, unit="bytes")]
    added = arms[0].memory[-1] / max(1, current.memory[0]) - 1
    enough = usual is not None or added >= GREW_BY_HALF
    if not (suspicious(again, usual) and again.per_request.value >= GOES_ON * first.per_request.value and enough):
        note = "it grew in a first run, and a second one of twice the length did not show a leak: a cache that fills"
        return arms[0], _advisory(again, note)
    requests = f"{arms[0].requests:,} requests more, after {current.requests:,}"
    cause = "; ".join(text for text in (f"it goes on over {requests}", site(again.per_request.value)) if text)
    return arms[0], [at_most(KEPT, again.per_request, again.visible, unit="bytes", cause=cause)]


def _longer(arm: Arm, frame: pd.DataFrame) -> Arm:
    """Send twice as many requests as ``arm`` has had, at once in twice as many blocks, in bounded time."""
    blocks = 2 * (len(arm.memory) - 1)
    size = max(1, round(2 * arm.requests / max(1, blocks)))
    longer, until = Arm(arm.served), time.monotonic() + _most(arm)
    longer.note_memory()
    for _ in range(blocks):
        if time.monotonic() > until:
            break
        longer.bursts.append(arm.served.send(frame, np.zeros(size)))
        longer.note_memory()
    return longer


def _most(arm: Arm) -> float:
    """Return how many seconds a second run of ``arm`` may take."""
    sent = [
        (load.origin_s, load.origin_s + float(load.intended_s[-1])) for load in (*arm.alone, *arm.loads, *arm.bursts)
    ]
    first, last = min(begun for begun, _ in sent), max(ended for _, ended in sent)
    return max(SHORT_SECONDS, 4 * (last - first))
