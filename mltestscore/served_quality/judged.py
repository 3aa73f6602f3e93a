"""The newest window of the serving log, from its late labels to the findings of monitor.7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mltestscore import contest
from mltestscore.comparison.levels import rate
from mltestscore.declare import Observations
from mltestscore.details import Table
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.served_quality import discrimination, labels, scored, several, verdicts
from mltestscore.served_quality.alike import of_days
from mltestscore.served_quality.labels import AT, DAY, LABEL, Late, Span
from mltestscore.served_quality.scored import Scored, answered, block_qualities
from mltestscore.served_quality.verdicts import Limits
from mltestscore.several_labels import names_of, require_same_labels
from mltestscore.slices import declared
from mltestscore.slices.declared import Mask, Slicing
from mltestscore.stats.cluster import codes_of, design_effect
from mltestscore.stats.interval import Interval
from mltestscore.unstructured import structured

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

UNLABELLED = "served rows whose label is overdue"
UNSCORED = "served rows without a finite score"
TIMES = "name its column with time = … under [tool.mltestscore.data.serving]"
EVER = 1e12  # seconds: longer than any log
NO_LAUNCH = "nothing to compare with: offer a holdout with labels, or keep the log since the launch"


@dataclass(frozen=True)
class Ask:
    """What is judged, besides the limits.

    Attributes:
        metric: of a day.
        slices: as declared, or empty for the default ones.
        delay: of labels, in hours, or ``None`` to measure it.
        days: length of the newest window.
        window_rows: the fewest rows of a window; a shorter one is made longer.
        rows: the most rows that are read of a window.
        max_unlabelled: share of rows whose label is overdue.
    """

    metric: str
    slices: Sequence[declared.Wanted]
    delay: float | None
    days: float
    window_rows: int
    rows: int
    max_unlabelled: float


def observations(
    model: Model,
    serving: Dataset,
    outcomes: Dataset,
    holdout: Dataset | None,
    clock: datetime | None,
    ask: Ask,
    limits: Limits,
) -> Observations:
    """Yield every finding that labels allow, worst news first for the reader to see in the pictures."""
    if model.task == "ranking":
        contest.queries_of(serving.frame(limit=1), serving)
    late = labels.joined(serving, outcomes, clock, ask.delay)
    span = labels.newest(late, ask.days, ask.window_rows)
    named = declared.columns_of(ask.slices)
    serving.require(*named)
    inputs = [name for name in model.features if name in serving.columns]
    wanted = [*inputs, *named, serving.roles.score, *filter(None, [serving.roles.cluster]), *_protected(serving)]
    together = serving.roles.cluster if model.task == "ranking" else ""
    frame = labels.rows(late, wanted, span, ask.rows, together)
    names = _names(model, frame, holdout)
    slices = ask.slices or _slices(frame, serving, inputs)
    slicings = list(declared.slicings(frame, slices, limits.min_rows))
    limits = replace(limits, level=limits.level / _accusations(model, slicings, names))
    yield from unlabelled(frame, serving, slicings, ask.max_unlabelled, limits)
    yield _delays(late, frame)
    now = scored.served_rows(frame, model, serving, outcomes.name, names)
    yield _unscored(frame, serving, len(now), limits)
    if len(now) < limits.min_rows or not scored.varies(now, ask.metric):
        why = f"{len(now):,} served rows with a score and a label that is due, and labels that vary, are too few"
        yield undecided(verdicts.SINCE_LAUNCH, why, n_to_settle=ask.window_rows)
        return
    earlier = None
    if span.older and span.low is not None:
        before = labels.rows(late, wanted, Span(-EVER, np.nextafter(span.low, -np.inf)), ask.rows, together)
        earlier = scored.served_rows(before, model, serving, outcomes.name, names) if len(before) else None
    launch, earlier = _launch(model, holdout, earlier, names, ask)
    yield from _against_model(model, now, launch, names, slices, outcomes.name, limits)
    yield from _since_launch(model, launch, now, earlier, names, ask, limits)
    if launch is not None:
        name = "the first window" if holdout is None else "the holdout"
        yield from verdicts.pictures(now, launch, ask.metric, model.task, name)


def _slices(frame: pd.DataFrame, serving: Dataset, inputs: Sequence[str]) -> list[declared.Wanted]:
    texts = [name for name in structured(frame, inputs) if not pd.api.types.is_numeric_dtype(frame[name])]
    return [*_protected(serving), *declared.by_default(frame, texts)]


def _against_model(
    model: Model,
    now: Scored,
    launch: Scored | None,
    names: Sequence[object],
    slices: Sequence[declared.Wanted],
    labelled: str,
    limits: Limits,
) -> Observations:
    scores = None if model.task == "multiclass" else now.scores
    if set(model.features) <= set(now.frame.columns):
        rescored = model.predict(now.frame)
        require_same_labels(now.truth, rescored, labelled)
        yield verdicts.against_model(now, answered(rescored, model.task), model.task, limits)
        if model.task == "binary":
            yield discrimination.against_model(now, rescored, limits)
        scores = rescored if scores is None else scores
    if scores is not None:
        slicings = list(declared.slicings(now.frame, slices, limits.min_rows))
        yield from several.biases(now, launch, scores, model.task, names, slicings, limits)


def _launch(
    model: Model, holdout: Dataset | None, earlier: Scored | None, names: Sequence[object], ask: Ask
) -> tuple[Scored | None, Scored | None]:
    """Return the rows of the launch, the first window of the log where no holdout is offered, and those since."""
    if holdout is not None:
        launch = scored.launch_rows(model, holdout, ask.rows, names)
        return replace(launch, scores=answered(launch.scores, model.task)), earlier
    if earlier is None:
        return None, None
    first = (earlier.frame[AT] <= earlier.frame[AT].min() + ask.days * DAY).to_numpy()
    return earlier.part(first), earlier.part(~first)


def _since_launch(
    model: Model,
    launch: Scored | None,
    now: Scored,
    earlier: Scored | None,
    names: Sequence[object],
    ask: Ask,
    limits: Limits,
) -> Observations:
    if launch is None or len(launch) < limits.min_rows or not scored.varies(launch, ask.metric):
        yield undecided(verdicts.SINCE_LAUNCH, NO_LAUNCH)
        return
    after, at_launch = block_qualities(now, ask.metric), block_qualities(launch, ask.metric)
    lasting = of_days(after, at_launch, timed=launch.timed)
    yield verdicts.since_launch(after, at_launch, ask.metric, limits, lasting)
    if earlier is not None and len(earlier) and not verdicts.too_few_days(after, at_launch):
        days = np.concatenate([block_qualities(earlier, ask.metric), after])
        yield verdicts.watched(days, at_launch, ask.metric, limits, lasting)
    if model.task == "multiclass":
        classes = contest.classes_of(model.classes, now.frame[LABEL])
        yield from verdicts.class_bias(now, launch, classes, limits)
    else:
        yield from several.calibrations(now, launch, model.task, names, limits)


def _protected(serving: Dataset) -> list[str]:
    return [name for name in serving.roles.protected if name in serving.columns]


def _names(model: Model, frame: pd.DataFrame, holdout: Dataset | None) -> tuple[object, ...]:
    """Return the names of several labels in the order of the scores: those of the launch and of the served rows."""
    if model.task != "multilabel":
        return ()
    seen = [frame[LABEL].dropna()]
    if holdout is not None and holdout.roles.label:
        seen.append(holdout.frame([holdout.roles.label])[holdout.roles.label].dropna())
    return names_of(pd.concat(seen, ignore_index=True))


def _accusations(model: Model, slicings: Sequence[Slicing], names: Sequence[object]) -> int:
    """Return how many findings share the error budget, those by slice twice: for labels and for bias."""
    classes = len(model.classes) if model.task == "multiclass" else 1
    slices, each = sum(len(one.slices) for one in slicings), max(1, len(names[: several.MOST]))
    return 6 + each + max(each, classes) + (1 + each) * slices


def unlabelled(
    frame: pd.DataFrame, serving: Dataset, slicings: Sequence[Slicing], limit: float, limits: Limits
) -> Iterator[Finding]:
    """Hold the rows whose label should be in by now and is not, of the window and of each slice, to the limit.

    Where the log has no times, young rows cannot be told from those whose label is lost: then a slice is accused only
    if it lacks more than all other rows do, and all rows together never are.
    """
    if not len(frame):
        yield undecided(UNLABELLED, "no served row is due yet", unit="share", n_to_settle=limits.min_rows)
        return
    missing = frame[LABEL].isna().to_numpy()
    cluster = serving.roles.cluster
    clusters = codes_of(frame[cluster].to_numpy()) if cluster else scored.days_of(None, len(frame))

    def share(rows: Mask) -> Interval:
        effect = _effect(missing[rows], clusters[rows])
        return rate(int(missing[rows].sum()), int(rows.sum()), limits.level, design_effect=effect)

    everything = np.ones(len(frame), dtype=bool)
    slices = [(one.name, one.rows) for slicing in slicings for one in slicing.slices]
    for where, rows in [("", everything), *(one for one in slices if one[1].sum() >= limits.min_rows)]:
        found = share(rows)
        young = AT not in frame and found.low > limit
        if young and (rows.all() or found.low <= limit + share(~rows).high):
            why = f"{found.value:.1%} have no label, and without times of the log nobody knows which are due: {TIMES}"
            yield undecided(UNLABELLED, why, where=where, unit="share")
        else:
            yield at_most(UNLABELLED, found, limit, where=where, unit="share")


def _effect(hit: Mask, clusters: scored.Codes) -> float:
    rows = np.bincount(codes_of(clusters)).astype(np.float64)
    hits = np.bincount(codes_of(clusters), weights=hit)
    squares = float((rows**2).sum()), float((hits**2).sum()), float((rows * hits).sum())
    return design_effect(len(rows), len(hit), float(hits.sum()), *squares)


def _unscored(frame: pd.DataFrame, serving: Dataset, kept: int, limits: Limits) -> Finding:
    labelled = int(frame[LABEL].notna().sum())
    if not labelled:
        return undecided(UNSCORED, "no served row has a label", n_to_settle=limits.min_rows)
    return at_most(UNSCORED, labelled - kept, 0, n=labelled)


def _delays(late: Late, frame: pd.DataFrame) -> Table:
    delay = "unknown" if late.delay is None else f"{late.delay:.4g} hours"
    lines: list[list[str | int]] = [
        ["served keys", f"{late.served:,}"],
        ["delay of labels", f"{delay}, {late.how}"[:200]],
        ["rows too young to have a label, left out", f"{late.young:,}"],
        ["keys left out because log or labels contradict themselves", f"{late.twice:,}"],
        ["rows of the newest window that were read", f"{len(frame):,}"],
        ["of them with a label", f"{int(frame[LABEL].notna().sum()):,}"],
    ]
    return Table("Served rows and their labels", ["what", "how many"], lines)
