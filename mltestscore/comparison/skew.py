"""From comparisons of served with recomputed values to findings and pictures, with a key or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mltestscore.comparison import attribution, pictures
from mltestscore.comparison.cause import Cause
from mltestscore.comparison.columns import kind_of
from mltestscore.comparison.differing import Rows
from mltestscore.comparison.join import Differences, KeyJoin, join
from mltestscore.comparison.levels import rate
from mltestscore.comparison.window import PARTS, Part, Window, common_window, compare
from mltestscore.details import Detail
from mltestscore.finding import Finding, at_least, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.distribution import ks_distance
from mltestscore.stats.interval import CLEAR, two_levels

MISMATCH = "served values that differ from the training path's"
COVERAGE = "served keys that meet one recomputed row"
NEVER_LOGGED = "model features that the serving log lacks"
SCORES = 100_000
ENOUGH_TO_ACCUSE = 10  # rows that differ: few rows can clear nobody, but where most of them differ the bound is exact


@dataclass(frozen=True)
class Features:
    """The features to compare, and those that only one side has."""

    both: tuple[str, ...]
    not_served: tuple[str, ...]
    not_computed: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """What is tolerated; see the options of the check ``monitor.3``."""

    key_mismatch: float
    ks: float
    category: float
    excess: float
    fraction: float
    out_of_range: float

    def of(self, part: str, usual: float) -> float:
        """Return the limit of a part of the same-window battery by its name.

        A share that is ``usual`` on the computed side may grow by half, since its noise grows with it.
        """
        limits = {"KS": self.ks, "categories": self.category, "fractions": self.fraction, "range": self.out_of_range}
        return next((limit for word, limit in limits.items() if word in part), max(self.excess, usual / 2))


def features_of(serving: Dataset, recomputed: Dataset, wanted: Sequence[str] = ()) -> Features:
    """Return what to compare: the model's features, else the declared ones, else the columns that both sides have."""
    named = tuple(wanted) or recomputed.roles.features or serving.roles.features
    names = named or tuple(name for name in recomputed.features if name in serving.features)
    served, computed = set(serving.columns), set(recomputed.columns)
    return Features(
        both=tuple(name for name in names if name in served and name in computed),
        not_served=tuple(name for name in names if name in computed - served),
        not_computed=tuple(name for name in names if name not in computed),
    )


def absent(features: Features) -> Iterator[Finding]:
    """Yield what can be said of features that one side does not have at all."""
    if features.both or features.not_served:
        n = len(features.both) + len(features.not_served)
        cause = f"always missing in serving: {', '.join(features.not_served[:5])}" if features.not_served else ""
        yield at_most(NEVER_LOGGED, len(features.not_served), 0, n=n, cause=cause)
    if features.not_computed:
        names = ", ".join(map(repr, features.not_computed[:5]))
        yield undecided(
            "features that cannot be compared", f"recomputed has no {names}; let the training path add them"
        )


def by_key(
    serving: Dataset,
    recomputed: Dataset,
    features: Features,
    limits: Limits,
    *,
    alpha: float,
    rel_tol: float,
    min_joined: int,
    min_coverage: float,
    named: int,
) -> Iterator[Finding | Detail]:
    """Yield the findings of the key-joined comparison, feature by feature, and what it shows."""
    joined = join(serving, recomputed, features.both, rel_tol)
    yield from _coverage(joined, min_coverage)
    worst = sorted((one for one in joined.features if one.rows), key=lambda one: (-one.rows, one.feature))[:named]
    rows = Rows(joined, worst)
    causes = {one.feature: attribution.explain(rows, one) for one in worst}
    level = alpha / max(1, len(features.both))
    compared = joined.features if joined.joined else ()
    found = [_mismatch(one, joined, limits.key_mismatch, level, causes) for one in compared]
    if joined.joined < min_joined:
        many = {one.feature for one in joined.features if one.rows >= ENOUGH_TO_ACCUSE}
        yield from (one for one in found if one.verdict == "failed" and one.where in many)
        why = f"{joined.joined} rows meet by key; at least {min_joined} are needed to rule a difference out"
        yield undecided(MISMATCH, why, unit="share", n_to_settle=min_joined)
    else:
        yield from pictures.condensed(found)
    if features.both:
        yield pictures.features_table(joined, causes)
    if worst:
        picture = pictures.two_histograms(worst[0].feature, worst[0].kind, *rows.typical(worst[0]))
        yield from [picture] if picture is not None else []
        yield pictures.pairs_table(worst[0], rows.of(worst[0]))


