"""Every invariant of every common feature, counted on the serving data in one query and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy

from mltestscore.comparison import profile
from mltestscore.comparison.counts import Count, count_events, repeated_keys
from mltestscore.comparison.invariants import Now, Part, Tolerance, parts
from mltestscore.comparison.levels import rate
from mltestscore.comparison.profile import Past, Windows
from mltestscore.comparison.window import beyond_by_chance
from mltestscore.finding import Finding, at_most
from mltestscore.inputs.dataset import Dataset

PARTS = 5


@dataclass(frozen=True)
class Measured:
    """What came out: findings for every part, and both sides to look at."""

    findings: tuple[Finding, ...]
    windows: Windows
    past: dict[str, Past]
    now: dict[str, Now]


def measured(training: Dataset, serving: Dataset, allowed: Tolerance, alpha: float) -> Measured:
    """Measure every common feature of the serving data against the training data, in a handful of queries."""
    features = profile.common_features(training, serving)
    windows = profile.windows_of(training, serving)
    past = profile.past(training, features, windows)
    frequent = profile.most_frequent(serving, features, profile.MAX_CATEGORIES)
    usual = profile.most_frequent(training, features, profile.ATOMS)
    now = {
        name: Now(profile.value(serving.table[name], kind), serving.table[name], frequent[name], serving.rows)
        for name, kind in features.items()
    }
    atoms = {
        name: _atoms((frequent[name], serving.rows), (usual[name], training.rows))
        for name, one in past.items()
        if one.kind == "number" and not one.grows
    }
    shares = profile.shares_by_window(training, atoms, windows)
    found = [
        part
        for name, one in past.items()
        for part in parts(one, now[name], windows, shares.get(name), atoms.get(name, ()), allowed)
    ]
    events = {str(place): part.event for place, part in enumerate(found)}
    events |= {f"{place}?": part.chance for place, part in enumerate(found) if part.chance is not None}
    counts = count_events(serving, events)
    findings = judged(found, counts, past, alpha / (PARTS * max(1, len(features))))
    level = alpha / (PARTS * max(1, len(features)))
    whole = (
        became_constant(past, now, windows, usual, span_known=bool(serving.roles.time)),
        replayed(training, serving, allowed.new_value, level),
    )
    return Measured((*findings, *(one for one in whole if one is not None)), windows, past, now)


def _atoms(*sides: tuple[Sequence[tuple[Any, int]], int]) -> list[float]:
    """Return the most frequent value of each side, and what else is frequent enough to matter."""
    own = [
        float(one)
        for frequent, rows in sides
        for place, (one, n) in enumerate(frequent[: profile.ATOMS])
        if not place or n >= profile.RARE * rows
    ]
    return [one for one in dict.fromkeys(own) if numpy.isfinite(one)]


def judged(found: Sequence[Part], counts: dict[str, Count], past: dict[str, Past], alpha: float) -> list[Finding]:
    """Return a finding for each part from the counts of its event, ``"{place}"``, and of its chance, ``"{place}?"``."""
    findings = []
    for place, part in enumerate(found):
        count = counts[str(place)]
        interval = rate(count.hits, count.rows, alpha, design_effect=count.design_effect)
        extreme = counts.get(f"{place}?")
        if extreme is not None:
            n, m = past[part.feature].present, extreme.rows / extreme.design_effect
            if beyond_by_chance(extreme.hits / extreme.design_effect, n, m) > alpha:
                interval = replace(interval, low=0.0)
        cause = part.cause if interval.value > part.limit else ""
        findings.append(
            at_most(
                part.name,
                interval,
                part.limit,
                where=part.feature,
                unit="share",
                cause=cause,
                advisory=part.advisory,
            )
        )
    return findings


def became_constant(
    past: dict[str, Past], now: dict[str, Now], windows: Windows, usual: dict[str, Any], *, span_known: bool
) -> Finding | None:
    """Return whether features that always varied now have one value; ``None`` where the past has too few windows."""
    if not (windows.enough and span_known):
        return None
    stuck = [
        name
        for name, one in past.items()
        if not one.nameless
        and one.present >= profile.ROWS
        and len(now[name].frequent) == 1
        and now[name].frequent[0][1] >= profile.ROWS
        and usual[name]
        and usual[name][0][1] < 0.5 * one.present
        and not one.constant[one.rows >= profile.ROWS].any()
    ]
    cause = ", ".join(f"{name} is always {str(now[name].frequent[0][0])[:30]}" for name in stuck[:5])
    return at_most("features that varied and are constant now", len(stuck), 0, n=len(past), cause=cause)


def replayed(training: Dataset, serving: Dataset, limit: float, alpha: float) -> Finding | None:
    """Return how many served rows repeat a key, where keys never repeat in the training data; ``None`` without keys."""
    if not serving.roles.key or not training.roles.key:
        return None
    before, known = repeated_keys(training)
    hits, rows = repeated_keys(serving)
    if rows < profile.ROWS or known < profile.ROWS:
        return None
    cause = "a replayed batch, or requests logged twice" if hits else ""
    name = "rows that repeat the key of another row"
    return at_most(name, rate(hits, rows, alpha), limit, unit="share", cause=cause, advisory=before > 0)
