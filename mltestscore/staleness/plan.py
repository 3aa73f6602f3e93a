"""When models are trained and judged: origins a fixed step apart, lessons before each, a block after each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.contest import queries_of
from mltestscore.details import Cell, Table
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.several_labels import indicators
from mltestscore.stats.cluster import codes_of
from mltestscore.stats.ranking import answerable
from mltestscore.stats.seeds import generator

STEPS = 2  # in which a model reaches the age in question
MOST_BLOCKS, LEAST_BLOCKS = 3, 2  # on which a model of that age is judged
SIBLINGS = 4  # models of one origin, each trained without another quarter of its rows: they differ by luck
LEAST_QUERIES = 50  # of a ranking, that are judged: each is one number
ALIKE = "the labels of the judged rows do not vary, so that no model stands out"
MORE = 1.2  # rows than it takes on average: shares vary by chance
DAY = 86_400 * 10**9

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Timed:
    """Labelled rows with a time.

    Attributes:
        frame: shape (n, …), all columns of the dataset.
        times: shape (n,), nanoseconds since 1970, UTC; of a ranking, of the first row of each query.
        dataset: what they were taken from, with no more rows than were asked for.
        queries: shape (n,), numbers from 0, of a ranking; a query is learned and judged as a whole.
    """

    frame: pd.DataFrame
    times: npt.NDArray[np.int64]
    dataset: Dataset
    queries: Places | None = None

    @property
    def labels(self) -> pd.Series[Any]:
        """Shape (n,)."""
        return self.frame[self.dataset.roles.label]

    @cached_property
    def days(self) -> float:
        """From the first row to the last."""
        return float(self.times.max() - self.times.min()) / DAY if len(self.times) else 0.0

    @cached_property
    def units(self) -> Places:
        """Shape (n,), what each row is drawn with: itself, or its query."""
        return np.arange(len(self.times), dtype=np.intp) if self.queries is None else self.queries

    def of(self, units: Places) -> Places:
        """Return the places of the rows of some units, in order."""
        return np.sort(units) if self.queries is None else np.flatnonzero(np.isin(self.queries, units))


def timed(dataset: Dataset, rows: int, task: str = "") -> Timed:
    """Return at most ``rows`` rows, of which those with a label and a time are kept; of a ranking, whole queries.

    Raises :class:`NotOffered` where no column of labels or times is declared, and no query of a ranking,
    :class:`InputError` for times that are none.
    """
    for role in ("label", "time"):
        if not getattr(dataset.roles, role):
            table = f"[tool.mltestscore.data.{dataset.name}]"
            raise NotOffered(f"the {role} column of {dataset.name}", f"name it with {role} = … under {table}")
    dataset = dataset.sample(rows, together=task == "ranking")
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
    frame = frame[known].reset_index(drop=True)
    if task != "ranking":
        return Timed(frame, kept, dataset)
    queries = codes_of(queries_of(frame, dataset))
    first = np.full(int(queries.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, queries, kept)
    return Timed(frame, first[queries], dataset, queries)


@dataclass(frozen=True)
class Plan:
    """Origins and what is learned before each.

    Attributes:
        rows: what is learned from and judged on.
        origins: nanoseconds since 1970, oldest first, one step apart; the last block ends with the last row.
        step: nanoseconds.
        lessons: of each origin, one for each sibling: the places of their rows, all of as many, or of as many queries.
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

    def spent(self, seconds: float, rows: int, timeout: float) -> Table:
        """Return what the trainings took, beside what they may."""
        lessons = [len(lesson) for siblings in self.lessons for lesson in siblings]
        lines: list[list[Cell]] = [
            ["trainings", len(lessons) + 1, None],
            ["rows of the largest", max(lessons), rows],
            ["seconds of all", round(seconds, 3), timeout],
        ]
        return Table("Budget of the back-test", ["of what", "used", "allowed"], lines)

    def forgetful(self, seed: str) -> tuple[Places, npt.NDArray[Any]]:
        """Return the newest lesson, and labels for it in which those of the newest rows have changed places.

        The newest rows are what a fresh model knows and one of the age in question does not.
        """
        lesson = self.lessons[-1][0]
        labels = self.rows.labels.iloc[lesson].to_numpy(copy=True)
        newest = np.flatnonzero(self.rows.times[lesson] >= self.origins[-1 - STEPS])
        labels[newest] = labels[generator("forgetful", seed).permutation(newest)]
        return lesson, labels

    def lacking(self, classes: Sequence[object], task: str = "") -> str:
        """Say what keeps the plan from being judged, or nothing: a class without a row, or labels all alike."""
        labels = self.rows.labels
        if task == "multilabel":
            return self._lacking_labels(indicators(labels, classes, self.rows.dataset.name), classes)
        if task == "ranking" and (many := self._orders()) < LEAST_QUERIES:
            return f"{many} queries that are judged at this age have an order to find; at least {LEAST_QUERIES} must"
        for lesson in (lesson for siblings in self.lessons for lesson in siblings):
            seen = set(labels.iloc[lesson].unique().tolist())
            missing = [one for one in classes if one not in seen]
            if missing:
                return (
                    f"the {len(lesson):,} rows of a training hold none of the class {missing[0]!r:.80}; raise max_rows"
                )
        return "" if labels.iloc[self.judged].nunique() > 1 else ALIKE

    def _lacking_labels(self, truth: npt.NDArray[np.int64], names: Sequence[object]) -> str:
        for lesson in (lesson for siblings in self.lessons for lesson in siblings):
            shares = truth[lesson].mean(axis=0)
            if same := [name for name, share in zip(names, shares, strict=True) if share in (0.0, 1.0)]:
                return f"the {len(lesson):,} rows of a training all say the same of {same[0]!r:.80}; raise max_rows"
        return "" if len(np.unique(truth[self.judged], axis=0)) > 1 else ALIKE

    def _orders(self) -> int:
        """How many queries of the judged rows have rows of different grades, at the age in question."""
        assert self.rows.queries is not None
        rows = self.judged[self.block >= STEPS]
        grades = pd.to_numeric(self.rows.labels.iloc[rows], errors="coerce").to_numpy(dtype=np.float64)
        return int(answerable(grades, self.rows.queries[rows]).sum())


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
    first = np.unique(rows.units, return_index=True)[1]
    times, order = rows.times[first], generator("staleness", rows.dataset.digest).permutation(len(first))
    each = len(rows.times) / len(first)  # rows of a query; 1 where there are none
    before = aged = 0
    for blocks in range(MOST_BLOCKS, LEAST_BLOCKS - 1, -1):
        origins = [end - step * number for number in range(blocks + STEPS, 0, -1)]
        before = (SIBLINGS - 1) * round(each * min(len(part) for part in _parts(times < origins[0], order)))
        aged = int((rows.times >= origins[STEPS]).sum())
        if origins[0] - int(rows.times.min()) >= step and min(before, aged) >= least:
            size = int(min(most, before) / each) // (SIBLINGS - 1)
            drawn = (_siblings(_parts(times < origin, order), size) for origin in origins)
            lessons = tuple(tuple(rows.of(units) for units in siblings) for siblings in drawn)
            return Plan(rows, tuple(origins), step, lessons, np.flatnonzero(rows.times >= origins[1]))
    wanted = round(MORE * len(rows.times) * least / max(1, min(before, aged)))
    why = f"{before:,} rows are left for a training at the first date, and {aged:,} are judged at this age"
    return TooShort(f"{why}; at least {least:,} of either must be", wanted)


def _parts(known: npt.NDArray[np.bool_], order: Places) -> list[Places]:
    """Return the units that are known by then in parts; a unit is in the same one at every origin."""
    parts = [order[number::SIBLINGS] for number in range(SIBLINGS)]
    return [part[known[part]] for part in parts]


def _siblings(parts: Sequence[Places], size: int) -> tuple[Places, ...]:
    """Return the units of all parts but one, for each; origins choose alike, so that their models share their luck."""
    some = [part[:size] for part in parts]
    return tuple(np.concatenate([*some[:own], *some[own + 1 :]]) for own in range(SIBLINGS))
