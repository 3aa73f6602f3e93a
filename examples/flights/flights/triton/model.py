"""What Triton's Python backend runs for each version: the model of the registry, behind the same scorer as in Flask."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as utils

from flights import registry, spec
from flights.scorer import scoring
from flights.switches import broken
from flights.triton import number

STALL_SECONDS, STALL_EVERY = 0.15, 5  # as in flights.app, only under FLIGHTS_BREAK=monitor.6


class TritonPythonModel:
    """One version, in a process of its own."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the version's file, which lies beside this one."""
        folder = Path(args["model_repository"])
        self._scores = scoring(registry.load(folder, args["model_version"]))
        self._stalls = broken("monitor.6") and int(args["model_version"]) == number(spec.CURRENT)
        self._calls = 0

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Score the rows of all requests at once, and give each request its own."""
        parts = [_columns(request) for request in requests]
        scores = self._scores({name: np.concatenate([part[name] for part in parts]) for name in spec.FEATURES})
        ends = np.cumsum([len(part[spec.FEATURES[0]]) for part in parts])[:-1]
        for _ in requests:
            self._calls += 1
            if self._stalls and self._calls % STALL_EVERY == 0:
                time.sleep(STALL_SECONDS)
        return [
            utils.InferenceResponse([utils.Tensor("score", own.reshape(-1, 1))])
            for own in np.split(np.array(scores, dtype=np.float64), ends)
        ]


def _columns(request: Any) -> dict[str, np.ndarray]:
    """Return the model's inputs by column, shape (rows,) each."""
    found = {name: utils.get_input_tensor_by_name(request, name).as_numpy().reshape(-1) for name in spec.FEATURES}
    return found | {name: np.array([text.decode() for text in found[name]], dtype=object) for name in spec.CATEGORICAL}
