"""Requests that no model can score, sent to the server: does it say so, or give every one the same default?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.serving.transports.base import NotReadyError
from mltestscore.tracing.rows import Rows

if TYPE_CHECKING:
    from mltestscore.inputs.endpoint import Endpoint
    from mltestscore.inputs.model import Model

MOST_FEATURES = 4
BASES = 3
NOT_A_NUMBER = "not a number"


@dataclass(frozen=True)
class Sent:
    """One way to break a request, sent for rows of different scores.

    Attributes:
        feature: what is broken.
        how: "left out", or the text in place of a number.
        answered: the score of each row; ``None`` where the request was refused.
        explained: whether the model would say so itself, or the answer gives a reason.
    """

    feature: str
    how: str
    answered: tuple[float | None, ...]
    explained: bool

    @property
    def default(self) -> float | None:
        """The one score that all rows got without a reason; ``None`` where one was refused or they differ."""
        found = [one for one in self.answered if one is not None]
        same = len(found) == len(self.answered) and max(found) - min(found) <= 1e-12
        return found[0] if same and not self.explained else None


def send(endpoint: Endpoint, model: Model, rows: Rows, reason: str, tolerance: float) -> list[Sent]:
    """Send broken copies of rows that the server scores differently; none where it is not ours, or knows no such rows.

    A server that falls silent is asked no further. Raises :class:`InputError` when it refuses the sound rows.
    """
    bases = _bases(model, rows)
    if bases is None or not endpoint.ours or model.task not in ("binary", "regression"):
        return []
    if len(np.unique(np.ravel(endpoint.predict(bases).scores))) < BASES:  # a server of classes tells too little apart
        return []
    sent = []
    for feature, how, broken in _broken(bases, leave_out=not endpoint.features):
        try:
            sent.append(_asked(endpoint, model, feature, how, broken, bases, reason, tolerance))
        except NotReadyError:
            break
    return sent


def defaults(sent: list[Sent]) -> list[Sent]:
    """Return what was answered with a default: the same score whichever of several features was broken.

    One feature alone tells nothing: the rows may differ in it only.
    """
    features: dict[float, set[str]] = {}
    for one in sent:
        if one.default is not None:
            features.setdefault(one.default, set()).add(one.feature)
    return [one for one in sent if one.default is not None and len(features[one.default]) > 1]


def _bases(model: Model, rows: Rows) -> pd.DataFrame | None:
    """Return complete rows with scores that differ; ``None`` where there are too few."""
    features = rows.features(model).reset_index(drop=True)
    whole = np.flatnonzero(features.notna().all(axis=1).to_numpy())
    _, first = np.unique(rows.scores[whole].round(6), return_index=True, axis=0)
    if len(first) < BASES or len(model.features) < 2:
        return None
    chosen = whole[first[np.linspace(0, len(first) - 1, BASES).round().astype(int)]]
    found: pd.DataFrame = features.iloc[chosen].reset_index(drop=True)
    return found


def _broken(bases: pd.DataFrame, leave_out: bool) -> Iterator[tuple[str, str, pd.DataFrame]]:
    numbers = [name for name in bases.columns if pd.api.types.is_numeric_dtype(bases[name].dtype)]
    for name in numbers[:MOST_FEATURES]:
        yield (
            name,
            f"{NOT_A_NUMBER!r} in place of a number",
            bases.astype({name: object}).assign(**{name: NOT_A_NUMBER}),
        )
    for name in (numbers or list(bases.columns))[:MOST_FEATURES] if leave_out else ():
        yield name, "left out", bases.drop(columns=name)


def _asked(
    endpoint: Endpoint,
    model: Model,
    feature: str,
    how: str,
    broken: pd.DataFrame,
    bases: pd.DataFrame,
    reason: str,
    tolerance: float,
) -> Sent:
    answered: list[float | None] = []
    explained = False
    for place in range(len(broken)):
        try:
            answer = endpoint.predict(broken.iloc[[place]])
        except NotReadyError:
            raise
        except InputError:
            answered.append(None)
            continue
        answered.append(float(np.ravel(answer.scores)[-1]))
        explained = explained or (bool(reason) and reason in answer.fields)
    if None not in answered:
        explained = explained or _model_says(model, feature, broken, bases, answered, tolerance)
    return Sent(feature, how, tuple(answered), explained)


def _model_says(
    model: Model,
    feature: str,
    broken: pd.DataFrame,
    bases: pd.DataFrame,
    answered: list[float | None],
    tolerance: float,
) -> bool:
    """Say whether the model gives these scores too, to the broken rows or to rows in which the feature is missing."""
    missing = bases.assign(**{feature: np.nan if pd.api.types.is_numeric_dtype(bases[feature].dtype) else None})
    for rows in (broken, missing):
        with suppress(Exception):  # it refuses what the server answered
            own = model.predict(rows)
            if np.allclose(own, np.array(answered, dtype=float), rtol=tolerance, atol=tolerance):
                return True
    return False
