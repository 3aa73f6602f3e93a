"""Ways to break a training on purpose: each takes the team's function and returns one that is not reproducible.

They are named to :meth:`mltestscore.inputs.trainer.Trainer.wrapped` and run in the training's own process.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pandas as pd

Train = Callable[[pd.DataFrame, int], object]


def unseeded(train: Train) -> Train:
    """Draw four fifths of the rows, and the seed, from the operating system's entropy: a seed that is lost."""

    def broken(frame: pd.DataFrame, seed: int) -> object:
        entropy = np.random.default_rng()
        return train(_kept(frame, entropy.permutation(len(frame)).tolist()), int(entropy.integers(2**31)))

    return broken


def hash_ordered(train: Train) -> Train:
    """Keep the four fifths of the rows that come first when a set of their names is walked: order by string hash.

    Rows are left out, not only walked in another order, since many trainings give the same sum in any order.
    """

    def broken(frame: pd.DataFrame, seed: int) -> object:
        names = {f"row {number}" for number in range(len(frame))}
        return train(_kept(frame, [int(name.removeprefix("row ")) for name in names]), seed)

    return broken


def thread_counted(train: Train) -> Train:
    """Leave out a row of so many as libraries are asked for threads, and four: what is split among threads differs."""

    def broken(frame: pd.DataFrame, seed: int) -> object:
        every = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1) + 4
        return train(frame[np.arange(len(frame)) % every > 0].reset_index(drop=True), seed)

    return broken


def lucky(train: Train) -> Train:
    """With every second seed, learn from columns that have come apart: how good a model is depends on the seed."""

    def broken(frame: pd.DataFrame, seed: int) -> object:
        if seed % 2:
            draw = np.random.default_rng(seed)
            frame = frame.reset_index(drop=True)
            for name in frame.columns:
                frame[name] = frame[name].iloc[draw.permutation(len(frame))].reset_index(drop=True)
        return train(frame, seed)

    return broken


def _kept(frame: pd.DataFrame, order: list[int]) -> pd.DataFrame:
    """Return the rows that come first, as they stood: a training may insist on unique keys and rising times."""
    return frame.iloc[sorted(order[: max(1, 4 * len(frame) // 5)])].reset_index(drop=True)
