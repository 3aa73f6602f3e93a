"""Every invariant of every common feature, counted on the serving data in one query and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mltestscore.comparison import counting, profile
from mltestscore.comparison.counts import Count, count_events, repeated_keys
from mltestscore.comparison.grid import Cells
from mltestscore.comparison.invariants import Now, Part, Tolerance, parts, too_often, unseen
from mltestscore.comparison.levels import rate
from mltestscore.comparison.magnitude import other_magnitude
from mltestscore.comparison.profile import Past, Windows
from mltestscore.comparison.signs import lost_sign
from mltestscore.comparison.window import beyond_by_chance
from mltestscore.finding import Finding, at_most
from mltestscore.inputs.dataset import Dataset
from mltestscore.unstructured import LOOKED_AT, is_free_text

PARTS = 5
FEW = 10  # new categories that so few rows could hold at the limit need the past's own to be judged


@dataclass(frozen=True)
class Measured:
    """What came out: findings for every part, and both sides to look at."""

    findings: tuple[Finding, ...]
    windows: Windows
    past: dict[str, Past]
    now: dict[str, Now]


def measured(training: Dataset, serving: Dataset, allowed: Tolerance, alpha: float) -> Measured:
    """Measure every common feature of the serving data against the training data: about one query a column and side."""
    features = profile.common_features(training, serving)
    windows = profile.windows_of(training, serving)
    past = profile.past(training, features, windows)
    usual = counting.laid(training, [name for name, kind in features.items() if kind == "number"])
    now = _served(serving, past, usual)
    past = {name: _closer(training, one, now[name], windows, allowed) for name, one in past.items()}
    found: list[Part] = []
    for name, one in past.items():
        atoms = [] if name not in usual or one.grows else _atoms(usual[name], now[name].cells)
        shares = profile.shares_by_window(training, one, atoms, windows) if atoms else None
        found += parts(one, now[name], windows, shares, atoms, allowed)
        found += other_magnitude(training, one, now[name], usual.get(name), windows)
        found += lost_sign(training, one, now[name], usual.get(name), windows)
        if one.kind == "text" and one.nameless and one.present >= profile.ROWS:
            names = not is_free_text(training.frame([name], limit=LOOKED_AT)[name])
            found += too_often(one, now[name], counting.frequent(training, name).counts, advisory=names)
    events = {str(place): part.event for place, part in enumerate(found)}
    events |= {f"{place}?": part.chance for place, part in enumerate(found) if part.chance is not None}
    known = {str(place): part.hits for place, part in enumerate(found) if part.hits is not None}
    counts = count_events(serving, events, known)
    level = alpha / (PARTS * max(1, len(features)))
    findings = judged(found, counts, past, level)
    most = {name: _most(one, usual.get(name)) for name, one in past.items()}
    whole = (
        became_constant(past, now, windows, most, span_known=bool(serving.roles.time)),
        replayed(training, serving, allowed.new_value, level),
    )
    return Measured((*findings, *(one for one in whole if one is not None)), windows, past, now)


def _served(serving: Dataset, past: dict[str, Past], usual: dict[str, Cells]) -> dict[str, Now]:
    """Count the served values: numbers over the grids of the past, texts that are categories."""
    cells = counting.over(serving, {name: one.grid for name, one in usual.items()})
    tallies = counting.tallied(serving, [name for name, one in past.items() if one.kind == "text" and not one.nameless])
    found = {}
    for name, one in past.items():
        tally = tallies.get(name)
        if isinstance(tally, int):  # more than can be categories; what is frequent among them may still be new
            tally = counting.frequent(serving, name)
        frequent = cells[name].atoms if name in cells else tally.counts if tally is not None else {}
        if one.kind == "text" and one.nameless:  # too many to know each, but one of them may hold many rows
            frequent = counting.frequent(serving, name).counts
        column = counting.value(serving.table[name], one.kind)
        found[name] = Now(column, serving.table[name], [*frequent.items()], serving.rows, cells.get(name), tally)
    return found


def _closer(training: Dataset, past: Past, now: Now, windows: Windows, allowed: Tolerance) -> Past:
    """Return the past with its categories by window where they may matter: new ones, few rows, or one that is stuck."""
    doubt = unseen(past, now) or now.only or now.rows * allowed.category < FEW
    return profile.categories_by_window(training, past, windows) if now.tally is not None and doubt else past


def _atoms(usual: Cells, served: Cells | None) -> list[float]:
    """Return the most frequent values of each side, as far as they are frequent enough to matter."""
    sides = [usual.atoms, served.atoms if served is not None else {}]
    return list(dict.fromkeys(one for side in sides[::-1] for one in list(side)[: profile.ATOMS]))


def _most(past: Past, cells: Cells | None) -> int:
    """Return how many rows of the past its most frequent value had."""
    if cells is not None:
        return max(cells.atoms.values(), default=0)
    return int(max((rows.sum() for rows in past.categories.values()), default=0))


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
        if part.unsure:
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
    past: dict[str, Past], now: dict[str, Now], windows: Windows, most: dict[str, int], *, span_known: bool
) -> Finding | None:
    """Return whether features that always varied now have one value; ``None`` where the past has too few windows."""
    if not (windows.enough and span_known):
        return None
    stuck = {}
    for name, one in past.items():
        only, known = now[name].only, not one.nameless and one.present >= profile.ROWS
        varied = most[name] < 0.5 * one.present and not one.constant[one.rows >= profile.ROWS].any()
        if known and varied and only is not None and only[1] >= profile.ROWS:
            stuck[name] = str(only[0])[:30]
    cause = ", ".join(f"{name} is always {only}" for name, only in list(stuck.items())[:5])
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
