"""The rows on which features are tried, and what is found there: how much they bring, and whether they leak."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.details import Table
from mltestscore.features import leakage, oracle, retraining
from mltestscore.features.benefit import Benefit, Rows, benefits, cannot_vary, share_useless, together
from mltestscore.features.groups import feature_groups
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.trainer import Trainer
from mltestscore.stats.quality import metric_for
from mltestscore.unstructured import require_single_values

USELESS = "features shown useless"
REFIT = "advantage of the model over a refit on the training rows"
FOR_BENEFIT, FOR_COINCIDENCE, FOR_ORACLE = 2 / 3, 1 / 6, 1 / 6  # shares of alpha
REPEATS = 5
MOST_ROWS = 300_000  # of one side, when rows are compared


@dataclass(frozen=True)
class Trial:
    """A model, the rows that it learned from and the rows that judge it."""

    model: Model
    training: Dataset
    holdout: Dataset

    @cached_property
    def split(self) -> leakage.Split:
        """Both sides, with the columns that tell rows apart."""
        frames = [
            contest.labelled(side, self._columns(side), MOST_ROWS).reset_index(drop=True)
            for side in (self.training, self.holdout)
        ]
        require_single_values(frames[0], self.model.features, "features are compared and permuted value by value")
        return leakage.Split(frames[0], frames[1], self.holdout.roles, self.model.features)

    @cached_property
    def sides(self) -> oracle.Sides:
        """Both sides, with labels as numbers."""
        split, task = self.split, self.model.task
        column = split.training[self.training.roles.label]
        classes = contest.classes_of(self.model.classes, column)
        return oracle.Sides(
            split.training,
            contest.encoded(column, task, classes, self.training.name),
            split.holdout,
            contest.encoded(split.holdout[self.holdout.roles.label], task, classes, self.holdout.name),
            _numbered(contest.clusters_of(split.holdout, self.holdout)),
            task,
            max(self.training.rows, self.holdout.rows) <= MOST_ROWS,
        )

    def too_few(self, min_rows: int, per_class: int) -> contest.TooFew | None:
        """Say why nothing can be estimated on the holdout, or ``None`` if something can."""
        truth = self.sides.truth
        if len(np.unique(self.sides.learned)) < 2 or len(np.unique(truth)) < 2:
            return contest.TooFew("the labels of one side are all the same, so that no feature can tell them apart")
        if len(truth) < min_rows:
            return contest.TooFew(f"{len(truth):,} labelled holdout rows; at least {min_rows:,} are needed", min_rows)
        if self.model.task == "binary" and (rarest := int(np.bincount(truth).min())) < per_class:
            wanted = math.ceil(len(truth) * per_class / rarest * 1.2)  # a fifth more: shares vary by chance
            return contest.TooFew(f"the rarer class has {rarest:,} rows; at least {per_class:,} are needed", wanted)
        return None

    def rows(self, metric: str, most: int, alpha: float) -> Rows:
        """Return at most ``most`` holdout rows; where there are fewer, features are permuted up to five times.

        More rows tell more than more permutations of the same. A feature counts as dead at the level ``alpha``.
        Raises :class:`ConfigError` for an unknown metric.
        """
        chosen = contest.labelled(self.holdout, self._columns(self.holdout), most)
        classes = contest.classes_of(self.model.classes, self.split.training[self.training.roles.label])
        truth = contest.encoded(chosen[self.holdout.roles.label], self.model.task, classes, self.holdout.name)
        # Accuracy hardly moves with one feature; it takes many more rows to tell a small benefit from none.
        wanted = metric or ("d2_log_loss" if self.model.task == "multiclass" else "")
        metric = metric_for(self.model.task, wanted)
        clusters = together(self.model, chosen, truth, metric, self.holdout)
        independent = len(chosen) if clusters is None else len(np.unique(clusters))
        before = self.split.training
        flat = [name for name in self.model.features if chosen[name].nunique(dropna=False) < 2]
        dead = frozenset(name for name in flat if cannot_vary(before[name].to_numpy(), independent, alpha))
        repeats = max(1, min(REPEATS, most // max(1, len(chosen))))
        return Rows(self.model, chosen, truth, metric, clusters, repeats, self.holdout.digest, dead)

    def groups(self, rows: Rows, declared: Sequence[Sequence[str]], limit: float) -> list[tuple[str, ...]]:
        """Return the features in groups that ``rows`` judge; see :func:`mltestscore.features.groups.feature_groups`."""
        flat = [name for name in self.model.features if rows.frame[name].nunique(dropna=False) < 2]
        return feature_groups(self.split.training, self.model.features, declared, limit, flat)

    def _columns(self, side: Dataset) -> list[str]:
        return [*self.model.features, *([side.roles.time] if side.roles.time else [])]


def _numbered(clusters: npt.NDArray[Any] | None) -> npt.NDArray[np.intp] | None:
    """Clusters as numbers: their names are compared often."""
    return None if clusters is None else np.asarray(pd.factorize(clusters)[0])


@dataclass(frozen=True)
class Judging:
    """How benefits are judged.

    Attributes:
        limit: what all useless features together may bring at most.
        allowed: the share of features that may be useless, and one of them in any case; 0 allows none.
        alpha: the level of the check.
    """

    limit: float
    allowed: float
    alpha: float


@dataclass(frozen=True)
class Opinion:
    """Who is asked before useless features fail the check.

    Attributes:
        trainer: the team's.
        training: the rows to train on.
        most: rows for one training of a second opinion; a refit that the model is held to needs all.
        timeout: seconds for one training.
    """

    trainer: Trainer
    training: Dataset
    most: int
    timeout: float


def benefit_findings(
    rows: Rows, groups: Sequence[tuple[str, ...]], judging: Judging, opinion: Opinion | None
) -> Iterator[Finding | Table]:
    """Yield the share of useless features, and a table of all groups by what they bring."""
    if not np.isfinite(rows.scores).all():
        yield undecided(USELESS, "some scores of the holdout rows are not finite")
        return
    features = rows.model.features
    allowed = max(judging.allowed, 1 / len(features)) if judging.allowed else 0.0
    least = math.floor(allowed * len(features)) + 1
    alpha = FOR_BENEFIT * judging.alpha * least / len(features)  # Markov: so many of all must be wrong to accuse
    found = benefits(rows, groups, judging.limit, min(0.05, alpha))
    share = share_useless(found, judging.limit, allowed, judging.alpha, len(rows.frame))
    useless = [name for one in found if one.state == "useless" for name in one.features]
    most = max(found, key=lambda one: one.accusing.value)
    note, cause = f"metric: {rows.metric}; most of it comes from {most.name}", ", ".join(useless)[:300]
    if share.low > allowed and opinion is not None:
        some = opinion.training.sample(opinion.most)
        gain = retraining.gain_over_shadows(rows, opinion.trainer, some, useless, opinion.timeout)
        note += f"; a retrained model gains {gain.value:.4f} from them, between {gain.low:.4f} and {gain.high:.4f}"
        if gain.low > judging.limit:  # less may be the luck of one training
            found = [one.acquitted() if one.state == "useless" else one for one in found]
            share = share_useless(found, judging.limit, allowed, judging.alpha, len(rows.frame))
            cause = ""
    yield at_most(USELESS, share, allowed, unit="share", cause=cause, note=note)
    yield _table(found, rows)


def _table(found: Sequence[Benefit], rows: Rows) -> Table:
    ordered = sorted(found, key=lambda one: (one.accusing.value, one.features), reverse=True)
    return Table(
        f"What {rows.metric} loses on {len(rows.frame):,} rows when features are permuted together",
        ["features", "loss", "at least (95%)", f"at most ({found[0].accusing.confidence:.3%})", "judged"],
        [
            [
                one.name,
                one.accusing.value,
                *(bound if math.isfinite(bound) else None for bound in (one.clearing.low, one.accusing.high)),
                one.state,
            ]
            for one in ordered
        ],
    )


def refit_finding(rows: Rows, opinion: Opinion, limit: float, alpha: float) -> Finding:
    """Hold the model to what its trainer makes of the training rows alone."""
    gap = retraining.advantage_over_refit(rows, opinion.trainer, opinion.training, alpha, opinion.timeout)
    cause = "the model, or what prepares its features, was fitted on more than the training rows"
    return at_most(
        REFIT, gap, limit, cause=cause if gap.low > limit else "", note=f"metric: {rows.metric}; the same trainer"
    )
