"""What the log of served scores says of a model's numbers."""

from __future__ import annotations

from mltestscore.declare import Observations
from mltestscore.finding import at_least, at_most
from mltestscore.inputs.dataset import Dataset
from mltestscore.numerics.names import DISTINCT, LOG, NOT_FINITE, OUTSIDE
from mltestscore.numerics.probe_scores import served_scores

FEW = 100  # rows that may well have the same score


def logged(task: str, serving: Dataset) -> Observations:
    """Yield the findings of logged scores; nothing where the log holds none."""
    served = served_scores(serving)
    if not served:
        return
    yield at_most(NOT_FINITE, served.not_finite, 0, where=LOG, n=served.rows)
    if task == "binary":
        yield at_most(OUTSIDE, served.outside, 0, where=LOG, n=served.rows)
    if served.rows >= FEW:
        yield at_least(DISTINCT, served.distinct, 2, where=LOG, n=served.rows)
