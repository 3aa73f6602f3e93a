"""What the previous version must answer: as it was kept, as a server of it alone says, or as its model scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.rollback import Rollback
from mltestscore.rollback.registries import TABLE
from mltestscore.rollback.staging import opened
from mltestscore.serving.protocols import Columns

UNKNOWN = "offer previous_model, or write answers or reference_command"

Expected = Callable[[str, Sequence[str], str], np.ndarray | None]
"""From a version, all versions and the place of the registry to its answers, shape (rows, …), or ``None``."""


@dataclass(frozen=True)
class Questions:
    """The rows that are asked, as columns, and who knows what the versions answer to them.

    Attributes:
        columns: the rows.
        old: what the previous version must answer.
        new: what the one in service must, if that is known in the same way: where the server answers otherwise before
            anything is changed, ``old`` is not what it would answer either.
        known_from: the source of both, for the reader.
    """

    columns: Columns
    old: Expected
    new: Expected
    known_from: str


def questions(
    rollback: Rollback, offered: Dataset | None, model: Model | None, previous: Model | None, rows: int
) -> Questions | None:
    """Return what is asked; ``None`` where no rows are offered.

    What the previous version answers is taken from ``answers``, where they were kept, else from a server of it
    (``reference_command``), else from its model.

    Raises :class:`InputError` for rows without a column that is to be sent.
    """
    data = rollback.answers or rollback.rows or offered
    if data is None or not data.rows:
        return None
    kept = rollback.answers is not None
    names = rollback.features or tuple(name for name in data.features if not (kept and name == rollback.score))
    data.require(*names)
    more = (rollback.score,) if kept else (*_more(model, data), *_more(previous, data))
    frame = data.sample(rows).frame(columns=list(dict.fromkeys([*names, *more])))
    columns = {name: frame[name].tolist() for name in names}
    if kept:
        answers = frame[rollback.score].to_numpy(dtype=float, na_value=np.nan)
        if not np.isfinite(answers).all():
            raise InputError(f"{TABLE} answers: {rollback.score!r:.80} is missing in some rows; leave these rows out.")
        return Questions(columns, lambda *_: answers, _nobody, "answers that were kept")
    if rollback.serving.reference_command:
        own = "a server of that version alone"
        return Questions(columns, lambda version, _, place: _served(rollback, version, place, columns), _nobody, own)
    return Questions(columns, _scored(previous, frame), _scored(model, frame), "its model" if previous else "")


def _nobody(version: str, versions: Sequence[str], place: str) -> None:
    """Know nothing."""


def _scored(model: Model | None, frame: pd.DataFrame) -> Expected:
    """Return what asks a model, unless the registry knows its version as another one."""

    def scores(version: str, versions: Sequence[str], _: str) -> np.ndarray | None:
        other = model is not None and model.version != version and model.version in versions
        return None if model is None or other else model.predict(frame)

    return scores


def _served(rollback: Rollback, version: str, place: str, columns: Columns) -> np.ndarray:
    serving = replace(rollback.serving, command=rollback.serving.reference_command, url="", restart=False)
    with opened(serving, rollback.folder, place, version) as server:
        return server.wait_until_ready(columns).scores


def _more(model: Model | None, data: Dataset) -> list[str]:
    """Return what the model takes beyond what is sent, where the data have it."""
    return [name for name in (model.features if model else ()) if name in data.columns]
