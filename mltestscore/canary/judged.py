"""What the answers of two versions say: errors, scores, quality and times, each with its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.canary.faults import tampered
from mltestscore.canary.shadow import Answers, Shadow
from mltestscore.details import Table
from mltestscore.errors import InputError
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.stats.blocks import block_ratio
from mltestscore.stats.interval import CLEAR, Interval, two_levels
from mltestscore.stats.mean import spread
from mltestscore.stats.quality import advantage
from mltestscore.stats.quality import quality as skill
from mltestscore.stats.sequential import discordance_so_far, share_so_far

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

Vector = npt.NDArray[np.float64]

LOADED = "starts of the candidate in the serving environment that failed"
ERRORS = "errors of the candidate beyond the served model's"
ALONE = "share of the candidate in the errors that only one of the two makes"
SCORES = "disagreement of scores on the same requests"
QUALITY = "quality lost against the served model"
TIMES = "time of an answer against the served model"

METRICS = {"binary": "d2_brier_score", "multiclass": "d2_brier_score", "regression": "d2_absolute_error"}
LEAST_PAIRS = 300  # before an error rate is called harmless
LEAST_ROWS = 100  # of a comparison of scores
LEAST_LABELS = 300  # of a comparison of quality: with fewer its bounds hold nothing
TOLERANCE = 0.1  # of time, as monitor.6
BLOCKS = 20  # of neighbouring pairs, whose median times are compared


@dataclass(frozen=True)
class Limits:
    """What a candidate is held to; ``alpha`` is the level of each bound that shows harm."""

    more_errors: float
    error_ratio: float
    disagreement: float
    loss: float
    alpha: float

    def enough(self, served: Answers, candidate: Answers) -> bool:
        """Say whether the errors so far decide."""
        more, alone = errors(served, candidate, self)
        return more.verdict != "inconclusive" or alone.verdict == "failed"


def beside(found: Shadow | None, tampering: str, model: Model | None, limits: Limits) -> Iterator[Finding | Table]:
    """Yield all that is to be said of a candidate beside the served model; ``tampering`` plants a fault."""
    if found is None:
        yield undecided(LOADED, "there is no request to send: offer the serving log (data.serving)")
        return
    found = tampered(found, tampering)
    yield loaded(found)
    if found.candidate is None:
        return
    if found.served is None:
        yield undecided(ERRORS, "the served model is not known: offer endpoint, or the score column of serving")
        return
    yield from errors(found.served, found.candidate, limits)
    lost = quality(found, model, limits.loss, limits.alpha)
    yield scores(found, limits.disagreement, limits.alpha, excused=lost is not None and lost.verdict == "passed")
    yield from (one for one in (lost, times(found)) if one is not None)
    yield from table(found)


def errors(served: Answers, candidate: Answers, limits: Limits) -> tuple[Finding, Finding]:
    """Return what is to be said of the errors so far; bounds hold at every look.

    The first finding asks whether the candidate may be harmless, in shares of all requests; the second, which counts
    only where it fails, whether it errs more often at all: rare errors are harm before they are many.
    """
    n = min(len(served), len(candidate))
    theirs, ours = served.failed[:n], candidate.failed[:n]
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    levels = (limits.alpha, CLEAR)
    accusing, clearing = (discordance_so_far(only_ours, only_theirs, n, level) for level in levels)
    why = "; ".join(f"{count} × {said}" for said, count in candidate.reasons.most_common(2))[:400]
    note = f"{int(ours.sum()):,} and {int(theirs.sum()):,} of {n:,} requests fail"
    cause = why if only_ours else ""
    more = at_most(ERRORS, two_levels(accusing, clearing), limits.more_errors, unit="share", cause=cause, note=note)
    if more.verdict == "passed" and n < LEAST_PAIRS:
        more = replace(more, verdict="inconclusive", n_to_settle=LEAST_PAIRS)
    sides = [share_so_far(only_ours, only_ours + only_theirs, level) for level in levels]
    even = limits.error_ratio / (1 + limits.error_ratio)
    alone = at_most(ALONE, two_levels(sides[0], sides[1]), even, unit="share", cause=cause)
    return more, replace(alone, advisory=alone.verdict != "failed")


def loaded(found: Shadow) -> Finding:
    """Say whether the candidate came up; the second try counts too."""
    failed = found.why != ""
    note = "it came up at the second try" if found.starts > 1 and not failed else ""
    return at_most(LOADED, int(failed), 0, n=found.starts, cause=found.why[-600:], note=note)


def scores(found: Shadow, most: float, alpha: float, *, excused: bool) -> Finding:
    """Return by how much scores differ, in units of how much the served scores of different requests differ.

    0 is the same model, 1 what scores of other requests would give. ``excused``: labels show that the candidate is no
    worse, so that differing is what it was made for.
    """
    pair = _both(found)
    if isinstance(pair, Finding):
        return pair
    theirs, ours, kept = pair
    gaps = np.abs(ours - theirs).reshape(len(ours), -1).sum(axis=1)
    apart = np.array([_others(column) for column in theirs.reshape(len(theirs), -1).T]).sum(axis=0)
    scale = float(apart.mean())
    if scale <= 1e-12:
        if gaps.max() <= 1e-12:
            return at_most(SCORES, 0, most, n=len(ours), note="both give every request the same score")
        return undecided(SCORES, "the served model gives every request the same score, which is no measure")
    value = float(gaps.mean()) / scale
    clusters = None if found.requests.clusters is None else found.requests.clusters[kept]
    # The mean gap over Gini's mean difference, linearised; a row counts twice in the latter, as one and as other.
    moved = spread((gaps - 2 * value * apart) / scale, clusters)
    intervals = [_around(value, moved.reaches(level), moved.groups, level) for level in (alpha, CLEAR)]
    return at_most(SCORES, two_levels(intervals[0], intervals[1]), most, advisory=excused)


def _around(value: float, reaches: tuple[float, float], n: int, alpha: float) -> Interval:
    down, up = reaches
    return Interval(value, max(0.0, value - down), value + up, n, 1 - alpha, "linearised ratio, t")


def _others(values: Vector) -> Vector:
    """Return the mean distance of each value from all others."""
    order = np.argsort(values, kind="stable")
    ordered, n = values[order], len(values)
    before = np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    places, total = np.arange(n), ordered.sum()
    sums = places * ordered - before + (total - before - ordered) - (n - 1 - places) * ordered
    distances = np.empty(n)
    distances[order] = sums / max(1, n - 1)
    return distances


def _both(found: Shadow) -> tuple[Vector, Vector, npt.NDArray[np.bool_]] | Finding:
    """Return the scores of both on the rows where both have some, and which rows these are."""
    for theirs, ours in ((found.served_scores, found.candidate_scores), _single(found)):
        if theirs is None or ours is None:
            continue
        if theirs.shape != ours.shape:
            why = f"the served model answers in the shape {theirs.shape}, the candidate in {ours.shape}"
            return at_most(SCORES, 1.0, 0.0, n=len(ours), cause=why)
        wide = np.column_stack([theirs.reshape(len(theirs), -1), ours.reshape(len(ours), -1)])
        kept = np.asarray(np.isfinite(wide).all(axis=1))
        if kept.sum() >= LEAST_ROWS:
            full = np.zeros(len(found.requests), dtype=bool)
            full[: len(kept)] = kept
            return theirs[kept], ours[kept], full
    why = f"fewer than {LEAST_ROWS} requests have a score of both versions"
    return undecided(SCORES, why, n_to_settle=LEAST_ROWS)


def _single(found: Shadow) -> tuple[Vector | None, Vector | None]:
    served, candidate = (None if one is None else one.scores for one in (found.served, found.candidate))
    return served, candidate


def quality(found: Shadow, model: Model | None, most: float, alpha: float) -> Finding | None:
    """Return what the candidate loses on requests whose label is known; ``None`` where too few are."""
    pair = _both(found)
    label = found.requests.label
    if isinstance(pair, Finding) or label is None:
        return None
    theirs, ours, kept = pair
    known = label[kept].notna().to_numpy()
    truth = _truth(label[kept][known], model, theirs[known]) if known.sum() >= LEAST_LABELS else None
    if truth is None:
        return None
    y, metric = truth
    clusters = None if found.requests.clusters is None else found.requests.clusters[kept][known]
    lost = [advantage(metric, y, theirs[known], ours[known], level, clusters) for level in (alpha, CLEAR)]
    return at_most(QUALITY, two_levels(lost[0], lost[1]), most, where=metric, unit="share")


def _truth(label: pd.Series[Any], model: Model | None, served: Vector) -> tuple[npt.NDArray[Any], str] | None:
    """Return labels as the scores mean them, and the metric; ``None`` where that cannot be told."""
    if model is not None:
        task = model.task
        if task not in METRICS:
            return None
        try:
            truth = contest.encoded(label, task, contest.classes_of(model.classes, label), "outcomes")
        except InputError:
            return None
    else:
        numbers = pd.to_numeric(label, errors="coerce").to_numpy(dtype=np.float64)
        whole = bool(np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all() and numbers.min() >= 0)
        task = "multiclass" if served.ndim == 2 else "binary" if set(np.unique(numbers)) <= {0.0, 1.0} else "regression"
        if not np.isfinite(numbers).all() or (task == "multiclass" and not whole):
            return None
        truth = numbers.astype(int) if whole and task != "regression" else numbers
    fits = served.ndim == 2 and truth.max(initial=0) < served.shape[-1] if task == "multiclass" else served.ndim == 1
    if task == "binary" and fits and not 0 <= served.min() <= served.max() <= 1:
        fits = False
    if not fits or len(np.unique(truth)) < 2:
        return None
    # Without a model nobody has said that a score foretells its label: it may order rows, or count in other units.
    foretells = model is not None or task != "regression" or skill(METRICS[task], truth, served) > 0
    return (truth, METRICS[task]) if foretells else None


def times(found: Shadow) -> Finding | None:
    """Return how much longer the candidate takes, beside the served model; shown only, as monitor.6 judges it."""
    if found.served is None or found.candidate is None:
        return None
    n = min(len(found.served), len(found.candidate))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.log(found.candidate.seconds[:n] / found.served.seconds[:n])
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) < 5 * BLOCKS:
        return None
    blocks = [float(np.median(block)) for block in np.array_split(ratios, BLOCKS)]
    return at_most(TIMES, block_ratio(blocks, CLEAR), TOLERANCE, unit="share", advisory=True)


def table(found: Shadow) -> Iterator[Table]:
    """Show what both versions did."""
    arms = [(name, one) for name, one in (("served", found.served), ("candidate", found.candidate)) if one is not None]
    rows = [
        (name, len(one), int(one.failed.sum()), _median(one.seconds), _median(one.scores.reshape(len(one), -1)[:, 0]))
        for name, one in arms
    ]
    if rows:
        yield Table("Same requests, one at a time",
                    ["version", "requests", "failed", "median milliseconds", "median score"],
                    [(name, n, failed, took and round(1000 * took, 2), score) for name, n, failed, took, score in rows],
                    )  # fmt: skip


def _median(values: Vector) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None
