"""The team's model: read from a file, made by a loader or handed over, and asked for scores in one shape a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import numpy.typing as npt

from mltestscore.errors import InputError, near
from mltestscore.inputs.answers import by_label, is_fitted, task_of
from mltestscore.inputs.batches import RowsAs, handed
from mltestscore.inputs.digests import of_pickle
from mltestscore.inputs.models.libraries import adapted
from mltestscore.inputs.models.native import NativeModel
from mltestscore.tasks import Task, require_one_answer

if TYPE_CHECKING:
    import pandas as pd

Predict = Callable[["pd.DataFrame"], object]
Scores = npt.NDArray[np.float64]

_TABLE = "[tool.mltestscore.model]"


@dataclass(frozen=True)
class Model:
    """A model that scores a frame of features.

    Attributes:
        name: for the reader.
        version: as declared; empty when unknown.
        task: what the scores mean, see :meth:`predict`.
        features: the columns that the model takes, in its order.
        classes: the classes in the order of the scores; the second is the positive one of a binary task; empty for
            regression and where the model does not say.
        estimator: the object itself.
        source: the file, loader or type that it came from.
        digest: of the file or of the pickled estimator; empty when neither exists.
        scorer: what :meth:`predict` calls; takes the features, in order.
        rows_as: what ``estimator`` takes in place of a table; see :func:`mltestscore.inputs.batches.handed`.
        forecast: whether it is declared to foretell: a regression that must beat the last value that was known.
    """

    name: str
    version: str
    task: Task
    features: tuple[str, ...]
    classes: tuple[object, ...]
    estimator: object
    source: str
    digest: str
    scorer: Predict
    rows_as: RowsAs = "table"
    forecast: bool = False

    def predict(self, frame: pd.DataFrame) -> Scores:
        """Return the scores of the rows of ``frame``, in order.

        Binary: the probability of the positive class, shape ``(n,)``; multiclass: probabilities, shape ``(n, k)``;
        regression: the predicted value, shape ``(n,)``. Column types are passed to the model as they are.

        Several labels: a probability each, shape ``(n, k)``; ranking: a number that orders rows, shape ``(n,)``.

        Raises :class:`InputError` when ``frame`` lacks a feature, or the model fails or returns another shape, and
        :class:`NotOffered` for a model of several answers of any kind.
        """
        require_one_answer(self.task, f"{self.name} ({self.source})", also=("multilabel", "ranking"))
        missing = [name for name in self.features if name not in frame.columns]
        if missing:
            raise InputError(
                f"{self.name} ({self.source}) asks for {len(missing)} feature(s) that the data do not have, first "
                f"{missing[0]!r}.{near(missing[0], frame.columns)} Offer the data that the model was trained for."
            )
        try:
            raw = self.scorer(frame[list(self.features)])
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{self.name} ({self.source}) could not score {len(frame)} rows: {type(error).__name__}: {error}"
            ) from error
        return self._checked(raw, len(frame))

    def close(self) -> None:
        """End what was started for the model: a process of another Python."""
        if isinstance(self.estimator, NativeModel):
            self.estimator.close()

    def replace(self, predict: Callable[[pd.DataFrame], npt.NDArray[Any]]) -> Model:
        """Return this model with another scoring function: how a fault is planted in a model."""
        return replace(self, scorer=predict, digest="")

    def _checked(self, raw: object, rows: int) -> Scores:
        try:
            scores = np.asarray(by_label(raw) if self.task == "multilabel" else raw, dtype=np.float64)
        except (TypeError, ValueError):
            found = f"{type(raw).__name__} that is not numeric"
            raise InputError(f"{self.name} ({self.source}) returned a {found}; expected {self._shape(rows)}.") from None
        columns = len(self.classes) or (scores.shape[1] if scores.ndim == 2 else 2)
        if scores.shape != ((rows, columns) if self.task in ("multiclass", "multilabel") else (rows,)):
            raise InputError(
                f"{self.name} ({self.source}) returned scores of shape {scores.shape} for {rows} rows; "
                f"a {self.task} model gives {self._shape(rows)}."
            )
        return scores

    def _shape(self, rows: int) -> str:
        return {
            "binary": f"one probability of the positive class a row, shape ({rows},)",
            "multiclass": f"one probability a class and row, shape ({rows}, {len(self.classes) or 'classes'})",
            "multilabel": f"one probability a label and row, shape ({rows}, labels)",
            "ranking": f"one number a row, shape ({rows},)",
            "regression": f"one number a row, shape ({rows},)",
        }[self.task]


def load_model(path: Path, *, base: Path = Path(), **how: Any) -> Model:
    """Load a model from ``base / path``: skops, another library's file, joblib/pickle if allowed, or by a loader.

    ``how`` are attributes of :class:`mltestscore.inputs.origin.Origin` by name; see there, for what it raises too.
    """
    from mltestscore.inputs.origin import Origin

    return Origin(path, base, **how).load()


def as_model(
    thing: object, *, name: str = "model", task: str = "", features: Sequence[str] = (), rows_as: RowsAs = "table"
) -> Model:
    """Make a :class:`Model` of a fitted estimator, another library's object, or a function from a frame to scores.

    Raises :class:`InputError` when it is neither, or does not tell its features or task and neither is declared.
    """
    if isinstance(thing, Model):
        return thing
    speaking = thing if isinstance(thing, type) else adapted(thing)
    if isinstance(thing, type) or not (hasattr(speaking, "predict") or callable(thing)):
        found = f"the class {thing.__name__}" if isinstance(thing, type) else f"a {type(thing).__name__}"
        raise InputError(f"{name} is {found}; expected a fitted estimator or a function that scores a frame.")
    if not is_fitted(speaking):
        raise InputError(f"{name} ({type(thing).__name__}) is not fitted; offer it as it was after training.")
    if isinstance(speaking, NativeModel) and rows_as != "table" and not speaking.any_form:
        raise InputError(f'{name} is read from its library\'s file, which takes a table: remove rows_as = "{rows_as}".')
    classes = _classes(speaking)
    decided = _task(speaking, name, "regression" if task == "forecast" else task, classes)
    return Model(
        name=name,
        version=speaking.version if isinstance(speaking, NativeModel) else "",
        task=decided,
        features=_features(speaking, name, features),
        classes=() if decided in ("multilabel", "multioutput") else classes,
        forecast=task == "forecast",
        estimator=thing,
        source=f"{type(thing).__module__}.{type(thing).__qualname__}",
        digest="" if isinstance(thing, NativeModel) else of_pickle(thing),
        scorer=handed(rows_as, _scorer(speaking, name, decided)),
        rows_as=rows_as,
    )


def own_features(thing: object) -> tuple[str, ...]:
    """Return the feature names that a fitted model knows itself, or its first step if it is a pipeline."""
    thing = adapted(thing)
    for attribute in ("feature_names_in_", "feature_names_", "feature_name_"):
        names = getattr(thing, attribute, None)
        if names is not None:
            return tuple(map(str, names))
    steps = getattr(thing, "steps", None)
    return own_features(steps[0][1]) if steps else ()


def _features(thing: object, name: str, declared: Sequence[str]) -> tuple[str, ...]:
    own = own_features(thing)
    if own and declared and set(own) != set(declared):
        odd = sorted(set(own) ^ set(declared))
        raise InputError(
            f"{name} was trained on other features than {_TABLE} features declares, first {odd[0]!r}. "
            "Remove the key: the model's own list is used."
        )
    names = own or tuple(declared)
    count = getattr(thing, "n_features_in_", None)
    if not names:
        known = f" It was trained on {count} columns." if count else ""
        raise InputError(f"{name} does not name its features; declare features = […] under {_TABLE}.{known}")
    if not own and isinstance(count, int) and count != len(names):
        raise InputError(f"{name} was trained on {count} columns, but {_TABLE} features declares {len(names)}.")
    return names


def _classes(thing: object) -> tuple[object, ...]:
    classes = getattr(thing, "classes_", None)
    return () if classes is None else tuple(np.asarray(classes).tolist())


def _task(thing: object, name: str, declared: str, classes: tuple[object, ...]) -> Task:
    known = get_args(Task)
    if declared and declared not in known:
        raise InputError(f"{_TABLE} task is {declared!r}.{near(declared, known)}")
    found = task_of(thing, classes)
    if declared == "multilabel" and found == "multioutput":
        return "multilabel"
    if declared and found and declared != found:
        raise InputError(f"{name} is a {found} model, but {_TABLE} task declares {declared!r}. Remove the key.")
    if not declared and not found:
        raise InputError(f"{name} does not tell its task; declare task = one of {', '.join(known)} under {_TABLE}.")
    return cast(Task, found or declared)


def _scorer(thing: Any, name: str, task: Task) -> Predict:
    if isinstance(thing, NativeModel):
        return lambda frame: thing.score(frame, task)
    if not hasattr(thing, "predict"):
        return cast(Predict, thing)
    if task in ("regression", "ranking"):
        return cast(Predict, thing.predict)
    if hasattr(thing, "predict_proba"):
        return (lambda frame: thing.predict_proba(frame)[:, 1]) if task == "binary" else thing.predict_proba
    if hasattr(thing, "classes_"):
        raise InputError(
            f"{name} ({type(thing).__name__}) gives classes but no probabilities; train it with predict_proba, "
            "for example inside sklearn.calibration.CalibratedClassifierCV."
        )
    return cast(Predict, thing.predict)
