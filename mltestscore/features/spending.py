"""Machinery of data.3: what features cost, declared and measured, held to what may be spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mltestscore.codetests.online_cost import OnlineCost
from mltestscore.features.costs import RESOURCES, Unit
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.stats.interval import CLEAR, Interval, exactly, two_levels
from mltestscore.stats.paired import difference

COST = "cost of all features"
MEASURED = "measured cost of the serving path"
NO_BUDGET = 'no budget is declared: set budget_ms, budget_calls or budget_mb under [tool.mltestscore.checks."data.3"]'


def spent(every: Sequence[Unit], budgets: Mapping[str, float]) -> Iterator[Finding]:
    """Add up each resource with a budget; what nobody declared may be anything."""
    if not budgets:
        yield undecided(COST, NO_BUDGET)
    for resource, budget in budgets.items():
        name, unit = RESOURCES[resource]
        known = {one.name: amount for one in every if (amount := one.amount(resource)) is not None}
        silent = [one.name for one in every if one.name not in known]
        dearest = sorted(known, key=lambda one: -known[one])[:3]
        cause = "most: " + ", ".join(f"{one} {known[one]:.4g} {unit}" for one in dearest)
        if silent and sum(known.values()) <= budget:
            why = f"{len(silent)} say nothing of it, first {silent[0]!r:.80}; write {resource} into the catalogue"
            yield undecided(COST, why, where=name, unit=unit)
        else:
            yield at_most(COST, sum(known.values()), budget, where=name, unit=unit, n=len(every), cause=cause)


def upstream(every: Sequence[Unit], max_late_share: float | None, max_sources: float | None) -> Iterator[Finding]:
    """Hold each unit's sources to their limits, where there are any."""
    for one in every:
        if max_late_share is not None and one.late_share is not None:
            yield at_most("requests with a late source", one.late_share, max_late_share, where=one.name, unit="share")
        if max_sources is not None:
            yield at_most("upstream sources", len(one.sources), max_sources, where=one.name)


def measured(
    cost: OnlineCost, every: Sequence[Unit], budgets: Mapping[str, float], tolerance: float, alpha: float
) -> Iterator[Finding]:
    """Hold the time of the serving path to its budget, and its store calls to those that are declared."""
    if "compute_ms" in budgets:
        limit, unit = budgets["compute_ms"] * (1 + tolerance), RESOURCES["compute_ms"][1]
        yield at_most(MEASURED, _mean(cost.milliseconds, alpha), limit, where="compute time", unit=unit)
    calls = [amount for one in every if (amount := one.amount("store_calls")) is not None]
    if len(calls) == len(every):
        limit = sum(calls) * (1 + tolerance)
        cause = f"{sum(calls):g} are declared in the catalogue"
        yield at_most(MEASURED, _mean(cost.calls, alpha), limit, where="store calls", unit="calls", cause=cause)


def _mean(values: Sequence[float], alpha: float) -> Interval:
    if min(values) == max(values):
        return exactly(values[0], len(values))
    nothing = np.zeros(len(values))
    accusing, clearing = (difference(np.asarray(values, dtype=float), nothing, level) for level in (alpha, CLEAR))
    return two_levels(accusing, clearing)
