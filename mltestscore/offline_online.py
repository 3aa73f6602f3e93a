"""Machinery of model.2: what experiments say of an offline and an online metric."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltestscore.finding import Finding, at_least, at_most, undecided
from mltestscore.inputs.experiments import Experiments
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.proportion import proportion, wilson
from mltestscore.stats.rank import kendall

TAU = "rank correlation of offline and online changes"
AGREEMENT = "experiments in which both changes go the same way"
ON_METRIC = "experiments on the metric that releases are judged by"
AGE = "age of the newest experiment"
DEGRADED = "experiments with a model made worse on purpose"
CHANCE = 0.5
COLUMNS = ("experiment", "ended", "offline change", "online change", "same way", "made worse on purpose")

Changes = NDArray[np.float64]


def on_metric(experiments: Experiments, known: list[str]) -> tuple[str, NDArray[np.bool_]]:
    """Return the metric to judge, and which experiments have it; all, and no name, where no metric is recorded."""
    if not experiments.metrics or not known:
        return "", np.ones(len(experiments), dtype=bool)
    names = np.array([_plain(one) for one in experiments.metrics])
    wanted = {one: names == _plain(one) for one in known}
    chosen = max(wanted, key=lambda one: int(wanted[one].sum()))
    return chosen, wanted[chosen]


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def correlation(offline: Changes, online: Changes, limit: float, alpha: float) -> Finding:
    """Return the finding on Kendall's tau: failed where it is shown to be below ``limit``, passed where above zero.

    The changes have the shape (n,), with n of at least 5; ``alpha`` is the level of the bound that accuses.
    """
    for side, what in ((offline, "offline"), (online, "online")):
        if len(set(side)) == 1:
            return undecided(TAU, f"the {what} change is the same in all {len(side)} experiments")
    found = kendall(offline, online)
    accusing, clearing = found.interval(alpha), found.interval(CLEAR)
    note = f"{'exact' if found.exact else 'permutation'} p of no relation {found.p:.2g}"
    # Harm is a tau below the limit; what rules it out is a tau above zero (few teams ever have the n for more).
    floor = limit if accusing.high < limit else 0.0
    return at_least(TAU, two_levels(accusing, clearing, "below"), floor, note=note)


def agreement(offline: Changes, online: Changes, limit: float, alpha: float) -> Finding:
    """Return the finding on how many changes have one sign: failed where shown below ``limit``, passed above 1/2."""
    asked = (offline != 0) | (online != 0)
    n, same = int(asked.sum()), int((np.sign(offline[asked]) == np.sign(online[asked])).sum())
    if n == 0:
        return undecided(AGREEMENT, "nothing changed in any experiment")
    accusing = proportion(same, n, alpha)
    floor = limit if accusing.high < limit else CHANCE
    return at_least(AGREEMENT, two_levels(accusing, wilson(same, n, CLEAR), "below"), floor, unit="share")


def age(ended: NDArray[np.datetime64], clock: datetime, limit: float) -> Finding:
    """Return the finding on the age in days of the newest of ``ended``, datetime64 in UTC."""
    if not len(ended):
        return undecided(AGE, "no experiment is on record")
    days = (np.datetime64(clock.astimezone(UTC).replace(tzinfo=None), "s") - ended.max()) / np.timedelta64(1, "D")
    if days < -1:
        return undecided(AGE, f"the newest is dated {ended.max()}, after the clock; correct it", unit="days")
    return at_most(AGE, float(days), limit, unit="days", n=len(ended))


def degraded(worse: NDArray[np.bool_] | None, kept: NDArray[np.bool_]) -> Finding:
    """Say whether a model was made worse on purpose in one of the experiments that are ``kept``."""
    count = 0 if worse is None else int(worse[kept].sum())
    if count:
        return at_least(DEGRADED, count, 1, n=int(kept.sum()))
    known = "none is on record" if worse is not None else "arm is not declared under [tool.mltestscore.experiments]"
    return undecided(DEGRADED, f"{known}; try one with a little of the traffic, to learn what a loss costs users")


def rows(experiments: Experiments, kept: NDArray[np.bool_]) -> list[tuple[Any, ...]]:
    """Return one row of :data:`COLUMNS` for each experiment that is ``kept``, the newest first."""
    both = zip(experiments.offline.tolist(), experiments.online.tolist(), strict=True)
    worse = (
        [""] * len(experiments) if experiments.degraded is None else np.where(experiments.degraded, "yes", "").tolist()
    )
    rows = [
        (name, str(ended)[:10], offline, online, "yes" if offline * online > 0 else "no", mark)
        for name, ended, (offline, online), mark in zip(experiments.names, experiments.ended, both, worse, strict=True)
    ]
    return [row for row, use in zip(rows, kept, strict=True) if use][::-1]
