"""A way to break a training on purpose: a setting that spoils it, left at its bad value in service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from mltestscore.inputs.tuning import Trial, Tuning

PLANTED = "planted_by_mltestscore"
UNSPOILED = tuple(f"off {number}" for number in range(1, 10))  # many, so that a short search finds one


def spoiled(train: Callable[..., object]) -> Callable[..., object]:
    """Turn round the values of the column that the setting :data:`PLANTED` names: the largest becomes the smallest.

    Two classes are swapped by it. Named to :meth:`mltestscore.inputs.trainer.Trainer.wrapped`, with the label's name
    as the value in service; for any other value the training is as before.
    """

    def broken(frame: pd.DataFrame, seed: int, parameters: Mapping[str, Any]) -> object:
        kept = dict(parameters)
        column = kept.pop(PLANTED, "")
        if column in frame.columns:
            values, codes = np.unique(frame[column].to_numpy(), return_inverse=True)
            frame = frame.assign(**{column: values[len(values) - 1 - codes]})
        return train(frame, seed, parameters=kept)

    return broken


def trials_of(tuning: Tuning) -> tuple[Trial, ...]:
    """Return the trials on record. Raises :class:`NotOffered` where there are none."""
    if not tuning.trials:
        raise NotOffered("a record of trials", "write source, optuna, mlflow or search under [tool.mltestscore.tuning]")
    return tuning.trials


def settings_of(tuning: Tuning) -> dict[str, Any]:
    """Return the settings in service as declared, or else those of a trial, which stand for them."""
    settings = tuning.deployed or trials_of(tuning)[0].settings
    if not set(settings) & set(tuning.space):
        raise NotOffered("searched settings", "name them under [tool.mltestscore.tuning.space]")
    return dict(settings)
