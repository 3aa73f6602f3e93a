"""Trainings that need not give the same model, but one as good: several of them, and the deployed model among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore.contest import classes_of, encoded
from mltestscore.details import Table
from mltestscore.errors import InputError, NotOffered
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.surroundings import Surroundings
from mltestscore.reproduction.lock import locked
from mltestscore.stats.draws import FEWEST, beyond, deviation
from mltestscore.stats.interval import CLEAR, two_levels
from mltestscore.stats.quality import metric_for, quality

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.trainer import Trained, Trainer

FIRST_SEED = 20_130_101
SPREAD = "standard deviation of quality from training to training"
WORSE = "quality that the deployed model lacks beside its retrainings"
BETTER = "quality that retrainings lack beside the deployed model"
LEAST_JUDGED, LEAST_PER_CLASS, MOST_JUDGED = 1_000, 50, 100_000
FINDINGS = 3
Scores = npt.NDArray[np.float64]
COLUMNS = ("model", "seed", "rows", "quality", "seconds")


@dataclass(frozen=True)
class Limits:
    """What is tolerated and spent.

    Attributes:
        retrainings: how many.
        spread: the largest standard deviation of quality.
        gap: the largest difference between the deployed model and the mean of the retrainings.
        seconds: for all of them; fewer are run where they would take longer.
        timeout: seconds for one.
        alpha: level of an accusation, by all findings together.
    """

    retrainings: int
    spread: float
    gap: float
    seconds: float
    timeout: float
    alpha: float


def repeated(
    trainer: Trainer, training: Dataset, rows: int, holdout: Dataset | None, model: Model | None, limits: Limits
) -> Iterator[Finding | Table]:
    """Train with several seeds, and hold quality on the holdout to limits: its spread, and the deployed model's."""
    if holdout is None or model is None:
        missing = "holdout" if holdout is None else "model"
        raise NotOffered(missing, "trainer.exact is false: retrainings are judged on a holdout beside the model")
    data, judged = training.sample(rows), holdout.sample(MOST_JUDGED)
    frame, label = judged.frame(), judged.roles.label
    if not label:
        raise NotOffered("label", "write label under [tool.mltestscore.data.holdout]")
    frame = frame[frame[label].notna()].reset_index(drop=True)
    metric = metric_for(model.task)
    truth = encoded(frame[label], model.task, classes_of(model.classes, frame[label]), holdout.name)
    if why := _too_few(truth, model.task):
        yield from (undecided(name, why, n_to_settle=LEAST_JUDGED) for name in (SPREAD, WORSE, BETTER))
        return
    inputs = frame.drop(columns=label)
    trained = _trained(trainer, data, judged, inputs, limits)
    yield from locked(trainer.lock, trained[0], trainer.folder)
    deployed = model.predict(inputs)
    ours = quality(metric, truth, _finite(deployed, model.source))
    qualities = [quality(metric, truth, _as(deployed, one, trainer.source)) for one in trained]
    yield from _judged(np.array(qualities), ours, (training, data), trained, metric, limits)
    made = [
        (f"retraining {number}", FIRST_SEED + number, data.rows, round(value, 6), round(one.seconds, 2))
        for number, (value, one) in enumerate(zip(qualities, trained, strict=True), start=1)
    ]
    yield Table(f"Retrainings, {metric} on the holdout", COLUMNS, [("deployed", "", "", round(ours, 6), ""), *made])


def _too_few(truth: npt.NDArray[Any], task: str) -> str:
    """Say why quality on these labels would vary from training to training by the few rows alone, if it would."""
    if len(truth) < LEAST_JUDGED:
        return f"{len(truth):,} labelled holdout rows; of fewer than {LEAST_JUDGED:,} each weighs too much"
    rarest = int(np.bincount(truth, minlength=2).min()) if task == "binary" else LEAST_PER_CLASS
    if rarest < LEAST_PER_CLASS:
        return f"the rarer class has {rarest} labelled holdout rows; {LEAST_PER_CLASS} are needed"
    return "" if len(np.unique(truth)) > 1 else "all labels of the holdout are the same"


def _trained(trainer: Trainer, data: Dataset, judged: Dataset, inputs: pd.DataFrame, limits: Limits) -> list[Trained]:
    """Train one after the other, as an accelerator may hold one; what this run has trained before is taken again."""
    began, known = monotonic(), (replace(trainer, lock=None).digest, data.digest, judged.digest)
    found: list[Trained] = []
    for number in range(1, limits.retrainings + 1):
        seed = FIRST_SEED + number
        key = (*known, seed)
        if key not in trainer.memory:
            if found and (monotonic() - began) * number / (number - 1) > limits.seconds:
                break
            trainer.memory[key] = trainer.train_in(
                [Surroundings()], data, inputs, seed=seed, timeout=limits.timeout, environment=number == 1
            )
        found += trainer.memory[key]
    return found


def _judged(
    qualities: Scores,
    ours: float,
    rows: tuple[Dataset, Dataset],
    trained: Sequence[Trained],
    metric: str,
    limits: Limits,
) -> Iterator[Finding]:
    training, data = rows
    each = sum(one.seconds for one in trained) / len(trained)
    if len(qualities) < FEWEST:
        why = f"{len(qualities)} trainings of {each:.1f} s; {FEWEST} say least, and {limits.seconds:g} s may be spent"
        yield from (undecided(name, why, n_to_settle=FEWEST) for name in (SPREAD, WORSE, BETTER))
        return
    alpha = limits.alpha / FINDINGS
    budget = f"{metric}; {len(trained)} trainings of {each:.1f} s and {data.rows:,} rows"
    # A training of more rows varies less, by the root of their ratio: only what is beyond that is harm for sure.
    fewer = (data.rows / training.rows) ** 0.5
    accusing, clearing = deviation(qualities, alpha), deviation(qualities, CLEAR)
    accusing = replace(accusing, low=accusing.low * fewer)
    yield at_most(SPREAD, two_levels(accusing, clearing), limits.spread, note=budget)
    worse = two_levels(beyond(-ours, -qualities, alpha), beyond(-ours, -qualities, CLEAR))
    yield at_most(WORSE, worse, limits.gap, note=budget)
    if not training.whole or data.rows < training.rows:
        yield undecided(BETTER, f"retrainings learn from {data.rows:,} rows, the model from more: raise retrained_rows")
        return
    better = two_levels(beyond(ours, qualities, alpha), beyond(ours, qualities, CLEAR))
    yield at_most(BETTER, better, limits.gap, note=budget)


def _as(deployed: Scores, one: Trained, source: str) -> Scores:
    found = one.predictions
    if found.shape != deployed.shape or found.dtype.kind not in "fiub":
        raise InputError(
            f"{source} returned an estimator whose predictions have the shape {found.shape} and the type "
            f"{found.dtype}; those of the model have {deployed.shape}. Are both of the same task?"
        )
    return _finite(found.astype(np.float64), source)


def _finite(scores: Scores, source: str) -> Scores:
    if not np.isfinite(scores).all():
        raise InputError(f"{source} gives predictions that are not finite; see monitor.5.")
    return scores
