"""A named cause of differing values, and how the best of several is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

Numbers = NDArray[numpy.float64]
Mask = NDArray[numpy.bool_]
Candidate = tuple[str, Mask]

ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Cause:
    """What explains the differences, in the reader's words, and for which share of the rows looked at."""

    name: str
    share: float


def best(candidates: Iterable[Candidate], rows: int, enough: float = ENOUGH) -> Cause | None:
    """Return the candidate that explains most of ``rows`` rows, the earlier one where two explain about as many.

    ``None`` where none explains the share ``enough``: an unnamed difference is better than a wrong name.
    """
    chosen: Cause | None = None
    for name, mask in candidates:
        share = float(mask.sum()) / rows
        if share >= enough and (chosen is None or share > chosen.share + 0.05):
            chosen = Cause(name, share)
            if share >= 0.95:  # then no later one can explain so much more, and those that are left cost queries
                break
    return chosen


def shown(value: float) -> str:
    """Return a number as a reader expects it in a sentence.

    >>> shown(5.0), shown(0.30480001), shown(-1)
    ('5', '0.3048', '-1')
    """
    return f"{value:.6g}" if value != int(value) or abs(value) >= 1e15 else f"{int(value)}"


def duration(seconds: float) -> str:
    """Return a time span in the largest unit that needs at most two decimals.

    >>> duration(86_400.0), duration(-129_600.0), duration(5_400.0), duration(1.25)
    ('1 day', '-1.5 days', '1.5 h', '1.25 s')
    """
    for name, unit in (("day", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        count = seconds / unit
        if abs(count) >= 1 and round(count, 2) == count:
            return f"{count:g} {name}{'s' if name == 'day' and abs(count) != 1 else ''}"
    return f"{seconds:g} s"
