"""What late labels say of the newest window: quality against the model and the launch, bias, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from mltestscore.details import Series, Table
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.served_quality.alike import as_at_launch, of_rows
from mltestscore.served_quality.scored import Codes, Scored, block_qualities, days_of, errors
from mltestscore.slices import gaps
from mltestscore.slices.declared import Mask, Slicing
from mltestscore.slices.losses import LEAST_CLUSTERS, Losses, compare, slice_metric
from mltestscore.stats.calibration import bins_of, calibration, growth
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.periods import periods
from mltestscore.stats.persistence import Persistence, averaged
from mltestscore.stats.ranking import answerable, qualities
from mltestscore.stats.ratios import mean_gap
from mltestscore.stats.sequential import mean_so_far
from mltestscore.stats.unpaired import mean_difference
from mltestscore.tasks import JUDGED_TOO

Vector = npt.NDArray[np.float64]

AGAINST_MODEL = "quality lost between the model and its served scores"
SINCE_LAUNCH = "quality lost since launch, newest window"
WATCHED = "quality lost since launch, all days together"
BIAS = "prediction bias"
SLICE_BIAS = "prediction bias of a slice beyond that of all other rows"
CALIBRATION = "calibration error grown since launch"
UNJUDGED = "rows in slices too small to judge"
ROBUST = "mean over rows, robust to days and clusters (t)"
MOST_CLASSES = 20
LEAST_DAYS = 5  # fewer say too little of how much days differ


@dataclass(frozen=True)
class Limits:
    """What is held to which limit; ``level`` is the level of each accusation."""

    max_loss: float
    max_drop: float
    max_bias: float
    max_slice_bias: float
    max_miscalibration: float
    max_unjudged: float
    min_rows: int
    level: float


def against_model(window: Scored, rescored: Vector, task: str, limits: Limits) -> Finding:
    """Hold the served scores to what the model itself says of the same rows: what is lost, serving lost."""
    metric = "accuracy" if task == "multiclass" else slice_metric(task, "", JUDGED_TOO)
    if task == "ranking":
        compared = queries_compared(metric, window, rescored)
    else:
        compared = compare(metric, window.truth, window.scores, rescored, window.dependent)
    everything = np.ones(len(compared.ours), dtype=bool)
    if why := compared.too_few(everything, limits.min_rows):
        return undecided(AGAINST_MODEL, why, n_to_settle=limits.min_rows)
    lost = compared.loss_of(everything, limits.level)
    return at_most(AGAINST_MODEL, lost, limits.max_loss, unit="", note=f"in {metric}, the same rows scored again")


def queries_compared(metric: str, window: Scored, rescored: Vector) -> Losses:
    """Return what each query of a ranking lost, in order of time; neighbours are taken to be alike."""
    assert window.clusters is not None  # a ranking without queries is not offered
    ours, theirs = (1 - qualities(metric, window.truth, one, window.clusters) for one in (window.scores, rescored))
    first = np.unique(window.clusters, return_index=True)[1][answerable(window.truth, window.clusters)]
    order = np.argsort(first)
    return Losses(metric, ours[order], theirs[order], days_of(None, len(order)))


def since_launch(now: Vector, before: Vector, metric: str, limits: Limits, lasting: Persistence) -> Finding:
    """Hold the days of the newest window to the days of the launch; both hold one number a day."""
    if why := too_few_days(now, before):
        return undecided(SINCE_LAUNCH, why, n_to_settle=LEAST_DAYS)
    lost = days_apart(before, now, limits.level, lasting)
    return at_most(SINCE_LAUNCH, lost, limits.max_drop, note=f"{metric} within a day")


def too_few_days(now: Vector, before: Vector) -> str:
    """Say why two lists of days cannot be compared, or nothing if they can."""
    if min(len(now), len(before)) >= LEAST_DAYS:
        return ""
    return f"{len(now)} days with labels enough, {len(before)} at launch; at least {LEAST_DAYS} each are needed"


def days_apart(before: Vector, now: Vector, level: float, lasting: Persistence) -> TwoLevels:
    """Return by how much the mean of days has fallen, which stay alike for some time."""
    accusing, clearing = (mean_difference(before, now, one, lasting) for one in (level, CLEAR))
    return two_levels(accusing, clearing)


def watched(now: Vector, before: Vector, metric: str, limits: Limits, lasting: Persistence) -> Finding:
    """Hold all days since the launch to it; the bound that shows harm stands however often somebody looks."""
    least = -1.0 if metric.startswith(("r2", "d2_")) else 0.0
    seen, known = np.clip(now, least, 1.0), np.clip(before, least, 1.0)
    # Bets on a day must not profit from the day before: days that are alike for long are watched as one.
    apart = averaged(seen, lasting.left(len(seen), limits.level / 2))
    sequence = mean_so_far(apart, limits.level / 2, least=least)
    launch = mean_gap(known, np.arange(len(known)), lasting).interval(limits.level / 2)
    value = float(known.mean() - seen.mean())
    low, high = launch.low - sequence.high, launch.high - sequence.low
    method = f"{sequence.method} over days"
    accusing = Interval(value, min(low, value), max(high, value), len(now), 1 - limits.level, method)
    lost = two_levels(accusing, mean_difference(known, seen, CLEAR, lasting))
    return at_most(WATCHED, lost, limits.max_drop, note=f"{metric} within a day, {len(now)} days since the launch")


def bias(window: Scored, launch: Scored | None, task: str, scale: float, limits: Limits, where: str = "") -> Finding:
    """Hold the mean of answer minus outcome to its limit, in probability or standard deviations."""
    unit = "sd" if task == "regression" else "share"
    error = errors(window, task, scale)
    measure = partial(errors, task=task, scale=scale)
    days, *others = window.clusterings
    # Numbers that are foretold day by day are wrong for days on end.
    others += [periods(window.days, error)] if task == "regression" else []
    own = mean_gap(error, days, of_rows(measure, window, launch))
    by_days = [own.magnitude(limits.level)]
    if other := as_at_launch(own, measure, window, launch):
        by_days.append(other.magnitude(limits.level))
    # The bound that clears is always the window's own.
    shown = two_levels(max((one.accusing for one in by_days), key=lambda one: one.low), by_days[0].clearing)
    found = [shown, *(mean_gap(error, clusters).magnitude(limits.level) for clusters in others)]
    size = replace(max(found, key=lambda one: one.clearing.high), method=ROBUST)
    said = "answers are too high on average" if error.mean() > 0 else "answers are too low on average"
    return _bias(size, where, unit, said, limits)


def class_bias(now: Scored, launch: Scored, classes: Sequence[object], limits: Limits) -> Iterator[Finding]:
    """Hold for each class how often it is answered beyond how often it is true, against the same at launch.

    Answers without probabilities favour the common classes in every sound system, so that only a change counts.
    """
    for number, name in enumerate(classes[:MOST_CLASSES]):
        sides = [_answered_beyond(one, number) for one in (now, launch)]
        lasting: Persistence | None = of_rows(partial(_answered_beyond, number=number), now, launch)
        found = []
        for own, its in zip(now.clusterings, launch.clusterings, strict=False):
            gap = mean_gap(sides[0], own, lasting).since(mean_gap(sides[1], its, lasting))
            found.append(gap.magnitude(limits.level))
            lasting = None  # days come first; other clusters are in no order
        wide = replace(max(found, key=lambda one: one.clearing.high), method=ROBUST)
        said = "answered more often than at launch" if sides[0].mean() > sides[1].mean() else "answered less often"
        yield _bias(wide, f"class {name!s:.60}", "share", said, limits)


def _answered_beyond(rows: Scored, number: int) -> Vector:
    return np.asarray(rows.scores[:, number] - (rows.truth == number), dtype=np.float64)


def _bias(size: TwoLevels, where: str, unit: str, said: str, limits: Limits) -> Finding:
    if size.n < LEAST_DAYS:
        why = f"the rows come from {size.n} days or clusters; at least {LEAST_DAYS} are needed"
        return undecided(BIAS, why, where=where, unit=unit, n_to_settle=LEAST_DAYS)
    return at_most(BIAS, size, limits.max_bias, where=where, unit=unit, note=said)


def by_slice(
    window: Scored, scores: Vector, task: str, slicings: Sequence[Slicing], limits: Limits
) -> Iterator[Finding]:
    """Hold each slice's bias to that of all other rows, in which whatever a day does to all rows cancels.

    ``scores`` are the served ones, or of more than two classes the model's probabilities.
    """
    rate = gaps.rates_of(task, window.truth, scores, 0.5)[0]
    unit = "sd" if task == "regression" else "share"
    for slicing in slicings:
        yield _coverage(slicing, len(window), limits)
        for one in slicing.slices:
            if one.rows.all():
                continue
            if why := _unfit(window, rate, one.rows, limits):
                yield undecided(SLICE_BIAS, why, where=one.name, unit=unit, n_to_settle=limits.min_rows)
                continue
            found = [gaps.gap(rate, one.rows, clusters) for clusters in _ways(window)]
            size = max((gap.magnitude(limits.level) for gap in found), key=lambda size: size.clearing.high)
            said = "answers too high" if found[0].value > 0 else "answers too low"
            yield at_most(SLICE_BIAS, size, limits.max_slice_bias, where=one.name, unit=unit, note=said)


def _coverage(slicing: Slicing, rows: int, limits: Limits) -> Finding:
    """Say how many rows no slice judges; too many are a doubt, and no harm."""
    count = 0 if slicing.left is None else int(slicing.left.rows.sum())
    if count > limits.max_unjudged * rows:
        why = f"{count:,} of {rows:,} rows are of values too rare to be judged even together"
        return undecided(UNJUDGED, why, where=slicing.name, unit="share", n_to_settle=limits.min_rows)
    return at_most(UNJUDGED, count / rows, limits.max_unjudged, where=slicing.name, unit="share", n=rows)


def _ways(window: Scored) -> list[Codes]:
    """Return how rows may depend on each other within slices: in clusters or neighbourhoods, and in days if many."""
    days = codes_of(window.days)
    return [window.dependent, *([days] if int(days.max()) + 1 >= LEAST_CLUSTERS else [])]


def _unfit(window: Scored, rate: gaps.Rate, rows: Mask, limits: Limits) -> str:
    """Say why a slice cannot be held to the other rows: too few, or on days of its own, whose level is not its own."""
    days, its = len(np.unique(window.days)), len(np.unique(window.days[rows]))
    others = len(np.unique(window.days[~rows]))
    if 2 * min(its, others) < days:
        return (
            f"its rows come from {its} of {days} days, all others from {others}; days differ for reasons of their own"
        )
    return gaps.too_small([rate], rows, window.dependent, rows=limits.min_rows, events=1)


def calibrated(now: Scored, launch: Scored, task: str, scale: float, limits: Limits, where: str = "") -> Finding:
    """Hold the growth of the calibration error to its limit, over bins of the scores at launch."""
    unit = "sd" if task == "regression" else "share"
    if min(len(now), len(launch)) < limits.min_rows or min(len(np.unique(one.days)) for one in (now, launch)) < 2:
        why = f"{len(now):,} rows now, {len(launch):,} at launch, on two days each at least"
        return undecided(CALIBRATION, why, where=where, unit=unit, n_to_settle=limits.min_rows)

    lasting = of_rows(lambda rows: errors(rows, task, scale), now, launch)

    def grown(number: int) -> TwoLevels:
        sides = [
            calibration(errors(one, task, scale), bins_of(one.scores, launch.scores), one.clusterings[number])
            for one in (now, launch)
        ]
        return growth(sides[0], sides[1], limits.level, None if number else lasting)  # days come first

    ways = min(len(now.clusterings), len(launch.clusterings))
    wide = max((grown(number) for number in range(ways)), key=lambda one: one.clearing.high)
    return at_most(CALIBRATION, wide, limits.max_miscalibration, where=where, unit=unit)


def pictures(now: Scored, launch: Scored, metric: str, task: str, launched: str) -> Iterator[Table | Series]:
    """Yield the quality of each day and the calibration table."""
    before, after = block_qualities(launch, metric), block_qualities(now, metric)
    if len(before) and len(after):
        level = [float(before.mean())] * len(after)
        days = [float(day) for day in range(1, len(after) + 1)]
        lines: dict[str, Sequence[float]] = {"served": after.tolist(), f"mean of {launched}": level}
        yield Series("Quality of the newest window by day", "day", days, lines, metric)
    if task in ("multiclass", "multilabel", "ranking"):
        return
    bins = [bins_of(one.scores, launch.scores) for one in (now, launch)]
    rows = []
    for number in range(int(max(part.max() for part in bins)) + 1):
        means: list[float | None] = []
        for one, part in zip((now, launch), bins, strict=True):
            hit = part == number
            means += [float(one.scores[hit].mean()), float(one.truth[hit].mean())] if hit.any() else [None, None]
        rows.append([number + 1, int((bins[0] == number).sum()), *means])
    columns = ["tenth of the launch", "rows", "mean score", "mean outcome", "mean score at launch", "outcome at launch"]
    yield Table("Calibration, now and at launch", columns, rows)
