"""The same model as a program would call it that has it as a library: ``python:flights.library:Current``.

It takes the features themselves; the program looks them up with ``flights.features_online``.
"""

from __future__ import annotations

import os

import numpy as np

from flights import registry, spec
from flights.scorer import scoring


class Version:
    """One version of a registry in the build folder."""

    def __init__(self, version: str, models: str) -> None:
        # One row is no work for several cores: their threads would only wait for each other.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self.version = version
        self._scores_of = scoring(registry.load(spec.HOME / os.environ.get("FLIGHTS_BUILD", "build") / models, version))

    def predict(self, rows: list[dict[str, object]]) -> list[float]:
        """Return how likely each flight is to be late."""
        return self._scores_of({name: _column(name, [row[name] for row in rows]) for name in spec.FEATURES})


class Current(Version):
    """The version that is served."""

    def __init__(self) -> None:
        super().__init__(spec.CURRENT, "registry")


class Previous(Version):
    """The version that was served before."""

    def __init__(self) -> None:
        super().__init__(spec.PREVIOUS, "registry")


class Candidate(Version):
    """The version that may be served next."""

    def __init__(self) -> None:
        super().__init__(spec.CANDIDATE, "candidates")


def _column(name: str, values: list[object]) -> np.ndarray:
    return np.array(values, dtype=object if name in spec.CATEGORICAL else float)
