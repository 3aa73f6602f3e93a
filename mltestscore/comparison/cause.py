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
