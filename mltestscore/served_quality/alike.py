"""For how long days stay alike: a week of bad luck is one piece of news, and not seven.

It is read from the launch, where that has days enough: in the newest window a change, which is what is sought, would
look like days that stay alike. Where the launch has none, it is read from both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mltestscore.served_quality.scored import Scored
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.persistence import Persistence, persistence
from mltestscore.stats.ratios import Gap

Vector = npt.NDArray[np.float64]

TOLERATED = 2.0  # times as far as at launch days may spread now, where theirs stands in
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


def as_at_launch(own: Gap, measure: Callable[[Scored], Vector], now: Scored, launch: Scored | None) -> Gap | None:
    """Return the mean over the days of the window with the spread of days at launch, doubled; ``None`` where unfit.

    A week says so little of how much days differ that hardly any harm could be shown; the launch has more days. What
    spreads more than twice as far now is judged by its own spread alone. The narrower of both bounds misses at the
    level 0.0005, to either side, in at most 1 of 1,000 weeks whose days spread one to four times as far as those of 36
    at launch. Days that remember half of the last look less alike at launch where they spread less there, among the
    noise of rows: at four times the spread it misses in 4 of 1,000 weeks (``tests/stats/coverage.md``).
    """
    if launch is None or own.lasting is None or not launch.timed:
        return None
    its, here = (_means(measure, rows) for rows in (launch, now))
    if len(here) < 2 or len(its) < LEAST or not 0 < here.std(ddof=1) <= TOLERATED * its.std(ddof=1):
        return None
    errors = own.errors * TOLERATED * float(its.std(ddof=1)) / float(here.std(ddof=1))
    return replace(own, errors=errors, freedom=float(len(its) - 1))


def _means(measure: Callable[[Scored], Vector], rows: Scored) -> Vector:
    days = codes_of(rows.days)
    return np.asarray(np.bincount(days, weights=measure(rows)) / np.bincount(days), dtype=np.float64)


def _by_day(measure: Callable[[Scored], Vector], rows: Scored) -> Vector:
    values = measure(rows)
    return np.bincount(codes_of(rows.days), weights=values - values.mean()).astype(np.float64)
