"""When models are trained and judged: origins a fixed step apart, lessons before each, a block after each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.stats.seeds import generator

STEPS = 2  # in which a model reaches the age in question
MOST_BLOCKS, LEAST_BLOCKS = 3, 2  # on which a model of that age is judged
SIBLINGS = 4  # models of one origin, each trained without another quarter of its rows: they differ by luck
MORE = 1.2  # rows than it takes on average: shares vary by chance
DAY = 86_400 * 10**9

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Timed:
    """Labelled rows with a time.

    Attributes:
        frame: shape (n, …), all columns of the dataset.
        times: shape (n,), nanoseconds since 1970, UTC.
        dataset: what they were taken from, with no more rows than were asked for.
    """

    frame: pd.DataFrame
    times: npt.NDArray[np.int64]
    dataset: Dataset

    @property
    def labels(self) -> pd.Series[Any]:
        """Shape (n,)."""
        return self.frame[self.dataset.roles.label]

    @cached_property
    def days(self) -> float:
        """From the first row to the last."""
        return float(self.times.max() - self.times.min()) / DAY if len(self.times) else 0.0


def timed(dataset: Dataset, rows: int) -> Timed:
    """Return at most ``rows`` rows, of which those with a label and a time are kept.

    Raises :class:`NotOffered` where no column of labels or times is declared, :class:`InputError` for times that are
    none.
    """
    for role in ("label", "time"):
        if not getattr(dataset.roles, role):
            table = f"[tool.mltestscore.data.{dataset.name}]"
            raise NotOffered(f"the {role} column of {dataset.name}", f"name it with {role} = … under {table}")
    dataset = dataset.sample(rows)
    frame = dataset.frame()
    column = frame[dataset.roles.time]
    where = f"{dataset.name} ({dataset.source}), column {dataset.roles.time!r}, its time"
    if pd.api.types.is_numeric_dtype(column):
        raise InputError(f"{where}, holds numbers such as {column.iloc[0]}; make them dates or times.")
    try:
        times = pd.to_datetime(column, utc=True).astype("datetime64[ns, UTC]")
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}, holds what is no time: {error!s:.200}. Make all of them dates or times.") from None
    known = (times.notna() & frame[dataset.roles.label].notna()).to_numpy()
    kept = times[known].dt.tz_localize(None).to_numpy(dtype="datetime64[ns]").astype(np.int64)
    return Timed(frame[known].reset_index(drop=True), kept, dataset)


@dataclass(frozen=True)
class Plan:
    """Origins and what is learned before each.

    Attributes:
        rows: what is learned from and judged on.
        origins: nanoseconds since 1970, oldest first, one step apart; the last block ends with the last row.
        step: nanoseconds.
        lessons: of each origin, one for each sibling: the places of their rows, all of one length.
        judged: the places of the rows after the second origin; no model of an age is judged before.
    """

    rows: Timed
    origins: tuple[int, ...]
    step: int
    lessons: tuple[tuple[Places, ...], ...]
    judged: Places

    @cached_property
    def block(self) -> Places:
        """Shape of ``judged``: the number of the newest origin before each row."""
        times = self.rows.times[self.judged]
        return np.asarray(np.searchsorted(np.asarray(self.origins), times, side="right") - 1, dtype=np.intp)

    @property
    def age(self) -> float:
        """The age in question, in days."""
        return STEPS * self.step / DAY

    def forgetful(self, seed: str) -> tuple[Places, npt.NDArray[Any]]:
        """Return the newest lesson, and labels for it in which those of the newest rows have changed places.

        The newest rows are what a fresh model knows and one of the age in question does not.
        """
        lesson = self.lessons[-1][0]
        labels = self.rows.labels.iloc[lesson].to_numpy(copy=True)
        newest = np.flatnonzero(self.rows.times[lesson] >= self.origins[-1 - STEPS])
        labels[newest] = labels[generator("forgetful", seed).permutation(newest)]
        return lesson, labels

    def lacking(self, classes: Sequence[object]) -> str:
        """Say what keeps the plan from being judged, or nothing: a class without a row, or labels all alike."""
        labels = self.rows.labels
        for lesson in (lesson for siblings in self.lessons for lesson in siblings):
            seen = set(labels.iloc[lesson].unique().tolist())
            missing = [one for one in classes if one not in seen]
            if missing:
                return (
                    f"the {len(lesson):,} rows of a training hold none of the class {missing[0]!r:.80}; raise max_rows"
                )
        different = labels.iloc[self.judged].nunique()
        return "" if different > 1 else "the labels of the judged rows do not vary, so that no model stands out"


@dataclass(frozen=True)
class TooShort:
    """Why there is no plan, and the number of rows that would do (``None`` if the rows must reach further back)."""

    reason: str
    rows_wanted: int | None = None


def plan(rows: Timed, days: float, *, most: int, least: int) -> Plan | TooShort:
    """Lay out as many blocks as the rows allow, three or two.

    Args:
        rows: labelled rows with times.
        days: the age in question.
        most: rows of one lesson.
        least: likewise, the fewest; and of those judged at the age in question.
    """
    step = round(days * DAY / STEPS)
    needed = (LEAST_BLOCKS + STEPS + 1) * step / DAY
    if rows.days < needed:
        return TooShort(
            f"labelled rows reach over {rows.days:.4g} days; to judge an age of {days:g} days they must over {needed:g}"
        )
    end = int(rows.times.max()) + 1
    order = generator("staleness", rows.dataset.digest).permutation(len(rows.times))
    before = aged = 0
    for blocks in range(MOST_BLOCKS, LEAST_BLOCKS - 1, -1):
        origins = [end - step * number for number in range(blocks + STEPS, 0, -1)]
        before = (SIBLINGS - 1) * min(len(part) for part in _parts(rows.times < origins[0], order))
        aged = int((rows.times >= origins[STEPS]).sum())
        if origins[0] - int(rows.times.min()) >= step and min(before, aged) >= least:
            size = min(most, before) // (SIBLINGS - 1)
            lessons = tuple(_siblings(_parts(rows.times < origin, order), size) for origin in origins)
            return Plan(rows, tuple(origins), step, lessons, np.flatnonzero(rows.times >= origins[1]))
    wanted = round(MORE * len(rows.times) * least / max(1, min(before, aged)))
    why = f"{before:,} rows are left for a training at the first date, and {aged:,} are judged at this age"
    return TooShort(f"{why}; at least {least:,} of either must be", wanted)


def _parts(known: npt.NDArray[np.bool_], order: Places) -> list[Places]:
    """Return the rows that are known by then in parts; a row is in the same one at every origin."""
    parts = [order[number::SIBLINGS] for number in range(SIBLINGS)]
    return [part[known[part]] for part in parts]


def _siblings(parts: Sequence[Places], size: int) -> tuple[Places, ...]:
    """Return the rows of all parts but one, for each; origins choose alike, so that their models share their luck."""
    some = [part[:size] for part in parts]
    return tuple(np.sort(np.concatenate([*some[:own], *some[own + 1 :]])) for own in range(SIBLINGS))
