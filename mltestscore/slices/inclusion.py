"""The observations of model.7: gaps of every group, their growth since the version before, the swapped attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from mltestscore.several_labels import require_same_labels
from mltestscore.slices.declared import Mask
from mltestscore.slices.gaps import GAP_IN, gap, rates_of, rates_of_labels, rates_of_queries, too_small
from mltestscore.slices.people import Attribute, attribute, calibration_curves, counted, counted_labels, counted_rates
from mltestscore.slices.reference import incomparable
from mltestscore.slices.swap import donors, moves
from mltestscore.slices.treatment import Kind, People, agree, kinds
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.paired import difference
from mltestscore.stats.seeds import generator
from mltestscore.tasks import JUDGED_TOO, require_one_answer

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
    classes = contest.classes_of(model.classes, label)
    truth = contest.encoded(label, model.task, classes, holdout.name, JUDGED_TOO)
    before = None
    if previous is not None and not incomparable(model, previous, frame):
        before = contest.labelled_scores(previous, holdout, frame, rows)
        require_same_labels(truth, before, holdout.name)
    scores = contest.labelled_scores(model, holdout, frame, rows)
    require_same_labels(truth, scores, holdout.name)
    clusters = _together(model.task, frame, holdout, truth, scores, threshold)
    attributes = tuple(attribute(frame[name]) for name in protected)
    return People(model, frame, truth, scores, before, clusters, attributes, classes, holdout.digest)


def _together(
    task: str,
    frame: pd.DataFrame,
    holdout: Dataset,
    truth: npt.NDArray[Any],
    scores: npt.NDArray[np.float64],
    threshold: float,
) -> npt.NDArray[np.intp]:
    """Return which rows belong together: of a ranking its queries, each row its own where rows are independent."""

    def counted() -> npt.NDArray[np.float64]:
        if task == "multilabel":
            return np.column_stack([rate.counted for rate in rates_of_labels(truth, scores, threshold)])
        return np.column_stack([rate.counted for rate in rates_of(task, truth, scores, threshold)])

    if task == "ranking":
        return codes_of(contest.queries_of(frame, holdout))
    found = dependent(frame, holdout, counted)
    return np.arange(len(frame), dtype=np.intp) if found is None else found


def chosen_measures(task: str, wanted: Sequence[str]) -> frozenset[str]:
    """Return the names of the gaps that are judged.

    Raises :class:`ConfigError` with near names for a measure that the task has not.
    """
    require_one_answer(task, also=JUDGED_TOO)
    nothing, one = np.zeros((1, 2)) if task == "multiclass" else np.zeros(1), np.zeros(1, dtype=np.intp)
    if task == "ranking":
        rates = [rate for whole in (True, False) for rate in rates_of_queries(nothing, nothing, one, whole=whole)]
    else:
        rates = rates_of("binary" if task == "multilabel" else task, one, nothing, 0.5)
    known = {rate.name.removeprefix(GAP_IN): rate for rate in rates}
    for name in wanted:
        if name not in known:
            raise ConfigError(f"measures: {name!r:.80} is no measure of a {task} model.{near(name, known)}")
    return frozenset(f"{GAP_IN}{name}" for name in (wanted or [name for name in known if known[name].judged]))


def compared(people: People, limits: Limits, chosen: frozenset[str], accepted: frozenset[str]) -> Observations:
    """Yield the gaps of every group, those that are not ``chosen`` to be looked at only, and the pictures."""
    found = [(one, kinds(people, one, limits.threshold, chosen)) for one in people.attributes]
    many = sum(len(one.compared) * rate.judged for one, parts in found for part in parts for rate in part.now)
    level = limits.alpha / max(1, many * (1 if people.previous is None else 2))
    for one, parts in found:
        rates = [rate for part in parts for rate in part.now]
        if not one.compared:
            yield undecided(rates[0].name, "all rows are of one group, so nothing is compared", where=one.name)
        elif not any(rate.judged for rate in rates):
            known = ", ".join(dict.fromkeys(rate.name.removeprefix(GAP_IN) for rate in rates))
            why = f"measures names none that these groups can be compared by: {known}"
            yield undecided(rates[0].name, why, where=one.name)
        for part in parts:
            judged = []
            for group in one.compared:
                if why := too_small(part.now, one.rows(group), people.clusters, rows=limits.rows, events=limits.events):
                    yield from _listed(part, f"{one.name} = {group}", why, accepted)
                    continue
                judged.append(group)
                yield from _gaps(part, one.rows(group), people.clusters, f"{one.name} = {group}", limits, level)
            if people.model.task == "binary":
                yield from calibration_curves(one, judged, people.truth, people.scores)
        yield _table(people, one, parts, limits.threshold)


def _listed(part: Kind, where: str, why: str, accepted: frozenset[str]) -> Observations:
    """Yield a group that is too small to be judged; an accepted one is named without or with its label."""
    advisory = where in accepted or part.named(where) in accepted
    for rate in (rate for rate in part.now if rate.judged):
        yield replace(undecided(rate.name, why, where=part.named(where)), advisory=advisory)


def _table(people: People, one: Attribute, parts: Sequence[Kind], threshold: float) -> Table:
    task = people.model.task
    if task == "ranking":
        return counted_rates(one, parts[0].now)
    if task == "multilabel":
        return counted_labels(one, people.names, people.truth, people.scores, threshold)
    return counted(one, task, people.truth, people.scores, threshold)


def _gaps(
    part: Kind, rows: Mask, clusters: npt.NDArray[np.intp], where: str, limits: Limits, level: float
) -> Observations:
    for number, rate in enumerate(part.now):
        now, where_now = gap(rate, rows, clusters), part.named(where)
        said = f"{rate.of(rows):.3g} here, {rate.of(~rows):.3g} elsewhere"
        limit = limits.own.get(rate.name, limits.gap)
        yield at_most(rate.name, now.magnitude(level), limit, where=where_now, note=said, advisory=not rate.judged)
        if part.before is not None and rate.judged:
            grown = now.beyond(gap(part.before[number], rows, clusters), level)
            name = f"growth of the {rate.name}"
            yield _if_shown(at_most(name, grown, limits.widening, where=where_now, note=said))


def _if_shown(finding: Finding) -> Finding:
    """Let a growth count only where it is shown: a gap within its limit is harmless, whatever it was before."""
    return replace(finding, advisory=finding.verdict != "failed")


def swapped(people: People, limits: Limits, proxies: Mapping[str, Sequence[str]], name: str) -> Observations:
    """Yield how far scores move when rows get the attribute, and what stands for it, of another group.

    Of several labels, each is held to the limit: what moves one of many is no less of a harm to whom it is about.
    """
    rng = generator("model.7", people.seed)
    chosen = _some(people, rng)
    frame, clusters = people.frame.iloc[chosen].reset_index(drop=True), people.clusters[chosen]
    queries = clusters if people.model.task == "ranking" else None
    lines: list[list[str]] = []
    for one in people.attributes:
        columns = [column for column in (one.name, *proxies.get(one.name, ())) if column in people.model.features]
        labels = one.labels[chosen]
        lines.append([one.name, ", ".join(columns) or "the model reads none"])
        if not columns or len(set(labels)) < 2:
            continue
        whole = queries is not None and agree(labels, queries)
        if (
            queries is not None
            and whole
            and (odd := [column for column in columns if not agree(frame[column].to_numpy(), queries)])
        ):
            why = f"{odd[0]!r:.80} stands for what whole queries share, but differs within them"
            yield undecided(name, why, where=one.name)
            continue
        given = donors(labels, queries if whole else None, rng)
        found = moves(people.model, frame, columns, given, queries)
        many = len(people.attributes) * len(found.T)
        note = f"given another group's {', '.join(columns)[:200]}"
        for place, values in enumerate(found.T):
            where = one.name if len(found.T) == 1 else f"{one.name}, label {people.names[place]!s:.60}"
            still = np.zeros(len(values))
            levels = (limits.alpha / many, CLEAR)
            accusing, clearing = (difference(values, still, level, clusters) for level in levels)
            yield at_most(name, two_levels(accusing, clearing), limits.swap, where=where, note=note)
    yield Table("Inputs given from another group's row", ["attribute", "inputs"], lines)


def _some(people: People, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return the rows on which attributes are swapped: of a ranking, those of whole queries."""
    if people.model.task != "ranking":
        return np.sort(rng.permutation(len(people.frame))[:SWAP_ROWS])
    order = rng.permutation(int(people.clusters.max()) + 1)
    sizes = np.bincount(people.clusters)[order]
    kept = order[np.cumsum(sizes) - sizes < SWAP_ROWS]
    return np.flatnonzero(np.isin(people.clusters, kept))
