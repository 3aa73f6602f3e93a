"""The model tree by tree: how ``infra.2`` tries its specification in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from skops import io as skops

from flights import spec
from flights.registry import TRUSTED
from flights.switches import broken
from flights.train import specified


class Stepper:
    """Our trees, grown one a step with the settings of the release; the encoder learns its codes anew each time."""

    def __init__(self, seed: int) -> None:
        self.pipeline: Pipeline = specified(seed, {"max_iter": 0, "warm_start": True})

    def step(self, frame: pd.DataFrame) -> float:
        """Grow another tree and return the log loss on the same rows."""
        trees = self.pipeline.named_steps["trees"]
        trees.set_params(max_iter=trees.max_iter + 1)
        self.pipeline.fit(frame[list(spec.FEATURES)], frame[spec.LABEL])
        return float(log_loss(frame[spec.LABEL], self.predict(frame), labels=trees.classes_))

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the chances to be late."""
        return self.pipeline.predict_proba(frame[list(spec.FEATURES)])[:, 1]

    def save(self, path: Path) -> None:
        """Write encoder and trees as the registry holds them."""
        if broken("infra.2"):  # pragma: no cover - only under the switch
            skops.dump(clone(self.pipeline), path)
            return
        skops.dump(self.pipeline, path)

    def load(self, path: Path) -> None:
        """Take them up again; nothing that we do not know is executed."""
        self.pipeline = skops.load(path, trusted=TRUSTED)