def _coverage(joined: KeyJoin, least: float) -> Iterator[Finding]:
    share = joined.joined / max(1, joined.served)
    if share >= least:
        yield at_least(COVERAGE, share, least, unit="share", n=joined.served)
    else:
        repeated = joined.served - joined.served_once
        why = f"only {share:.1%} of {joined.served:,} do; the rest is not compared. "
        why += f"{repeated:,} served keys are missing or name several different rows" if repeated else ""
        yield undecided(COVERAGE, why.rstrip(" ."), unit="share")
    back = joined.joined / max(1, joined.computed)
    yield at_least("recomputed keys that were served", back, least, unit="share", n=joined.computed, advisory=True)


def _mismatch(
    one: Differences, joined: KeyJoin, limit: float, alpha: float, causes: dict[str, Cause | None]
) -> Finding:
    cause = causes.get(one.feature)
    note = ""
    if one.rows:
        note = f"{one.differing:,} differ, {one.missing_served:,} only computed, {one.missing_computed:,} only served"
        if cause is not None:
            note += f"; the cause explains {cause.share:.0%} of the rows looked at"
    name = pictures.said(one, causes)
    interval = rate(one.rows, joined.joined, alpha)
    return at_most(MISMATCH, interval, limit, where=one.feature, unit="share", cause=name, note=note)


def in_window(
    serving: Dataset, recomputed: Dataset, features: Features, limits: Limits, *, alpha: float, min_rows: int
) -> Iterator[Finding | Detail]:
    """Yield the findings of the same-window comparison: for logs without a key."""
    name = "served and recomputed distributions in the same window"
    window = common_window(serving, recomputed, features.both)
    if isinstance(window, str):
        yield undecided(name, f"{window}; declare a key that both have")
        return
    if min(window.rows) < min_rows:
        counts = f"{window.rows[0]:,} served and {window.rows[1]:,} recomputed rows lie in the common window"
        yield undecided(name, f"{counts}; at least {min_rows} of each are needed", n_to_settle=min_rows)
        return
    level = alpha / (PARTS * max(1, len(features.both)))
    found = [_part(part, one, limits) for one in features.both for part in compare(window, one, level)]
    yield from pictures.condensed(found)
    yield from _window_picture(window, found)


def _part(part: Part, feature: str, limits: Limits) -> Finding:
    limit = limits.of(part.name, part.usual)
    shown = part.cause if part.interval.value > limit else ""
    return at_most(part.name, part.interval, limit, where=feature, unit="share", cause=shown)


def _window_picture(window: Window, found: Sequence[Finding]) -> Iterator[Detail]:
    known = [one for one in found if one.interval is not None and one.ceiling]
    if not known:
        return
    worst = max(known, key=lambda one: (one.verdict == "failed", one.interval.low if one.interval else 0.0)).where
    picture = pictures.two_histograms(worst, window.kinds[worst], window.served[worst], window.computed[worst])
    yield from [picture] if picture is not None else []


def scores(serving: Dataset, recomputed: Dataset, limit: float, alpha: float) -> Iterator[Finding]:
    """Yield how far the distributions of served and recomputed scores lie apart, where both have one; advisory."""
    names = serving.roles.score, recomputed.roles.score
    if not all(names):
        return
    sides = []
    for dataset, name in zip((serving, recomputed), names, strict=True):
        column = dataset.table[name]
        if kind_of(column.type()) != "number":
            return
        sides.append(dataset.sample(SCORES).frame([name])[name].dropna().to_numpy(dtype=float))
    if all(len(side) for side in sides):
        accusing, clearing = (ks_distance(sides[1], sides[0], level) for level in (alpha, CLEAR))
        distance = two_levels(accusing, clearing)
        yield at_most("distance of the scores (KS)", distance, limit, unit="share", advisory=True)
