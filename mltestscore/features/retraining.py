"""What training again tells: whether a model saw more than its training rows, and whether shadows would do as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.features.benefit import Rows
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.trainer import Trainer
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.quality import advantage
from mltestscore.stats.seeds import generator

SEED = 20_130_102
HASH_SEED = 1


def advantage_over_refit(rows: Rows, trainer: Trainer, training: Dataset, alpha: float, timeout: float) -> TwoLevels:
    """Return by how much the model is better on ``rows`` than what its own trainer makes of the training rows.

    A model that saw the holdout, or whose preprocessing did, is better than one that could not. Accused at ``alpha``,
    cleared at 95 %. Raises :class:`InputError` as :meth:`mltestscore.inputs.trainer.Trainer.train` does.
    """
    again = _scores(rows, trainer, training, rows.frame, timeout)
    accusing, clearing = (_gap(rows, rows.scores, again, level) for level in (alpha, CLEAR))
    return two_levels(accusing, clearing)


def gain_over_shadows(
    rows: Rows, trainer: Trainer, training: Dataset, features: Sequence[str], timeout: float
) -> Interval:
    """Return what a retrained model gains from ``features``, bounds at 95 %: against one that got shadows of them.

    Shadows are the same values in another order, on both sides: as many columns of the same kind, without the content.
    Raises :class:`InputError` as :meth:`mltestscore.inputs.trainer.Trainer.train` does.
    """
    draw = generator("shadows", rows.seed, *features)
    shadowed = training.replace(_shuffled(training.frame(), features, draw))
    real = _scores(rows, trainer, training, rows.frame, timeout)
    without = _scores(rows, trainer, shadowed, _shuffled(rows.frame, features, draw), timeout)
    return _gap(rows, real, without, CLEAR)


def _gap(rows: Rows, ours: npt.NDArray[Any], theirs: npt.NDArray[Any], alpha: float) -> Interval:
    return advantage(rows.metric, rows.truth, ours, theirs, alpha, rows.clusters)


def _scores(
    rows: Rows, trainer: Trainer, training: Dataset, probe: pd.DataFrame, timeout: float
) -> npt.NDArray[np.float64]:
    label = training.roles.label
    inputs = probe.drop(columns=[label], errors="ignore")
    found = trainer.train(training, inputs, seed=SEED, hash_seed=HASH_SEED, timeout=timeout).predictions
    if found.shape != rows.scores.shape or found.dtype.kind not in "fiub":
        raise InputError(
            f"{trainer.source} returned an estimator whose predictions have the shape {found.shape} and the type "
            f"{found.dtype}; those of the model have {rows.scores.shape}. Are both of the same task?"
        )
    return np.asarray(found, dtype=np.float64)


def _shuffled(frame: pd.DataFrame, features: Sequence[str], draw: np.random.Generator) -> pd.DataFrame:
    order = draw.permutation(len(frame))
    return frame.assign(**{name: frame[name].iloc[order].reset_index(drop=True) for name in features})
