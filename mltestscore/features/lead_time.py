"""How long features took from the first commit that names them to the first version in service that has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import numpy
import scipy

from mltestscore.inputs.registry import Registry
from mltestscore.inputs.repository import Repository
from mltestscore.stats.interval import CLEAR, Interval

MOST_FEATURES = 50
SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True)
class LeadTime:
    """One feature: its first commit, the version that first served it, and the days in between."""

    feature: str
    commit: str
    version: str
    days: float


def lead_times(repository: Repository, registry: Registry, features: Sequence[str]) -> list[LeadTime]:
    """Return the lead time of each feature whose first commit and first version are on record, in that order of time.

    The first version is the earliest one published whose ``code_commit`` names the feature. At most fifty features are
    looked up. Raises :class:`InputError` when git fails or hangs.
    """
    published = sorted(
        (one.published_at, one.version, one.code_commit)
        for one in registry.versions
        if one.published_at is not None and one.code_commit
    )
    found: list[LeadTime] = []
    if not published or published[-1][0] < _beginning(repository):
        return found  # a history that was cut off, or a replay of the past
    for feature in features[:MOST_FEATURES]:
        code, said, _ = repository.git("log", "--reverse", "--format=%H %ct", f"-S{feature}")
        if code != 0 or not said:
            continue
        commit, seconds = said.splitlines()[0].split()
        began = datetime.fromtimestamp(int(seconds), UTC)
        for served, version, tree in published:
            if served < began or not _is_commit(tree):
                continue
            named, _, _ = repository.git("grep", "--quiet", "--fixed-strings", "-e", feature, tree)
            if named == 0:
                found.append(LeadTime(feature, commit, version, (served - began).total_seconds() / SECONDS_A_DAY))
                break
    return found


def median_days(times: Sequence[LeadTime]) -> Interval:
    """Return the median lead time in days with bounds at 95 %; n counts first commits, which features may share.

    Of features that share their first commit, the one that took longest counts.

    Source: order statistics of the sign test (Conover 1999, Practical Nonparametric Statistics, 3.2): the k-th smallest
    of n values lies below the median but for a chance of P(Binomial(n, 1/2) < k). With fewer than five, no bound is
    finite.

    Raises :class:`ValueError` without any.
    """
    by_commit = {one.commit: one.days for one in sorted(times, key=lambda one: one.days)}
    days = sorted(by_commit.values())
    if not days:
        raise ValueError("a median of nothing is not defined")
    n = len(days)
    ranks = [k for k in range(1, n + 1) if scipy.stats.binom.cdf(k - 1, n, 0.5) <= CLEAR]
    low, high = (days[ranks[-1] - 1], days[n - ranks[-1]]) if ranks else (-numpy.inf, numpy.inf)
    return Interval(median(days), low, high, n, 1 - CLEAR, "sign test")


def _beginning(repository: Repository) -> datetime:
    """The time of the repository's oldest root commit; the end of time where it has none."""
    code, said, _ = repository.git("rev-list", "--max-parents=0", "--format=%ct", "HEAD")
    times = [int(line) for line in said.splitlines() if line.isdigit()] if code == 0 else []
    return datetime.fromtimestamp(min(times), UTC) if times else datetime.max.replace(tzinfo=UTC)


def _is_commit(name: str) -> bool:
    return 7 <= len(name) <= 64 and all(letter in "0123456789abcdef" for letter in name)
