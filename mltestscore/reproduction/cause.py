"""Why two trainings differ: what was different about them is put back, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mltestscore.inputs.surroundings import Surroundings
from mltestscore.inputs.training_difference import Difference, compare

if TYPE_CHECKING:
    from mltestscore.inputs.trainer import Trained

LOST = "randomness that the seed does not reach: even with equal PYTHONHASHSEED, folder order and threads models differ"
ORDER = "order dependence: with equal PYTHONHASHSEED and folder order the models agree, so an order of these gets in"
THREADS = (
    "thread count: with one thread and with several, all else equal, the models differ; fix the number in the "
    "training, or declare a tolerance for the order in which threads add"
)
LAST_DIGITS = 1e-9  # of the largest prediction: sums of a million addends in double precision differ by less
BOTH = (
    "order dependence and thread count: equal hash seed, folder order and threads make the models agree, one alone not"
)


@dataclass(frozen=True)
class Cause:
    """Why they differ, and whether the number of threads is all of it."""

    text: str = ""
    threads_alone: bool = False


def cause_of(
    train: Callable[[Surroundings], Trained],
    one: tuple[Surroundings, Trained],
    other: Surroundings,
    within: Callable[[Difference], bool],
) -> Cause:
    """Return why the trainings in two surroundings differ.

    Args:
        train: trains anew, whatever was trained before.
        one: the first surroundings, and what came of training in them.
        other: the second ones.
        within: whether a difference is none.
    """
    where, first = one

    def agrees(surroundings: Surroundings) -> bool:
        return within(compare(first, train(surroundings)))

    if not agrees(where):
        return Cause(LOST)
    if other.said == where.said or agrees(replace(where, threads=other.threads)):
        return Cause(ORDER)
    return Cause(THREADS, True) if agrees(replace(other, threads=where.threads)) else Cause(BOTH)


def rounding(trained: Trained) -> float:
    """Return how much the order of additions may change predictions, as they are large: 1e-9 of the largest."""
    scores = trained.predictions
    if scores.dtype.kind not in "fiu" or not np.isfinite(scores).any():
        return 0.0
    return LAST_DIGITS * float(np.abs(scores[np.isfinite(scores)]).max())
