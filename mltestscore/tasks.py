"""What a model's answers mean: a number or a probability a row, a probability a label, several answers, an order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from mltestscore.errors import NotOffered

Task = Literal["binary", "multiclass", "regression", "multilabel", "multioutput", "ranking"]

JUDGED_TOO = ("multilabel", "ranking")
"""Tasks beyond one answer a row of which model.4 to model.7 and monitor.7 know what a loss is."""

JUDGING = "model.4 to model.7 and monitor.7"
INSTEAD = {
    "multioutput": "gives several answers a row, and which of them is judged must be told: offer one of them by loader "
    'or a fixture "model", and score each in a run of its own; if they are probabilities of labels, declare task = '
    '"multilabel" under [tool.mltestscore.model]',
    "multilabel": f"gives a probability for each of several labels, which {JUDGING} judge: for other items offer one "
    'label by loader or a fixture "model", and score each in a run of its own',
    "ranking": f"orders the rows of a query, which {JUDGING} judge: for other items offer by loader what it serves in "
    "the end, such as the probability that a row is chosen",
}


def require_one_answer(task: str, name: str = "this model", also: Collection[str] = ()) -> None:
    """Raise :class:`NotOffered` for a task whose answers a check cannot judge; ``also``: those that it can.

    >>> require_one_answer("binary")
    >>> require_one_answer("ranking", also=("ranking", "multilabel"))
    """
    if task in INSTEAD and task not in also:
        raise NotOffered("a model with one answer a row", f"{name} {INSTEAD[task]}")
