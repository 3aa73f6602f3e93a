"""A way to break a training on purpose: a setting that spoils it, left at its bad value in service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

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
