"""The observations of model.7: gaps of every group, their growth since the version before, the swapped attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.declare import Observations
from mltestscore.dependence import dependent
from mltestscore.details import Table
from mltestscore.errors import ConfigError, NotOffered, near
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.slices.declared import Mask
from mltestscore.slices.gaps import GAP_IN, Rate, gap, rates_of, too_small
from mltestscore.slices.people import Attribute, attribute, calibration_curves, counted
from mltestscore.slices.reference import incomparable
from mltestscore.slices.swap import swapped_moves
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.paired import difference
from mltestscore.stats.seeds import generator
from mltestscore.tasks import require_one_answer

SWAP_ROWS = 20_000  # a mean move is known to a thousandth from so many
REMEDY = 'name them with protected = ["…"] under [tool.mltestscore.data.holdout], or attest your last review'


@dataclass(frozen=True)
class Limits:
    """What is still harmless, at which level harm is shown, and what is too small to be judged.

    Attributes:
        own: limits of some gaps, by the name of the finding.
        gap: the limit of all others.
        widening: of the growth of a gap since the version before.
        swap: of the mean move of a score.
        alpha: the level of all accusations together; half of it is for the version before.
        rows: the fewest rows of a group.
        events: the fewest rows that a rate is counted among.
        threshold: the least score of a positive answer.
    """

    own: Mapping[str, float]
    gap: float
    widening: float
    swap: float
    alpha: float
    rows: int
    events: int
    threshold: float


@dataclass(frozen=True)
class People:
    """Labelled rows with their groups and the scores of the model and of the version before.

    Attributes:
        previous: scores of the version before; ``None`` where there is none that reads these rows.
        clusters: shape (n,), each row its own where rows are independent.
    """

    model: Model
    frame: pd.DataFrame
    truth: npt.NDArray[Any]
    scores: npt.NDArray[np.float64]
    previous: npt.NDArray[np.float64] | None
    clusters: npt.NDArray[np.intp]
    attributes: tuple[Attribute, ...]
    seed: str = field(default="")

    @property
    def without_score(self) -> int:
        """How many rows have a score that is not finite, of either version."""
        both = [self.scores] if self.previous is None else [self.scores, self.previous]
        finite = [np.isfinite(scores.reshape(len(self.truth), -1)).all(axis=1) for scores in both]
        return int((~np.logical_and.reduce(finite)).sum())


def protected_columns(holdout: Dataset, model: Model, proxies: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the protected columns that the holdout declares.

    Raises :class:`NotOffered` where it declares none, :class:`ConfigError` for proxies of another column, or that the
    model does not read.
    """
    names = holdout.roles.protected
    if not names:
        raise NotOffered("a protected column", REMEDY)
    for column, inputs in proxies.items():
        if column not in names:
            raise ConfigError(f"proxies names {column!r:.80}, which is no protected column.{near(column, names)}")
        for one in inputs:
            if one not in model.features:
                raise ConfigError(f"proxies: {one!r:.80} is no input of the model.{near(one, model.features)}")
    return names


def read(
    model: Model, previous: Model | None, holdout: Dataset, protected: Sequence[str], rows: int, threshold: float
) -> People:
    """Return the labelled rows; each model on file scores them once a run."""
    earlier = [] if previous is None else [name for name in previous.features if name in holdout.columns]
    frame = contest.labelled(holdout, list(dict.fromkeys([*model.features, *protected, *earlier])), rows)
    label = frame[holdout.roles.label]
    truth = contest.encoded(label, model.task, contest.classes_of(model.classes, label), holdout.name)
    before = None
    if previous is not None and not incomparable(model, previous, frame):
        before = contest.labelled_scores(previous, holdout, frame, rows)
    scores = contest.labelled_scores(model, holdout, frame, rows)
    rates = rates_of(model.task, truth, scores, threshold)
    clusters = dependent(frame, holdout, lambda: np.column_stack([rate.counted for rate in rates]))
    return People(
        model,
        frame,
        truth,
        scores,
        before,
        np.arange(len(frame), dtype=np.intp) if clusters is None else clusters,
        tuple(attribute(frame[name]) for name in protected),
        holdout.digest,
    )


