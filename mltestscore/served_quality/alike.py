"""For how long days stay alike: a week of bad luck is one piece of news, and not seven.

It is read from the launch, where that has days enough: in the newest window a change, which is what is sought, would
look like days that stay alike. Where the launch has none, it is read from both.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mltestscore.served_quality.scored import Scored
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.persistence import Persistence, persistence

Vector = npt.NDArray[np.float64]

LEAST = 20  # days at launch that tell how alike days are


def of_days(now: Vector, before: Vector, *, timed: bool) -> Persistence:
    """Return for how long numbers stay alike, one a day in order of time; ``timed``: whether those before have days."""
    if timed and len(before) >= LEAST:
        return persistence([before])
    return persistence([now, before] if timed else [now])


def of_rows(measure: Callable[[Scored], Vector], now: Scored, launch: Scored | None) -> Persistence:
    """Return for how long days stay alike in what is averaged over rows: ``measure`` gives it, shape (n,)."""
    if launch is None:
        return persistence([_by_day(measure, now)])
    return of_days(_by_day(measure, now), _by_day(measure, launch), timed=launch.timed)


def _by_day(measure: Callable[[Scored], Vector], rows: Scored) -> Vector:
    values = measure(rows)
    return np.bincount(codes_of(rows.days), weights=values - values.mean()).astype(np.float64)
