"""The settings in service were searched for, and a search of our own finds none that are better.

Why
    Settings taken over from an example or from older data cost quality that nobody knows is missing; and a search shows
    odd behaviour that a single training hides.

Measured
    On the record of the search (Optuna, MLflow, scikit-learn or a table): trials of different settings that ended
    before the release; whether the settings in service lie inside the searched space and not on its edge; which of
    them were neither searched nor left alone on purpose; what they lose to the best trial, over folds where these are
    recorded; whether trials were judged on the holdout, by what they say or by a metric that is the model's on the
    holdout to six decimals. Where a trainer takes parameters, also a random search, half around the settings in
    service: successive halving on some training rows, judged on later ones of them; the winner and the settings in
    service, trained on the same rows, all where possible, are compared on the holdout, which chose nothing.

Passes when
    all of this is in order and the gain is shown to be under the margin (95 %). Fails with too few trials, settings
    outside the space, trials on the holdout, or a loss or gain shown above the margin. Never passes without a record.

If it fails
    Search again on training rows only, keep the study, and serve its best settings; widen the space where they lie on
    an edge; name what is left alone on purpose.

Options
    min_trials: 20, as random search finds the best twentieth with 64 % (Bergstra and Bengio 2012: 1 - 0.95**20).
    margin: 0.01 of the metric; less is not worth a search. margin_of_part: 0.1 accuses where the two learn from a part
    of the training rows, as what suits many rows is too free for few. trials: 16. rows: 20,000 for the search,
    most_rows: 250,000 for the two. holdout_rows: 200,000. seconds: 120 for all trials, timeout: 300 for the process.
    alpha: .0005 for gain and loss together. min_rows 2,000, min_per_class 50: of the holdout. metric: roc_auc for two
    classes, accuracy for more, r2 for numbers.

Source
    Breck et al. 2017, Model 3; Jamieson and Talwalkar 2016 (successive halving); Nadeau and Bengio 2003 (folds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mltestscore import check, fault, undecided
from mltestscore.declare import Observations
from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.search_space import Choices, Numbers
from mltestscore.inputs.trainer import Trainer
from mltestscore.inputs.tuning import Tuning
from mltestscore.tuning import evidence, search, seen
from mltestscore.tuning.faults import PLANTED, UNSPOILED, settings_of, trials_of

CENTURY = np.timedelta64(36_525, "D")


@check("model.3", proof_options={"trials": 6, "rows": 3_000, "most_rows": 6_000})
def check_tuned(
    tuning: Tuning,
    registry: Registry | None = None,
    trainer: Trainer | None = None,
    model: Model | None = None,
    training: Dataset | None = None,
    holdout: Dataset | None = None,
    *,
    min_trials: int = 20,
    margin: float = 0.01,
    margin_of_part: float = 0.1,
    metric: str = "",
    trials: int = 16,
    rows: int = 20_000,
    most_rows: int = 250_000,
    holdout_rows: int = 200_000,
    seconds: float = 120.0,
    timeout: float = 300.0,
    min_rows: int = 2_000,
    min_per_class: int = 50,
    alpha: float = 0.0005,
) -> Observations:
    """Judge the record of the search, and search a little around the settings in service."""
    found = evidence.record(tuning, registry)
    yield from evidence.findings(found, min_trials, margin, alpha / 2)
    if tuning.source and holdout is not None:
        yield seen.on_holdout(found, holdout, model)
    yield from evidence.pictures(found)
    budget = search.Budget(trials, rows, most_rows, holdout_rows, seconds, timeout)
    data = (trainer, model, training, holdout)
    own = search.opened(*data, tuning.space, found.settings, metric, budget)
    if own is None:
        return
    if not found.inside:
        yield undecided(search.GAIN, "the settings in service are not in the searched space: nothing to search around")
    elif few := own.too_few(min_rows, min_per_class):
        yield undecided(search.GAIN, few.reason, n_to_settle=few.rows_wanted)
    else:
        yield from search.findings(own, (margin, max(margin, margin_of_part)), alpha / 2)


@fault(check_tuned, "one trial stands in the record again and again", caught_by=evidence.TRIALS)
def repeated(tuning: Tuning) -> Mapping[str, Any]:
    """What copying a row makes of an afternoon."""
    return {"tuning": tuning.replace(trials=trials_of(tuning)[:1] * max(20, len(tuning.trials)), schedule=0)}


@fault(check_tuned, "all trials ended long after the release", caught_by=evidence.TRIALS)
def afterwards(tuning: Tuning, registry: Registry) -> Mapping[str, Any]:
    """A record that was made up for the audit."""
    late = registry.current.trained_at.replace(tzinfo=None)
    ended = np.datetime64(late, "s") + CENTURY
    return {"tuning": tuning.replace(trials=tuple(replace(one, ended=ended) for one in trials_of(tuning)))}


@fault(check_tuned, "the settings in service lie far outside of what was searched", caught_by=evidence.OUTSIDE)
def far_off(tuning: Tuning) -> Mapping[str, Any]:
    """A learning rate a hundred times too large; a choice that nobody tried."""
    settings = settings_of(tuning)
    name = next(name for name in tuning.space if name in settings)
    dimension = tuning.space[name]
    wrong = 100 * abs(dimension.high) + 1 if isinstance(dimension, Numbers) else PLANTED
    return {"tuning": tuning.replace(deployed={**settings, name: wrong})}


@fault(check_tuned, "the search was judged on the holdout", caught_by=seen.ON_HOLDOUT)
def on_the_holdout(tuning: Tuning, holdout: Dataset) -> Mapping[str, Any]:
    """Every trial names the rows that are to judge the model."""
    return {"tuning": tuning.replace(trials=tuple(replace(one, data=holdout.digest) for one in trials_of(tuning)))}


@fault(check_tuned, "a setting in service spoils the training, and a search finds a better one", caught_by=search.GAIN)
def spoiling(tuning: Tuning, trainer: Trainer, model: Model, training: Dataset, holdout: Dataset) -> Mapping[str, Any]:
    """Labels are turned round as long as one setting keeps its value; what judges stays as it is."""
    label = training.roles.label
    if not (label and trainer.takes_parameters):
        raise NotOffered("a trainer that takes parameters", "takes_parameters = true under [tool.mltestscore.trainer]")
    space = {**tuning.space, PLANTED: Choices((label, *UNSPOILED))}
    broken = tuning.replace(space=space, deployed={**settings_of(tuning), PLANTED: label})
    return {"tuning": broken, "trainer": trainer.wrapped("mltestscore.tuning.faults:spoiled")}
