"""The requests that both versions answer: rows drawn from the serving log, with what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.comparison.keys import key_of
from mltestscore.errors import InputError
from mltestscore.inputs.canary import Canary
from mltestscore.inputs.dataset import Dataset, Roles
from mltestscore.inputs.sources import Content
from mltestscore.served_quality.labels import AT, LABEL, joined
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.seeds import generator, seed_of


@dataclass(frozen=True)
class Requests:
    """Rows of the log, in an order drawn at random, so that errors of one hour do not come together.

    Attributes:
        frame: shape (n, features), what the served model is sent.
        own: likewise the candidate, which may take other columns of the log.
        label: shape (n,), what came of it, missing where that is not known; ``None`` where no labels are offered.
        logged: shape (n,), the scores that the log holds, or ``None``.
        clusters: shape (n,), rows that belong together, or ``None``.
    """

    frame: pd.DataFrame
    own: pd.DataFrame
    label: pd.Series[Any] | None = None
    logged: npt.NDArray[np.float64] | None = None
    clusters: npt.NDArray[np.intp] | None = None

    @cached_property
    def digest(self) -> str:
        """What the rows are, to remember their answers by."""
        texts = [f"{frame.dtypes.to_dict()} {frame.to_csv(index=False)}" for frame in (self.frame, self.own)]
        return str(seed_of("requests", *texts))

    def __len__(self) -> int:
        return len(self.frame)


def drawn(canary: Canary, serving: Dataset, outcomes: Dataset | None, clock: datetime | None, most: int) -> Requests:
    """Return at most ``most`` requests of the log, with labels where ``outcomes`` knows them by key; remembered.

    Raises :class:`InputError` for a column to send that the log has not.
    """
    key = ("requests", id(serving), id(outcomes), most)
    return canary.recall(key, lambda: _drawn(serving, outcomes, clock, canary.features, most))


def _drawn(
    serving: Dataset, outcomes: Dataset | None, clock: datetime | None, features: Sequence[str], most: int
) -> Requests:
    roles = serving.roles
    sent, own = list(serving.features), list(features or serving.features)
    serving.require(*own)
    kept = list(dict.fromkeys([*sent, *own, *filter(None, (roles.score, roles.cluster))]))
    sample = serving.sample(most)
    rows = _labelled(sample, outcomes, clock, kept) if outcomes is not None else None
    label = None
    if rows is None:
        rows = sample.frame(kept)
    order = generator("canary", serving.name).permutation(len(rows))
    rows = rows.iloc[order].reset_index(drop=True)
    if LABEL in rows:
        label = rows[LABEL]
    logged = None
    if roles.score:
        logged = pd.to_numeric(rows[roles.score], errors="coerce").to_numpy(dtype=np.float64)
        logged = None if np.isnan(logged).all() else logged
    clusters = codes_of(rows[roles.cluster].to_numpy()) if roles.cluster else None
    return Requests(rows[sent], rows[own], label, logged, clusters)


def _labelled(
    sample: Dataset, outcomes: Dataset, clock: datetime | None, columns: Sequence[str]
) -> pd.DataFrame | None:
    """Return the rows with their labels, those too young for one without; ``None`` where labels cannot be joined."""
    if not (outcomes.roles.label and sample.roles.score and key_of(sample, outcomes)[0]):
        return None
    try:
        late = joined(sample, outcomes, clock, None)
    except InputError:  # no key meets: monitor.7 says so of the whole log; here, few rows may just be too young
        return None
    times = [AT] if AT in late.table.columns else []
    wanted = list(dict.fromkeys([*columns, LABEL, *times]))
    table = late.table.order_by(list(late.names)).select(wanted)
    rows = Dataset("serving", Content("the serving log with its labels", table=table), Roles()).frame()
    if late.until is not None and times:
        rows[LABEL] = rows[LABEL].where(rows[AT] <= late.until)
    return rows
