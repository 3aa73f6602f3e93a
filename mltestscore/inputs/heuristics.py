"""A team's simple rules, and for forecasts the last known value and the one a season ago: what a model must beat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs import digests
from mltestscore.inputs.functions import import_function, split_name

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset

Answers = npt.NDArray[Any]

TABLE = "[tool.mltestscore.heuristics]"
LAST, SEASON = "last value", "value a season ago"
REACH_DAYS = 31.0  # beyond two horizons and seasons: a last value older than that is no baseline that anyone would use
SAME_MOMENT = 0.05  # of a season: summer time moves an hour, and readings are not exact to the second


@dataclass(frozen=True)
class Heuristics:
    """Simple rules, each with an answer a row where it has one.

    Attributes:
        rules: by name, a column of the holdout that is an answer itself, or ``"module:function"`` from a frame without
            the labels to one answer a row (a value, a probability, or a class where there are more than two).
        series: for a forecast, the columns that name a series; empty with a horizon: all rows are one series.
        horizon_days: for a forecast, how long before its time a value is foretold: what was not known by then does not
            count. ``None`` where nothing is forecast.
        season_days: for a forecast, the length of a season; 0: it has none.
        folder: the project's, from which functions are imported.
    """

    rules: Mapping[str, str] = field(default_factory=dict)
    series: tuple[str, ...] = ()
    horizon_days: float | None = None
    season_days: float = 0.0
    folder: Path = Path()

    @property
    def source(self) -> str:
        """What is offered, for the reader."""
        return ", ".join(self.names)

    @property
    def digest(self) -> str:
        """A digest of the rules and of the modules that they name; empty where such a file is not in the folder."""
        modules = [split_name(rule, TABLE)[0].split(".") for rule in self.functions]
        files = [self.folder.joinpath(*parts).with_suffix(".py") for parts in modules]
        if not all(file.is_file() for file in files):
            return ""
        asked = (sorted(self.rules.items()), self.series, self.horizon_days, self.season_days)
        return digests.of_settings(asked, files, self.folder)

    @property
    def functions(self) -> tuple[str, ...]:
        """The rules that are functions."""
        return tuple(rule for rule in self.rules.values() if ":" in rule)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all rules, those of a forecast too."""
        forecast = () if self.horizon_days is None else (LAST, SEASON) if self.season_days else (LAST,)
        return (*self.rules, *forecast)

    def columns(self, holdout: Dataset) -> tuple[str, ...]:
        """Return the columns of the holdout that the rules read; functions get all but the label."""
        if self.functions:
            return tuple(name for name in holdout.columns if name != holdout.roles.label)
        timed = () if self.horizon_days is None else (*self.series, *_needed(holdout, "time"))
        return tuple(dict.fromkeys((*self.rules.values(), *timed)))

    def answers(self, rows: pd.DataFrame, training: Dataset, holdout: Dataset) -> dict[str, Answers]:
        """Return by name the answers for some rows of the holdout, missing where a rule has none: shape (n,) each.

        Raises :class:`InputError` for a rule that fails or gives another number of answers, :class:`NotOffered` for a
        forecast of data without a time.
        """
        shown = rows.drop(columns=[name for name in (holdout.roles.label,) if name in rows and name])
        found = {name: self._answer(name, rule, shown) for name, rule in self.rules.items()}
        if self.horizon_days is not None:
            known = pd.concat([self._known(dataset, holdout, rows) for dataset in (training, holdout)])
            found |= self._forecasts(rows, known, holdout)
        return found

    def _answer(self, name: str, rule: str, rows: pd.DataFrame) -> Answers:
        if ":" not in rule:
            return rows[rule].to_numpy()
        try:
            given = np.asarray(import_function(rule, base=self.folder, setting=f"{TABLE} rules")(rows.copy()))
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            raise InputError(f"{TABLE} rules: {name!r} ({rule}) raised {type(error).__name__}: {error}") from error
        if given.shape != (len(rows),):
            raise InputError(
                f"{TABLE} rules: {name!r} ({rule}) gave an answer of shape {given.shape} for {len(rows)} rows; one "
                "answer a row is expected."
            )
        return given

    def _known(self, dataset: Dataset, holdout: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the labels with time and series, as far back as a forecast for these rows may look."""
        from mltestscore.comparison import columns

        time, label = _needed(dataset, "time", "label")
        first = _moments(rows[_needed(holdout, "time")[0]]).min()
        days = 2 * (self.season_days + (self.horizon_days or 0.0)) + REACH_DAYS
        dataset.require(*self.series)
        table = dataset.part([*self.series, time, label])
        table = table.filter(columns.seconds(table[time]) >= first.timestamp() - days * 86_400)
        seen = table.select(*self.series, time, label).to_pyarrow().to_pandas()
        return pd.DataFrame({**self._series(seen), "at": _moments(seen[time]), "known": seen[label]}).dropna()

    def _series(self, rows: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        return {f"series {place}": rows[name].astype(str) for place, name in enumerate(self.series)}

    def _forecasts(self, rows: pd.DataFrame, known: pd.DataFrame, holdout: Dataset) -> dict[str, Answers]:
        horizon, season = self.horizon_days or 0.0, self.season_days
        moments = _moments(rows[_needed(holdout, "time")[0]])
        wanted = pd.DataFrame({**self._series(rows), "row": np.arange(len(rows)), "at": moments})
        # With no horizon, what happens at the moment itself is what is to be told.
        found = {LAST: _latest(wanted, known, horizon, exact=horizon > 0)}
        if season:
            back = season * max(1, math.ceil(horizon / season - 1e-9))
            found[SEASON] = _latest(wanted, known, back, tolerance=pd.Timedelta(days=SAME_MOMENT * season))
        return found


def _latest(
    wanted: pd.DataFrame, known: pd.DataFrame, days: float, *, exact: bool = True, tolerance: pd.Timedelta | None = None
) -> Answers:
    """Return the value of the same series so many days before, the nearest within a tolerance or else the last."""
    by = [name for name in wanted.columns if name.startswith("series ")]
    asked = wanted.assign(at=wanted["at"] - pd.Timedelta(days=days)).dropna(subset="at").sort_values("at")
    joined = pd.merge_asof(
        asked,
        known.sort_values("at"),
        on="at",
        by=by or None,
        direction="nearest" if tolerance is not None else "backward",
        tolerance=tolerance,
        allow_exact_matches=exact,
    )
    return joined.set_index("row")["known"].reindex(range(len(wanted))).to_numpy()


def _moments(times: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(times, utc=True, errors="coerce").astype("datetime64[us, UTC]")


def _needed(dataset: Dataset, *roles: str) -> tuple[str, ...]:
    for role in roles:
        if not getattr(dataset.roles, role):
            table = f"[tool.mltestscore.data.{dataset.name}]"
            raise NotOffered(
                f"the {role} of {dataset.name}", f"name its column with {role} = … under {table}: a forecast needs it"
            )
    return tuple(str(getattr(dataset.roles, role)) for role in roles)


def as_scores(answers: Answers, otherwise: Answers, task: str, classes: Sequence[object]) -> tuple[Answers, int]:
    """Return answers as a model's scores, those of ``otherwise`` where there is none, and how many rows that are.

    Of two classes, answers may be the classes themselves or numbers that order the rows. Raises :class:`InputError` for
    an answer that is no number, or among several classes none of them.

    >>> as_scores(np.array(["b", None]), np.full((2, 3), 1 / 3), "multiclass", "abc")[0].tolist()[0]
    [0.0, 1.0, 0.0]
    """
    missing = np.asarray(pd.isna(answers))
    given, scores = answers[~missing], np.array(otherwise, dtype=np.float64)
    places = {label: place for place, label in enumerate(classes)}
    odd = [answer for answer in given.tolist() if answer not in places]
    if task == "multiclass" and odd:
        raise InputError(
            f"{TABLE}: the answer {odd[0]!r:.80} is none of the classes {list(classes)[:10]!r}; return those."
        )
    if task == "multiclass":
        scores[~missing] = np.eye(len(places))[[places[answer] for answer in given.tolist()]]
    elif task == "binary" and not odd:
        scores[~missing] = [float(places[answer]) for answer in given.tolist()]
    else:
        numbers = pd.to_numeric(pd.Series(given), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        if not np.isfinite(numbers).all():
            raise InputError(
                f"{TABLE}: the answer {given[~np.isfinite(numbers)][0]!r:.80} is no finite number; return one."
            )
        scores[~missing] = numbers
    return scores, int(missing.sum())


def open_heuristics(
    folder: Path, *, rules: Mapping[str, str], series: Sequence[str], horizon_days: float | None, season_days: float
) -> Heuristics:
    """Return the rules; arguments are the attributes of :class:`Heuristics`.

    Raises :class:`ConfigError` when there is none, or a series or season without a horizon.
    """
    if horizon_days is None and (series or season_days):
        raise ConfigError(
            f"{TABLE} has series or season_days without horizon_days; write how long before a value is foretold."
        )
    if taken := {LAST, SEASON} & set(rules):
        raise ConfigError(f"{TABLE} rules: {sorted(taken)[0]!r} is the name of one of ours; choose another.")
    for rule in rules.values():
        if ":" in rule:
            split_name(rule, f"{TABLE} rules")
    return Heuristics(dict(rules), tuple(series), horizon_days, season_days, folder)
