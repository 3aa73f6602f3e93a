"""A way to break a training on purpose: a setting that spoils it, left at its bad value in service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

PLANTED = "planted_by_mltestscore"


def spoiled(train: Callable[..., object]) -> Callable[..., object]:
    """Shuffle the column that the setting :data:`PLANTED` names; train as before where it names none.

    Named to :meth:`mltestscore.inputs.trainer.Trainer.wrapped`, with the label's name as the value in service.
    """

    def broken(frame: pd.DataFrame, seed: int, parameters: Mapping[str, Any]) -> object:
        kept = dict(parameters)
        column = kept.pop(PLANTED, "")
        if column:
            order = np.random.default_rng(seed).permutation(len(frame))
            frame = frame.assign(**{column: frame[column].to_numpy()[order]})
        return train(frame, seed, parameters=kept)

    return broken
