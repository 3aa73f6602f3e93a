"""Hardly any feature is useless, and none knows what it could not have known.

Why
    A feature that brings nothing still costs and breaks; one that leaks the answer looks splendid until it serves.

Measured
    Benefit: the quality that the model loses on holdout rows when a group of associated features is permuted together,
    so that twins do not excuse each other. Useful: the lower 95 % bound is above zero. Useless: of the rest, the upper
    bound is below ``limit``, also for all such groups together, since small benefits add up. Before useless features
    fail the check, a trainer, where one is offered, trains with and without their content: a retrained model that
    gains ``limit`` acquits them. Leakage: rows and keys on both sides of the split; holdout rows from before its end;
    entities on both sides that no time separates; a feature that alone tells the label; a feature that consists of
    mean labels; a model that beats its trainer's refit on the training rows alone, so that it saw others.
    Not visible: whether a model that learned from few rows missed a weak feature by chance, redundancy among three and
    more features of which no two are associated, leaks that a strong honest feature could match, encodings with noise
    or of rows that are not offered, near-duplicates.

Passes when
    at most ``allowed`` of the features are not shown useful, and no leak is found.

If it fails
    Drop useless features, the costly ones first; a reading that comes as one may be declared in ``groups``. Split by
    time or entity before anything is fitted; encode out of fold; drop what is known only with the outcome.

Options
    limit: 0.002 of the metric for all accused features together; the noise of 20,000 rows allows no less. allowed: 0.1,
    and one in any case: seasons leave some features idle. groups: features that come, cost and fail as one.
    associated: 0.7. max_rows: 100,000 scored for a group, a holdout up to five times; max_scores: 3 million in all.
    min_rows 1,000, min_per_class 50: below them intervals are not reliable. alpha: 0.0003, two thirds for benefits
    (shared by Markov's inequality), one sixth each for coincidence and single features. twins: 0.001 of the rows beyond
    coincidence. earlier, entities: 0.01. alone: AUC 0.98; alone_r2: 0.995, as a series' last value may honestly reach
    0.98. gap: 0.02 AUC. time_order, known_entities: whether later rows, or the entities of training, are what the model
    is for. refit_rows: 50,000; more training rows are not fitted again. refit_gain: 0.05. timeout: seconds for one
    training. metric: roc_auc for two classes, d2_log_loss for more, r2 for numbers.

Source
    Breck et al. 2017, Data 2. Fisher et al. 2019 (permutation importance), Kursa and Rudnicki 2010 (shadows), Kapoor
    and Narayanan 2023 (leakage). Limits are engineering judgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mltestscore import check, fault, undecided
from mltestscore.declare import Observations
from mltestscore.errors import NotOffered
from mltestscore.features import faults as planted
from mltestscore.features import leakage, oracle, trials
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.trainer import Trainer


@check("data.2", proof_options={"max_rows": 4_000, "refit_rows": 0})
def check_features_beneficial(
    model: Model,
    training: Dataset,
    holdout: Dataset,
    trainer: Trainer | None = None,
    *,
    limit: float = 0.002,
    allowed: float = 0.1,
    groups: tuple[tuple[str, ...], ...] = (),
    associated: float = 0.7,
    metric: str = "",
    max_rows: int = 100_000,
    max_scores: int = 3_000_000,
    min_rows: int = 1_000,
    min_per_class: int = 50,
    alpha: float = 0.0003,
    twins: float = 0.001,
    earlier: float = 0.01,
    entities: float = 0.01,
    alone: float = 0.98,
    alone_r2: float = 0.995,
    gap: float = 0.02,
    time_order: bool = True,
    known_entities: bool = False,
    refit_rows: int = 50_000,
    refit_gain: float = 0.05,
    timeout: float = 300.0,
) -> Observations:
    """Permute groups of features on the holdout, and look for what it shares with training."""
    trial = trials.Trial(model, training, holdout)
    opinion = trials.Opinion(trainer, training, refit_rows, timeout) if trainer is not None and refit_rows else None
    few = trial.too_few(min_rows, min_per_class)
    if few:
        yield undecided(trials.USELESS, few.reason, n_to_settle=few.rows_wanted)
    else:
        most = min(max_rows, max(min_rows, max_scores // len(model.features)))
        rows = trial.rows(metric, most, alpha)
        together = trial.groups(rows, groups, associated)
        yield from trials.benefit_findings(rows, together, trials.Judging(limit, allowed, alpha), opinion)
        best = alone_r2 if model.task == "regression" else alone
        yield from oracle.alone(trial.sides, model.features, best, alpha * trials.FOR_ORACLE)
        yield oracle.encoded(trial.sides, model.features, gap, alpha)
        if opinion is not None and training.rows <= refit_rows:
            yield trials.refit_finding(rows, opinion, refit_gain, alpha)
    allowed_shares = leakage.Allowed(twins, earlier if time_order else 1.0, 1.0 if known_entities else entities)
    yield from leakage.findings(trial.split, allowed_shares, alpha * trials.FOR_COINCIDENCE)


@fault(check_features_beneficial, "columns of noise are fed to the model", caught_by=trials.USELESS)
def noise(model: Model, training: Dataset, holdout: Dataset, rng: np.random.Generator) -> Mapping[str, Any]:
    """A quarter of all features, or more, are noise that the scores follow a little."""
    names = [f"planted noise {number}" for number in range(len(model.features) // 3 + 2)]
    first, second = (
        planted.with_columns(side, {name: rng.normal(size=side.rows) for name in names}) for side in (training, holdout)
    )
    return {"model": planted.with_inputs(model, holdout, names), "training": first, "holdout": second}


@fault(check_features_beneficial, "a fifth of the holdout stands in training too", caught_by=leakage.TWINS)
def copied_rows(training: Dataset, holdout: Dataset, rng: np.random.Generator) -> Mapping[str, Any]:
    """What oversampling before the split does, or a join that doubles rows."""
    judged = holdout.frame()
    chosen = judged.iloc[rng.permutation(len(judged))[: len(judged) // 5 + 1]]
    return {"training": training.replace(pd.concat([training.frame(), chosen], ignore_index=True))}


@fault(check_features_beneficial, "the holdout was drawn at random among the training rows", caught_by=leakage.EARLIER)
def random_split(training: Dataset, holdout: Dataset, rng: np.random.Generator) -> Mapping[str, Any]:
    """The model is judged on days that it has seen."""
    if not (holdout.roles.time and training.roles.time):
        raise NotOffered("the time of the rows", "name its column with time = … under [tool.mltestscore.data.holdout]")
    both = pd.concat([training.frame(), holdout.frame()], join="inner", ignore_index=True)
    mixed = both.iloc[rng.permutation(len(both))].reset_index(drop=True)
    judged = mixed.iloc[training.rows :].reset_index(drop=True)
    return {"training": training.replace(mixed.iloc[: training.rows]), "holdout": holdout.replace(judged)}


@fault(check_features_beneficial, "a feature is known only with the outcome", caught_by=oracle.ALONE)
def from_the_future(model: Model, training: Dataset, holdout: Dataset, rng: np.random.Generator) -> Mapping[str, Any]:
    """The label itself, with a little noise."""
    return planted.with_outcome(model, training, holdout, lambda labels: planted.blurred(labels, rng))


@fault(check_features_beneficial, "a category was encoded with the labels of all rows", caught_by=oracle.ENCODED)
def encoded_on_all(model: Model, training: Dataset, holdout: Dataset, rng: np.random.Generator) -> Mapping[str, Any]:
    """Target encoding before the split."""
    if model.task == "multiclass":
        raise NotOffered("a label that is a number", "a mean label is defined for two classes and for numbers")
    return planted.with_outcome(model, training, holdout, lambda labels: planted.encoded(labels, rng))
