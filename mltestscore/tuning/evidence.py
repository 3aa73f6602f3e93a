"""What a record of trials shows: enough of them, before the release, around the settings in service."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy

from mltestscore.details import Series, Table
from mltestscore.finding import Finding, at_least, at_most, undecided
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.search_space import plain_text
from mltestscore.inputs.tuning import Trial, Tuning
from mltestscore.stats.interval import Interval, exactly

TRIALS = "trials of different settings that ended before the release"
DATES = "trials with a date, and a release to compare it with"
OUTSIDE = "settings in service outside the searched space"
EDGE = "settings in service on an edge of the searched space"
UNSEARCHED = "settings in service neither searched nor left alone on purpose"
BEHIND = "metric that the settings in service lose to the best trial"
GRACE = np.timedelta64(1, "D")  # databases of trials keep local times, without saying which
FEWEST_FOLDS = 3
MOST_SHOWN = 20


@dataclass(frozen=True)
class Record:
    """A search on record beside the version in service.

    Attributes:
        tuning: the record.
        settings: in service, by parameter; empty where nobody says.
        released: datetime64[s] in UTC; ``None`` where no registry tells.
    """

    tuning: Tuning
    settings: Mapping[str, Any]
    released: np.datetime64 | None

    @cached_property
    def counted(self) -> tuple[Trial, ...]:
        """The trials that can have had a part in the choice: those that did not end after the release."""
        if self.released is None:
            return self.tuning.trials
        limit = self.released + GRACE
        return tuple(one for one in self.tuning.trials if not one.ended > limit)

    @cached_property
    def in_service(self) -> tuple[Trial, ...]:
        """The counted trials of the settings in service, but for rounding, that have a metric."""
        return tuple(one for one in self.counted if math.isfinite(one.metric) and self._same(one))

    @property
    def inside(self) -> bool:
        """Whether some of the settings in service were searched, and all of these lie in the space."""
        given = {name: self.settings[name] for name in self.tuning.space if self.settings.get(name) is not None}
        return bool(given) and all(self.tuning.space[name].holds(value) for name, value in given.items())

    def _same(self, trial: Trial) -> bool:
        names = [name for name in self.tuning.space if name in trial.settings or name in self.settings]
        return bool(names) and all(
            dimension.same(trial.settings.get(name), self.settings.get(name))
            for name, dimension in self.tuning.space.items()
            if name in names
        )


def record(tuning: Tuning, registry: Registry | None) -> Record:
    """Return the search beside the version in service; what the configuration declares goes before the registry."""
    current = None if registry is None else registry.current
    settings = tuning.deployed or ({} if current is None else current.parameters)
    released = None if current is None else (current.published_at or current.trained_at)
    when = None if released is None else np.datetime64(released.replace(tzinfo=None), "s")
    return Record(tuning, settings, when)


def findings(found: Record, least: int, margin: float, alpha: float) -> Iterator[Finding]:
    """Judge a record.

    Args:
        found: see :func:`record`.
        least: how many trials of different settings are needed, where the team declares no other number.
        margin: the share of the best trial's metric that the settings in service may lose.
        alpha: the level of the bound that accuses.
    """
    tuning = found.tuning
    if not tuning.source:
        why = "no record is offered; write source, optuna, mlflow or search under [tool.mltestscore.tuning]"
        yield undecided(TRIALS, why)
    else:
        yield _enough(found, tuning.schedule or least)
        if found.released is None or any(np.isnat(one.ended) for one in tuning.trials):
            lacks = "the registry that dates the release" if found.released is None else "date or ended"
            yield undecided(DATES, f"offer {lacks}: trials that ended after the release have not chosen it")
    if not found.settings:
        why = "nobody says them; write parameters into the registry's lineage, or deployed = {…}"
        yield undecided(OUTSIDE, why)
        return
    yield from _places(found)
    yield _unsearched(found)
    if tuning.source:
        yield _behind(found, margin, alpha)


def _enough(found: Record, least: int) -> Finding:
    """Count different settings: a row that says again what another said is no second trial."""
    tuning = found.tuning
    settings = (trial.settings.items() for trial in found.counted)
    different = {tuple(sorted((name, plain_text(value)) for name, value in one)) for one in settings}
    late = len(tuning.trials) - len(found.counted)
    repeated = len(found.counted) - len(different)
    causes = [f"{late:,} of {len(tuning.trials):,} ended after the release of {found.released}"] * bool(late)
    causes += [f"{repeated:,} repeat the settings of others"] * bool(repeated)
    note = f"declared to be enough: {tuning.reason[:200]}" if tuning.schedule else ""
    short = len(different) < least
    return at_least(
        TRIALS, len(different), least, n=len(tuning.trials), cause="; ".join(causes) if short else "", note=note
    )


def _places(found: Record) -> Iterator[Finding]:
    """Say where in the space the settings in service lie."""
    space, settings = found.tuning.space, found.settings
    optional = {name for one in found.tuning.trials for name in space if name not in one.settings}
    unsaid = [name for name in space if settings.get(name) is None and name not in optional]
    if not space or unsaid:
        lacks = f"they do not say {unsaid[0]!r:.80}" if unsaid else "no setting was varied"
        yield undecided(OUTSIDE, f"{lacks}; name the parameters as they are called in service")
        return
    given = {name: settings[name] for name in space if settings.get(name) is not None}
    outside = [name for name, value in given.items() if not space[name].holds(value)]
    cause = "; ".join(f"{name} = {plain_text(given[name])[:40]}, searched {space[name].shown}" for name in outside[:5])
    yield at_most(OUTSIDE, len(outside), 0, n=len(given), cause=cause[:400])
    edges = {name: edge for name, value in given.items() if (edge := space[name].edge(value))}
    if not edges:
        yield at_most(EDGE, 0, 0, n=len(given))
        return
    named = "; ".join(f"{name} = {plain_text(given[name])[:40]}, the {end} end" for name, end in edges.items())
    yield undecided(EDGE, f"{named[:300]}: widen the space and search on, or declare the end natural")


def _unsearched(found: Record) -> Finding:
    known = {*found.tuning.space, *found.tuning.left_alone}
    silent = sorted(name for name in found.settings if name not in known)
    if not silent:
        return at_most(UNSEARCHED, 0, 0, n=len(found.settings))
    named = ", ".join(repr(name)[:40] for name in silent[:5])
    return undecided(UNSEARCHED, f"{len(silent)}: {named}; search them, or name them in left_alone")


def _behind(found: Record, margin: float, alpha: float) -> Finding:
    measured = [one for one in found.counted if math.isfinite(one.metric)]
    if not measured:
        return undecided(BEHIND, "no trial before the release has a metric")
    if not found.in_service:
        why = "no trial had the settings in service; serve those of a trial, or run one with them"
        return undecided(BEHIND, why, n_to_settle=len(measured) + 1)
    best = max(measured, key=lambda one: one.metric)
    own = max(found.in_service, key=lambda one: one.metric)
    limit = margin * abs(best.metric)
    gap = best.metric - own.metric
    if len({one.metric for one in measured}) == 1 and len(measured) > 1:
        return undecided(BEHIND, f"all {len(measured)} trials have one metric, which tells no settings apart")
    if best in found.in_service:
        return at_most(BEHIND, exactly(0.0, len(measured)), limit)
    if len(best.folds) == len(own.folds) >= FEWEST_FOLDS:
        return at_most(BEHIND, _over_folds(best.folds, own.folds, alpha / len(measured)), limit)
    if gap <= limit:
        return at_most(BEHIND, exactly(gap, len(measured)), limit, note="as recorded, on one split")
    why = f"{gap:.4g}, where {limit:.4g} is allowed; name folds = […], which tell a gain from noise"
    return undecided(BEHIND, why)


def _over_folds(best: Sequence[float], own: Sequence[float], alpha: float) -> Interval:
    """Return the gap of two settings over the same folds, whose training rows overlap (Nadeau and Bengio 2003).

    Only the bound that accuses is one: the best of many was picked for its luck too, so that the gap overstates the
    loss, and its estimate is what must lie within the margin.
    """
    gaps = np.asarray(best) - np.asarray(own)
    k, mean = len(gaps), float(gaps.mean())
    error = math.sqrt((1 / k + 1 / (k - 1)) * float(gaps.var(ddof=1)))
    low = mean - float(scipy.stats.t.isf(alpha, k - 1)) * error
    return Interval(mean, low, mean, k, 1 - alpha, "corrected t over folds, lower bound")


def pictures(found: Record) -> Iterator[Series | Table]:
    """Show how the search went, and its best trials beside the settings in service."""
    trials = [one for one in found.tuning.trials if math.isfinite(one.metric)]
    if not trials:
        return
    metrics = [one.metric for one in trials]
    best = [float(value) for value in np.maximum.accumulate(metrics)]
    x = [float(number) for number in range(1, len(trials) + 1)]
    yield Series("How the search went (more is better)", "trial", x, {"metric": metrics, "best so far": best}, "metric")
    names = list(found.tuning.space)[:8]
    ranked = sorted(trials, key=lambda one: -one.metric)[:MOST_SHOWN]
    rows: list[list[Any]] = [["in service", *_shown(found.settings, names), None, ""]]
    for one in ranked:
        ended = "" if np.isnat(one.ended) else str(one.ended)[:10]
        own = "in service" if one in found.in_service else ""
        rows.append([own, *_shown(one.settings, names), one.metric, ended])
    title, left_out = f"Settings in service and the best of {len(trials):,} trials", len(trials) - len(ranked)
    yield Table(title, ["", *(name[:40] for name in names), "metric", "ended"], rows, left_out=left_out)


def _shown(settings: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [plain_text(settings.get(name, ""))[:40] for name in names]
