"""What the previous version must answer: as it was kept, as a server of it alone says, or as its model scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.rollback import Rollback
from mltestscore.rollback.registries import TABLE
from mltestscore.rollback.staging import opened
from mltestscore.serving.protocols import Columns

Expected = Callable[[str, str], np.ndarray | None]
"""From the previous version and the place of the registry to its answers, shape (rows, …), or ``None``."""


@dataclass(frozen=True)
class Questions:
    """The rows that are asked, as columns, and who knows what the previous version answers to them."""

    columns: Columns
    expected: Expected
    known_from: str


def questions(rollback: Rollback, offered: Dataset | None, previous: Model | None, rows: int) -> Questions | None:
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
    wanted = [*names, rollback.score] if kept else [*dict.fromkeys([*names, *_more(previous, data)])]
    frame = data.sample(rows).frame(columns=wanted)
    columns = {name: frame[name].tolist() for name in names}
    if kept:
        answers = frame[rollback.score].to_numpy(dtype=float, na_value=np.nan)
        if not np.isfinite(answers).all():
            raise InputError(f"{TABLE} answers: {rollback.score!r:.80} is missing in some rows; leave these rows out.")
        return Questions(columns, lambda *_: answers, "answers that were kept")
    if rollback.serving.reference_command:
        own = "a server of that version alone"
        return Questions(columns, lambda version, place: _of_server(rollback, version, place, columns), own)
    if previous is None:
        return Questions(columns, lambda *_: None, "")
    return Questions(columns, lambda version, _: _of_model(previous, version, frame), "its model")


def expected_answers(rollback: Rollback, expected: Expected, version: str, place: str) -> np.ndarray | None:
    """Return what ``version`` must answer; ``None`` where that is not known."""
    found = expected(version, place)
    return None if found is None else np.asarray(found, dtype=float)


def _more(model: Model | None, data: Dataset) -> list[str]:
    """Return what the model takes beyond what is sent, where the data have it."""
    return [name for name in (model.features if model else ()) if name in data.columns]


def _of_model(model: Model, version: str, frame: pd.DataFrame) -> np.ndarray | None:
    """Return the model's scores, unless it is known to be of another version."""
    return None if model.version and model.version != version else model.predict(frame)


def _of_server(rollback: Rollback, version: str, place: str, columns: Columns) -> np.ndarray:
    from dataclasses import replace

    serving = replace(rollback.serving, command=rollback.serving.reference_command, url="", restart=False)
    with opened(serving, rollback.folder, place, version) as server:
        return server.wait_until_ready(columns).scores
