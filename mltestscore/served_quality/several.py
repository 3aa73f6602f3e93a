"""Bias and calibration of answers of any kind: of one answer a row, of each of several labels, of no order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mltestscore.finding import Finding
from mltestscore.served_quality import verdicts
from mltestscore.served_quality.scored import Scored
from mltestscore.served_quality.verdicts import Limits
from mltestscore.slices.declared import Slicing

Vector = npt.NDArray[np.float64]

MOST = verdicts.MOST_CLASSES
"""Labels that are judged one by one; the metric of a day counts them all."""


def biases(
    now: Scored,
    launch: Scored | None,
    scores: Vector,
    task: str,
    names: Sequence[object],
    slicings: Sequence[Slicing],
    limits: Limits,
) -> Iterator[Finding]:
    """Hold what is answered to what came true, over all rows and by slice; ``scores`` as for ``verdicts.by_slice``.

    ``launch`` tells for how long days stay alike. The scores of a ranking stand for no outcome and are held to none.
    """
    if task == "ranking":
        return
    if task == "multilabel":
        for place, name in enumerate(names[:MOST]):
            own = now.of_label(place)
            yield verdicts.bias(own, launch and launch.of_label(place), "binary", 1.0, limits, _label(name))
            for found in verdicts.by_slice(own, own.scores, "binary", slicings, limits):
                if found.name != verdicts.UNJUDGED:
                    yield replace(found, where=f"{found.where}, {_label(name)}")
                elif not place:  # as many rows are of rare values, whichever label is looked at
                    yield found
        return
    if task != "multiclass":
        yield verdicts.bias(now, launch, task, _scale(now), limits)
    yield from verdicts.by_slice(now, scores, task, slicings, limits)


def calibrations(now: Scored, launch: Scored, task: str, names: Sequence[object], limits: Limits) -> Iterator[Finding]:
    """Hold the growth of the calibration error since launch to its limit, label by label where there are several."""
    if task == "multilabel":
        for place, name in enumerate(names[:MOST]):
            both = now.of_label(place), launch.of_label(place)
            yield verdicts.calibrated(*both, "binary", 1.0, limits, _label(name))
    elif task != "ranking":
        yield verdicts.calibrated(now, launch, task, _scale(now), limits)


def _scale(now: Scored) -> float:
    return float(np.std(now.truth)) or 1.0


def _label(name: object) -> str:
    return f"label {name!s:.60}"
