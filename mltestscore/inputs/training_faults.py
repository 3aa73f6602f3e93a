"""Ways to break a training on purpose: each takes the team's function and returns one that is not reproducible.

They are named to :meth:`mltestscore.inputs.trainer.Trainer.wrapped` and run in the training's own process.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Train = Callable[[pd.DataFrame, int], object]


def unseeded(train: Train) -> Train:
    """Draw a bootstrap sample of the rows, and the seed, from the operating system's entropy: a seed that is lost."""

    def broken(frame: pd.DataFrame, seed: int) -> object:
        entropy = np.random.default_rng()
        rows = entropy.integers(len(frame), size=len(frame))
        return train(frame.iloc[rows].reset_index(drop=True), int(entropy.integers(2**31)))

    return broken


def hash_ordered(train: Train) -> Train:
    """Keep the four fifths of the rows that come first when a set of their names is walked: order by string hash.

    A training that sorts its rows, or sums the same whatever their order, is still given other rows.
    """

    def broken(frame: pd.DataFrame, seed: int) -> object:
        names = {f"row {number}" for number in range(len(frame))}
        kept = [int(name.removeprefix("row ")) for name in names][: max(1, 4 * len(frame) // 5)]
        return train(frame.iloc[kept].reset_index(drop=True), seed)

    return broken