def chosen_measures(task: str, wanted: Sequence[str]) -> frozenset[str]:
    """Return the names of the gaps that are judged.

    Raises :class:`ConfigError` with near names for a measure that the task has not.
    """
    require_one_answer(task)
    nothing = np.zeros((1, 2)) if task == "multiclass" else np.zeros(1)
    known = {rate.name.removeprefix(GAP_IN): rate for rate in rates_of(task, np.zeros(1, dtype=int), nothing, 0.5)}
    for one in wanted:
        if one not in known:
            raise ConfigError(f"measures: {one!r:.80} is no measure of a {task} model.{near(one, known)}")
    return frozenset(f"{GAP_IN}{name}" for name in (wanted or [name for name in known if known[name].judged]))


def compared(people: People, limits: Limits, chosen: frozenset[str], accepted: frozenset[str]) -> Observations:
    """Yield the gaps of every group, those that are not ``chosen`` to be looked at only, and the pictures."""
    task, truth = people.model.task, people.truth

    def rates_from(scores: npt.NDArray[np.float64]) -> list[Rate]:
        return [replace(one, judged=one.name in chosen) for one in rates_of(task, truth, scores, limits.threshold)]

    rates = rates_from(people.scores)
    before = None if people.previous is None else rates_from(people.previous)
    groups = [(one, group) for one in people.attributes for group in one.groups if len(set(one.labels)) > 1]
    level = limits.alpha / max(1, sum(rate.judged for rate in rates) * len(groups) * (1 if before is None else 2))
    for one in people.attributes:
        if len(set(one.labels)) < 2:
            yield undecided(rates[0].name, "all rows are of one group, so nothing is compared", where=one.name)
        judged = []
        for group in one.groups if len(set(one.labels)) > 1 else ():
            where, rows = f"{one.name} = {group}", one.rows(group)
            if why := too_small(rates, rows, people.clusters, rows=limits.rows, events=limits.events):
                for rate in (rate for rate in rates if rate.judged):
                    open_one = undecided(rate.name, why, where=where)
                    yield replace(open_one, advisory=where in accepted)
                continue
            judged.append(group)
            for number, rate in enumerate(rates):
                old = None if before is None else before[number]
                yield from _gaps(rate, old, rows, people.clusters, where, limits, level)
        yield counted(one, task, truth, people.scores, limits.threshold)
        if task == "binary":
            yield from calibration_curves(one, judged, truth, people.scores)


def _gaps(
    rate: Rate,
    before: Rate | None,
    rows: Mask,
    clusters: npt.NDArray[np.intp],
    where: str,
    limits: Limits,
    level: float,
) -> Observations:
    now = gap(rate, rows, clusters)
    said = f"{rate.of(rows):.3g} here, {rate.of(~rows):.3g} elsewhere"
    limit = limits.own.get(rate.name, limits.gap)
    yield at_most(rate.name, now.magnitude(level), limit, where=where, note=said, advisory=not rate.judged)
    if before is not None and rate.judged:
        grown = now.beyond(gap(before, rows, clusters), level)
        yield _if_shown(at_most(f"growth of the {rate.name}", grown, limits.widening, where=where, note=said))


def _if_shown(finding: Finding) -> Finding:
    """Let a growth count only where it is shown: a gap within its limit is harmless, whatever it was before."""
    return replace(finding, advisory=finding.verdict != "failed")


def swapped(people: People, limits: Limits, proxies: Mapping[str, Sequence[str]], name: str) -> Observations:
    """Yield how far scores move when rows get the attribute, and what stands for it, of another group."""
    rng = generator("model.7", people.seed)
    chosen = np.sort(rng.permutation(len(people.frame))[:SWAP_ROWS])
    frame = people.frame.iloc[chosen].reset_index(drop=True)
    lines: list[list[str]] = []
    for one in people.attributes:
        columns = [column for column in (one.name, *proxies.get(one.name, ())) if column in people.model.features]
        labels = one.labels[chosen]
        lines.append([one.name, ", ".join(columns) or "the model reads none"])
        if not columns or len(set(labels)) < 2:
            continue
        moves = swapped_moves(people.model, frame, labels, columns, rng)
        still, clusters = np.zeros(len(moves)), people.clusters[chosen]
        level = limits.alpha / len(people.attributes)
        accusing, clearing = (difference(moves, still, one_level, clusters) for one_level in (level, CLEAR))
        note = f"given another group's {', '.join(columns)[:200]}"
        yield at_most(name, two_levels(accusing, clearing), limits.swap, where=one.name, note=note)
    yield Table("Inputs given from another group's row", ["attribute", "inputs"], lines)
