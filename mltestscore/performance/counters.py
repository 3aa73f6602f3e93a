"""Counters of a request, which do not depend on how busy the machine is: against limits and the previous version.

The same rows are asked for several times, one by one, of both versions in turn. A counter that is the same each time
is exact. One that varies accuses only where every pass of the current version lies beyond all of the previous one's,
in so many passes that chance would hardly order them so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import pandas as pd

from mltestscore.details import Table
from mltestscore.errors import InputError, MltestscoreError, near
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.endpoint import Endpoint
from mltestscore.performance.allocations import BY_HAND, allocated
from mltestscore.serving.counting import BYTES
from mltestscore.stats.interval import CLEAR, Interval

COUNTED = "counted for a request"
ALLOCATED = "allocated bytes"
"""The most that Python holds while a request is answered, beyond what it holds before."""
ROWS, ROWS_TRACED = 20, 3
SECONDS = 4.0
"""For all passes, as far as two of them and a warm-up allow."""
PACKET = 1_460
"""Bytes that an answer may grow in any case: what one packet holds, and no client notices less."""
SAME = "counted; the same in every pass"
VARIES = "least and most of all passes"

Pass = Mapping[str, float]


def judge_counters(
    endpoint: Endpoint,
    previous: Endpoint | None,
    frame: pd.DataFrame,
    limits: Mapping[str, float],
    tolerance: float,
    alpha: float,
) -> Iterator[Finding | Table]:
    """Hold each counter to its declared limit, else to what the previous version needs and the tolerance.

    The operating system's counters are judged only against a declared limit: a version that reads one more file may
    be meant to. So is what Python allocates, which costs a server that is traced. Raises :class:`InputError` for a
    limit on a counter that does not exist.
    """
    if previous is None and not limits:
        return
    if ALLOCATED in limits:
        yield _allocations(endpoint, frame.head(ROWS_TRACED), limits[ALLOCATED], alpha)
        limits = {name: limit for name, limit in limits.items() if name != ALLOCATED}
    now, before = passes(endpoint, previous, frame, limits, fewest_passes(alpha))
    known = {BYTES, *endpoint.counting.declared.places, *(name for one in now for name in one)}
    if now and (wrong := [name for name in limits if name not in known]):
        raise InputError(
            f"monitor.6: counters: there is no counter {wrong[0]!r:.80}.{near(wrong[0], known | {ALLOCATED})}"
        )
    rows = []
    for name in sorted(known, key=lambda one: (one not in endpoint.counting.declared.places, one != BYTES, one)):
        ours, theirs = [one[name] for one in now if name in one], [one[name] for one in before if name in one]
        finding = _judged(endpoint, name, ours, theirs, limits, tolerance, alpha)
        if finding is not None:
            yield finding
        rows.append((name, _middle(ours), _middle(theirs), finding.ceiling if finding else None))
    yield Table("Counters of a request", ["counter", "current", "previous", "limit"], rows)


def passes(
    endpoint: Endpoint, previous: Endpoint | None, frame: pd.DataFrame, limits: Mapping[str, float], fewest: int
) -> tuple[list[Pass], list[Pass]]:
    """Count in both versions in turn, twice, or as often as varying counters need and time allows."""
    rows, arms = frame.head(ROWS), [(one, list[Pass]()) for one in (endpoint, previous) if one is not None]
    for served, _ in arms:
        served.wait_until_ready(rows)
    began = time.monotonic()
    for served, _ in arms:
        if not served.count(rows.head(2)):  # connections, and what the first request of all makes
            return [], []  # no usable answer: others say so, and why
    slowest = (time.monotonic() - began) / (2 * len(arms))
    rows = rows.head(max(2, min(ROWS, int(SECONDS / (3 * len(arms) * max(slowest, 1e-4))))))
    for served, _ in arms:
        served.count(rows)  # caches of these rows
    judged = {BYTES, *endpoint.counting.declared.places, *limits}
    for number in range(fewest):
        for served, counted in arms[:: 1 if number % 2 == 0 else -1]:
            counted.append(served.count(rows))
        exact = number > 0 and all(_same(counted, name) for _, counted in arms for name in judged)
        if exact or (number > 0 and time.monotonic() > began + SECONDS):
            break
    return arms[0][1], arms[1][1] if previous is not None else []


def fewest_passes(alpha: float) -> int:
    """Return how many passes of each version make a chance order of all of them rarer than ``alpha``.

    >>> fewest_passes(0.0002), fewest_passes(0.016)
    (8, 4)
    """
    return next(count for count in range(2, 100) if math.comb(2 * count, count) * alpha >= 1)


def _judged(
    endpoint: Endpoint,
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    limits: Mapping[str, float],
    tolerance: float,
    alpha: float,
) -> Finding | None:
    declared = name in endpoint.counting.declared.places
    unit = "bytes" if name == BYTES else ""
    if not ours:
        why = f"no answer and no metric held it; see {name!r} in [tool.mltestscore.endpoint.counters]"
        return undecided(COUNTED, why, where=name, unit=unit) if declared or name in limits else None
    if name in limits:
        return at_most(COUNTED, _interval(ours, (), 1.0, alpha), limits[name], where=name, unit=unit)
    if not theirs or not (declared or name == BYTES):
        return None
    factor = 1 + tolerance
    limit = factor * median(theirs) + (PACKET if name == BYTES else 0)
    note = f"{median(theirs):g} in the previous version"
    return at_most(COUNTED, _interval(ours, theirs, factor, alpha), limit, where=name, unit=unit, note=note)


def _allocations(endpoint: Endpoint, frame: pd.DataFrame, limit: float, alpha: float) -> Finding:
    found, why = list[float](), "only a server that we start can be traced"
    if endpoint.twin is not None:
        try:
            found, why = allocated(endpoint, frame, fewest_passes(alpha)), "no Python process of it could be traced"
        except MltestscoreError as error:
            why = f"a second server, traced, gave no answer: {str(error).partition(chr(10))[0][:200]}"
    if not found:
        return undecided(COUNTED, f"{why}; {BY_HAND}", where=ALLOCATED, unit="bytes")
    return at_most(COUNTED, _interval(found, (), 1.0, alpha), limit, where=ALLOCATED, unit="bytes")


def _interval(ours: Sequence[float], theirs: Sequence[float], factor: float, alpha: float) -> Interval:
    """Return what was counted, widened by what the previous version's passes differ among themselves."""
    value = median(ours)
    if len(ours) > 1 and len(set(ours)) == 1 and len(set(theirs)) <= 1:
        return Interval(value, value, value, len(ours), 1.0, SAME)
    above = factor * (max(theirs) - median(theirs)) if theirs else 0.0
    below = factor * (median(theirs) - min(theirs)) if theirs else 0.0
    low = min(ours) - above if len(ours) >= fewest_passes(alpha) else -math.inf
    return Interval(value, low, max(ours) + below, len(ours), 1 - CLEAR, VARIES)


def _same(counted: Sequence[Pass], name: str) -> bool:
    return len({one.get(name) for one in counted}) == 1


def _middle(counted: Sequence[float]) -> float | None:
    return float(f"{median(counted):.6g}") if counted else None
