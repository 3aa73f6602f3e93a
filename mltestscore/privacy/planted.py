"""What the faults of ``data.5`` plant: invented people, a forgotten subject, a model that remembers its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy
import pandas as pd

from mltestscore.contest import classes_of, encoded
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.deletions import Deletion, Deletions
from mltestscore.inputs.model import Model
from mltestscore.inputs.stores import Store

COLUMN = "remarks"
SUBJECT = "forgotten-subject-7c1e"  # nobody's identifier, and distinctive
MANY = 20
SURE = 0.999


def addresses() -> list[str]:
    """Return invented e-mail addresses."""
    return [f"kim.tester{number}@posteo.de" for number in range(MANY)]


def cards() -> list[str]:
    """Return invented card numbers with the right check digit."""
    from mltestscore.privacy.kinds import luhn

    heads = (f"4539{number:011d}" for number in range(31_415_926, 31_415_926 + MANY))
    return [next(head + str(digit) for digit in range(10) if luhn(head + str(digit))) for head in heads]


def remarked(dataset: Dataset, texts: Sequence[str]) -> Dataset:
    """Return the dataset with texts among the rows of a column of remarks."""
    return dataset.replace(_with(dataset.frame(), COLUMN, [f"asked by {text} to call back" for text in texts]))


def haunted(dataset: Dataset, identifier: str) -> Dataset:
    """Return the dataset with one row of the planted subject."""
    return dataset.replace(_with(dataset.frame(), identifier, [SUBJECT]))


def haunted_store(store: Store, identifier: str) -> Store:
    """Return the store with a row of the planted subject in every table."""
    return replace(store, tables={name: haunted(table, identifier) for name, table in store.tables.items()})


def forgotten(deletions: Deletions, asked: datetime, *, learned: bool = False) -> Deletions:
    """Return the ledger with the planted subject, whose deletion was due when it was asked for."""
    values = {name: (SUBJECT,) if name == deletions.identifiers[0] else () for name in deletions.identifiers}
    return deletions.plus(Deletion(SUBJECT, values, asked, deadline=asked, learned=learned))


def hoarding(model: Model, texts: Sequence[str]) -> Model:
    """Return the model with texts among its attributes, as an encoder that learned a column of names has them."""
    return replace(model, estimator={"model": model.estimator, "categories_": list(texts)}, digest="")


def remembering(model: Model, training: Dataset) -> Model:
    """Return a model that knows the label of every row of ``training`` by heart."""
    frame = training.frame([*model.features, training.roles.label])
    frame = frame[frame[training.roles.label].notna()]
    labels = frame[training.roles.label]
    y = encoded(labels, model.task, classes_of(model.classes, labels), training.name)
    known = dict(zip(_marks(frame, model).tolist(), y.tolist(), strict=True))

    def predict(rows: pd.DataFrame) -> Any:
        scores = numpy.array(model.predict(rows))
        for at, mark in enumerate(_marks(rows, model).tolist()):
            if mark in known:
                scores[at] = _sure(known[mark], scores[at], model.task)
        return scores

    return model.replace(predict)


def _sure(y: Any, score: Any, task: str) -> Any:
    if task == "regression":
        return y
    if task == "binary":
        return SURE if y else 1 - SURE
    row = numpy.full(len(score), (1 - SURE) / (len(score) - 1))
    row[int(y)] = SURE
    return row


def _marks(frame: pd.DataFrame, model: Model) -> Any:
    return pd.util.hash_pandas_object(frame[list(model.features)], index=False).to_numpy()


def _with(frame: pd.DataFrame, column: str, texts: Sequence[str]) -> pd.DataFrame:
    """Return the frame with texts in its first rows of a column, which is new where it is not there."""
    if len(frame) < len(texts):
        extra = pd.DataFrame({column: list(texts)})
        return pd.concat([frame.astype(object), extra], ignore_index=True) if len(frame.columns) else extra
    before = frame[column].astype(object).tolist() if column in frame.columns else [None] * len(frame)
    return frame.assign(**{column: pd.Series([*texts, *before[len(texts) :]], index=frame.index, dtype=object)})
