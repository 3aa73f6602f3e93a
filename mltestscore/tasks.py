"""What a model's answers mean: a number or a probability a row, several answers a row, or an order of rows."""

from __future__ import annotations

from typing import Literal

from mltestscore.errors import NotOffered

Task = Literal["binary", "multiclass", "regression", "multioutput", "ranking"]

INSTEAD = {
    "multioutput": "gives several answers a row, and which of them is judged must be told: offer one of them by loader "
    'or a fixture "model", and score each in a run of its own',
    "ranking": "orders the rows of a query, and no check here judges an order: offer by loader what it serves in the "
    "end, such as the probability that a row is chosen",
}


def require_one_answer(task: str, name: str = "this model") -> None:
    """Raise :class:`NotOffered` for a task whose answers no check can judge; what it needs of features stays known.

    >>> require_one_answer("binary")
    """
    if task in INSTEAD:
        raise NotOffered("a model with one answer a row", f"{name} {INSTEAD[task]}")
