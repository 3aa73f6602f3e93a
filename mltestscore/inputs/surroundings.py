"""What differs between two trainings that must not: hash seed, order of folders, number of threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


@dataclass(frozen=True)
class Surroundings:
    """Where a training runs.

    Attributes:
        hash_seed: ``PYTHONHASHSEED``, 0 to 4294967295.
        backwards: whether Python lists folders in the reverse order of their names, not in that order.
        threads: for how many threads libraries are asked by variables; 0: as the environment has it. A variable that
            is set already stays: whoever set it has fixed what we would vary.
    """

    hash_seed: int = 1
    backwards: bool = False
    threads: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the process."""
        threads = dict.fromkeys(THREADS, str(self.threads)) if self.threads else {}
        # Two trainings share the cores: threads that wait should sleep, not spin.
        return {"OMP_WAIT_POLICY": "PASSIVE", **threads, **os.environ, "PYTHONHASHSEED": str(self.hash_seed)}

    @property
    def said(self) -> str:
        """How many threads there are, for the reader."""
        fixed = [f"{name}={os.environ[name]}" for name in THREADS[:1] if name in os.environ]
        return fixed[0] if fixed else str(self.threads or "as they come")


ONE = Surroundings(1, backwards=False, threads=1)
OTHER = Surroundings(2, backwards=True, threads=0 if (os.cpu_count() or 1) > 1 else 2)
