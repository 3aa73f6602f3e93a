"""The back-test itself: all lessons of a plan taught in one process, and what its models answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.contest import encoded
from mltestscore.errors import InputError, OutOfTime
from mltestscore.inputs.trainer import Trainer
from mltestscore.staleness.plan import Plan
from mltestscore.staleness.rolling import LABELS_WRAPPER, LESSON, WRAPPER
from mltestscore.tasks import JUDGED_TOO

SEED = 20_130_104
HASH_SEED = 1

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """What the models of a plan say of its judged rows.

    Attributes:
        truth: shape (n,), class numbers from 0, values or grades; of several labels, shape (n, k) of 0 and 1.
        scores: shape (n, models) or (n, models, classes or labels), origin by origin, sibling by sibling.
        deaf: whether the newest model stays the same, bit by bit, when the labels of its newest rows change places.
        seconds: what all trainings took.
    """

    truth: npt.NDArray[Any]
    scores: Scores
    deaf: bool
    seconds: float = 0.0

    @property
    def finite(self) -> npt.NDArray[np.bool_]:
        """Shape (n,), rows with a finite score by every model."""
        return np.asarray(np.isfinite(self.scores.reshape(len(self.scores), -1)).all(axis=1))


@dataclass(frozen=True)
class Unfinished:
    """Why there are no answers: the trainings took longer than they may."""

    reason: str


def answers(
    plan: Plan, trainer: Trainer, task: str, classes: Sequence[object], *, known: Sequence[object], timeout: float
) -> Answers | Unfinished:
    """Train all models of the plan, in one process of their own, and let each score all judged rows.

    What was trained on the same rows for the same plan is recalled. ``known`` are the numbers, besides rows and
    trainer, that the plan came from. Raises :class:`InputError` as :meth:`Trainer.train` does, and for scores that are
    none of the task.
    """
    where = plan.rows.dataset
    key = (trainer.digest, str(trainer.folder), task, tuple(map(repr, classes)), plan.origins, *known)

    def ask(_: object) -> list[Answers]:
        return [_asked(plan, trainer, task, classes, timeout)]

    try:
        return where.recall("staleness", [key], ask)[0]
    except OutOfTime as late:
        return Unfinished(str(late))


def _asked(plan: Plan, trainer: Trainer, task: str, classes: Sequence[object], timeout: float) -> Answers:
    data = plan.rows.dataset
    label = data.roles.label
    lessons = [lesson for siblings in plan.lessons for lesson in siblings]
    rows, permuted = plan.forgetful(data.digest)
    frames = [
        plan.rows.frame.iloc[lesson].assign(**{LESSON: np.full(len(lesson), number)})
        for number, lesson in enumerate(lessons)
    ]
    changed: dict[str, Any] = {label: pd.Series(permuted, index=rows, dtype=plan.rows.labels.dtype)}
    frames.append(plan.rows.frame.iloc[rows].assign(**changed, **{LESSON: np.full(len(rows), len(lessons))}))
    judged = plan.rows.frame.iloc[plan.judged].reset_index(drop=True)
    trained = trainer.wrapped(LABELS_WRAPPER if task == "multilabel" else WRAPPER).train(
        data.replace(pd.concat(frames, ignore_index=True)),
        judged.drop(columns=label),
        seed=SEED,
        hash_seed=HASH_SEED,
        timeout=timeout,
    )
    scores = _shaped(trained.predictions, len(judged), len(lessons) + 1, task, len(classes), trainer.source)
    truth = encoded(judged[label], task, classes, data.name, JUDGED_TOO)
    newest = len(lessons) - len(plan.lessons[-1])
    deaf = bool(np.array_equal(scores[:, newest], scores[:, -1], equal_nan=True))
    return Answers(truth, scores[:, :-1], deaf, trained.seconds)


def _shaped(found: npt.NDArray[Any], rows: int, models: int, task: str, classes: int, source: str) -> Scores:
    several = task in ("multiclass", "multilabel")
    each = classes if several else 1
    if found.shape != (rows, models * each) or found.dtype.kind not in "fiub":
        wide = found.shape[1] / models if found.ndim == 2 else found.shape
        raise InputError(
            f"{source} returned estimators whose predictions have {wide} columns of type {found.dtype}; a {task} model "
            f"has {each}, of numbers. Are trainer and model of the same task?"
        )
    shape = (rows, models, each) if several else (rows, models)
    return np.asarray(found, dtype=np.float64).reshape(shape)
