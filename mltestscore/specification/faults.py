"""Ways to break a model on purpose: each takes the team's stepper and the inputs' names, and returns a wrong stepper.

They are named to :meth:`mltestscore.inputs.specification.Specification.wrapped` and run in the stepper's own process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.specification.stepper import as_array


class Wrapped:
    """A stepper that does what another one does."""

    def __init__(self, stepper: Any, features: Sequence[str]) -> None:
        self.stepper, self.features = stepper, list(features)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stepper, name)

    def blinded(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with the inputs of the first one everywhere."""
        first = frame[self.features].iloc[np.zeros(len(frame), dtype=int)].set_axis(frame.index)
        return pd.concat([first, frame.drop(columns=self.features)], axis=1)[list(frame.columns)]


class Blind(Wrapped):
    """The inputs do not reach the model: only a constant can be learned."""

    def step(self, frame: pd.DataFrame) -> Any:
        """Step on the labels, with the same inputs everywhere."""
        return self.stepper.step(self.blinded(frame))

    def predict(self, frame: pd.DataFrame) -> Any:
        """Predict for the same inputs everywhere."""
        return self.stepper.predict(self.blinded(frame))


class Detached(Blind):
    """Nothing is learned, as with a learning rate of 0 or a gradient cut off; some models must step once to predict."""

    loss: Any = None

    def step(self, frame: pd.DataFrame) -> Any:
        """Step blindly once; from then on return the same loss and change nothing."""
        self.loss = super().step(frame) if self.loss is None else self.loss
        return self.loss


class Unread(Wrapped):
    """A checkpoint is written and never read: the model goes on as it was built."""

    def load(self, path: Path) -> None:
        """Leave everything as it is."""


class OverRows(Wrapped):
    """Predictions are normalised over the rows that are asked for together, as by a softmax along the wrong axis."""

    def predict(self, frame: pd.DataFrame) -> Any:
        """Give each row a share of the whole; names of classes to the row that stands next."""
        scores = as_array(self.stepper.predict(frame))
        if scores.dtype.kind not in "fiub":
            return np.roll(scores, 1, axis=0)
        positive = scores.astype(np.float64) - scores.min(axis=0) + 1
        return positive / positive.sum(axis=0)


class Retyped(Wrapped):
    """A row that is asked for alone takes another way through the code, and its prediction comes as another type."""

    def predict(self, frame: pd.DataFrame) -> Any:
        """Give one row's prediction in half the precision, or as bytes where it is a text."""
        found = self.stepper.predict(frame)
        if len(frame) > 1:
            return found
        scores = as_array(found)
        if scores.dtype.kind in "US":
            return np.char.encode(scores, "utf-8") if scores.dtype.kind == "U" else np.char.decode(scores, "utf-8")
        return scores.astype(np.float64 if scores.dtype == np.float32 else np.float32)
