"""The record of the team's hyperparameter search: its trials, the space they came from, the rows that judged them.

``[tool.mltestscore.tuning]``, with a table that has one row a trial::

    source = "trials.csv"                  # a file, a glob, a database's table or "module:function"; cv_results_ too
    parameters = ["learning_rate", "depth"]   # columns, or {depth = "param_tree__depth"}: name in service, column
    metric = "roc_auc"                     # the column that trials were compared by
    lower_is_better = false
    date = "ended"                         # when each ended; or ended = "2026-10-01" for all of them
    folds = ["fold_1", "fold_2"]           # optional: the metric on each fold, which tells noise from gain
    data = "training"                      # what trials were judged on: training, a path, a digest …
    data_column = "rows"                   # … or the column that says it for each
    left_alone = ["seed", "n_jobs"]        # settings that were not searched, on purpose

    [tool.mltestscore.tuning.space]        # optional where Optuna records it; else what the trials have covered
    learning_rate = {low = 0.01, high = 0.5, log = true}
    depth = {low = 1, high = 12, integer = true, natural = ["low"]}    # it cannot be lower
    loss = ["log_loss", "exponential"]

Or ``optuna = "sqlite:///optuna.db"`` (a database or a journal file) and ``study = "name"``, or
``mlflow = "sqlite:///mlflow.db"`` and ``experiment = "name"``, or ``search = "search.skops"``: a fitted search of
scikit-learn, with ``trusted`` types as for a model. Columns of parameters may then be left out.

The settings in service are the ``parameters`` in the registry's lineage of the current version, or ``deployed``, a
table of names and values. ``schedule = 8`` declares, with a ``reason``, that fewer trials than usual are meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs import trial_records
from mltestscore.inputs.cells import dates, numbers
from mltestscore.inputs.search_space import Dimension, declared_space, is_number, observed_space
from mltestscore.inputs.trial_records import MAX_TRIALS, STOPPED, WHERE, TrialTable

if TYPE_CHECKING:
    import pandas as pd

MAX_TEXT = 200
UNKNOWN = np.datetime64("NaT", "s")
_SOURCES = ("source", "optuna", "mlflow", "search")


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Attributes:
        settings: values of the searched parameters; one that was not asked for in this trial is not there.
        metric: more is better; NaN where a pruner stopped it.
        ended: when, datetime64[s] in UTC; NaT where it is not known.
        folds: the metric on each fold, shape (k,), more is better; empty where not recorded.
        data: what it was judged on, as recorded.
        written: the metric as a number in the record, before a sign was turned.
    """

    settings: dict[str, Any]
    metric: float
    ended: np.datetime64 = UNKNOWN
    folds: tuple[float, ...] = ()
    data: str = ""
    written: float = float("nan")


@dataclass(frozen=True)
class Tuning:
    """A search on record.

    Attributes:
        source: where the record lies; empty where none is offered.
        trials: in the order of the record, without those that failed.
        space: by parameter.
        recorded: whether the space was declared or recorded; false where it is what the trials have covered.
        deployed: the settings in service as the configuration declares them; empty: as the registry has them.
        left_alone: settings that were not searched on purpose.
        schedule: the number of trials that is declared to be enough; 0 for none.
        reason: why.
        failed: rows of the record without a metric or with no settings, which are left out.
        digest: of record and declarations; empty for a changed copy.
    """

    source: str
    trials: tuple[Trial, ...] = ()
    space: dict[str, Dimension] = field(default_factory=dict)
    recorded: bool = False
    deployed: dict[str, Any] = field(default_factory=dict)
    left_alone: tuple[str, ...] = ()
    schedule: int = 0
    reason: str = ""
    failed: int = 0
    digest: str = ""

    def replace(self, **changes: Any) -> Tuning:
        """Return a record with other attributes: how a fault is planted."""
        return replace(self, **changes, digest="")


def read_tuning(
    source: object = None,
    *,
    parameters: Sequence[str] | Mapping[str, str] = (),
    metric: str = "",
    lower_is_better: bool | None = None,
    date: str = "",
    ended: str = "",
    folds: Sequence[str] = (),
    data: str = "",
    data_column: str = "",
    left_alone: Sequence[str] = (),
    space: Mapping[str, object] | None = None,
    deployed: Mapping[str, Any] | None = None,
    schedule: int = 0,
    reason: str = "",
    optuna: str = "",
    study: str = "",
    mlflow: str = "",
    experiment: str = "",
    search: str = "",
    trusted: Sequence[str] = (),
    base: Path = Path(),
) -> Tuning:
    """Read the record; the arguments are those of the module's example, ``base`` is the project's folder.

    Raises :class:`ConfigError` for keys that do not go together, :class:`InputError` that names the column and row.
    """
    if schedule and not reason:
        raise ConfigError(f"{WHERE}: schedule = {schedule} needs a reason = …: why so few trials are enough.")
    written = declared_space(space or {}, f"{WHERE}.space")
    declared: dict[str, Any] = {"deployed": dict(deployed or {}), "left_alone": tuple(left_alone), "schedule": schedule}
    table = _opened(source, (optuna, study), (mlflow, experiment), (search, trusted), base)
    if table is None:
        digest = _digest(repr((space, declared, reason)))
        return Tuning("", space=written, recorded=bool(written), reason=reason, digest=digest, **declared)
    named = _named(table, parameters, metric, date, folds, data_column)
    lower = table.lower_is_better if lower_is_better is None else lower_is_better
    found = _read(table, named, bool(lower), ended, data, written)
    content = table.frame.astype(str).to_csv(index=False) + repr((parameters, named, lower, ended, data, found.space))
    return replace(found, reason=reason, digest=_digest(content + repr((declared, reason))), **declared)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Named:
    """Which columns mean what."""

    parameters: dict[str, str]
    metric: str
    date: str
    folds: tuple[str, ...]
    data: str


def _opened(
    source: object,
    optuna: tuple[str, str],
    mlflow: tuple[str, str],
    search: tuple[str, Sequence[str]],
    base: Path,
) -> TrialTable | None:
    """Return the trials of the one source that is given, ``None`` where none is."""
    offered = (source is not None, bool(optuna[0]), bool(mlflow[0]), bool(search[0]))
    given = [name for name, one in zip(_SOURCES, offered, strict=True) if one]
    if len(given) > 1:
        raise ConfigError(f"{WHERE} has {' and '.join(given)}; trials come from one of {', '.join(_SOURCES)}.")
    if not given:
        return None
    if optuna[0]:
        table = trial_records.from_optuna(*optuna, base)
    elif mlflow[0]:
        table = trial_records.from_mlflow(*mlflow, base)
    elif search[0]:
        table = trial_records.from_search(*search, base)
    else:
        table = trial_records.from_table(source, base)
    if len(table.frame) > MAX_TRIALS:
        raise InputError(f"{table.source} has more than {MAX_TRIALS} trials; at most so many are read.")
    return table


def _named(
    table: TrialTable,
    parameters: Sequence[str] | Mapping[str, str],
    metric: str,
    date: str,
    folds: Sequence[str],
    data_column: str,
) -> _Named:
    """Return the columns that are declared, or else those that the record itself tells."""
    columns = _columns(table, parameters)
    if not (metric or table.metric):
        raise ConfigError(f"{WHERE}: name the column that trials were compared by, with metric = ….{_has(table)}")
    return _Named(columns, metric or table.metric, date or table.date, tuple(folds) or table.folds, data_column)


def _read(
    table: TrialTable, named: _Named, lower: bool, ended: str, data: str, written: Mapping[str, Dimension]
) -> Tuning:
    trials, failed = _trials(table, named, lower, ended, data)
    known = {**{name: one for name, one in table.space.items() if name in named.parameters}, **written}
    space = known or observed_space(trial.settings for trial in trials)
    return Tuning(table.source, tuple(trials), space, bool(known), failed=failed)


def _columns(table: TrialTable, parameters: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Return the column of each parameter: as named, with the record's prefix, or all that have it."""
    held = [str(name) for name in table.frame.columns]
    if not parameters and table.prefix:
        found = {name.removeprefix(table.prefix): name for name in held if name.startswith(table.prefix)}
    elif isinstance(parameters, Mapping):
        found = dict(parameters)
    else:
        found = {name: name if name in held else table.prefix + name for name in parameters}
    if not found:
        raise ConfigError(f"{WHERE}: name the columns of the searched settings, with parameters = ….{_has(table)}")
    return found


def _has(table: TrialTable) -> str:
    return near("", (str(name)[:40] for name in table.frame.columns))


def _trials(table: TrialTable, named: _Named, lower: bool, ended: str, data: str) -> tuple[list[Trial], int]:
    frame = table.frame
    for column in (*named.parameters.values(), named.metric, *named.folds, *filter(None, (named.date, named.data))):
        if column not in frame.columns:
            raise InputError(f"{table.source} has no column {column!r:.80}.{near(column, map(str, frame.columns))}")
    sign = -1.0 if lower else 1.0
    metrics = numbers(frame[named.metric], f"{table.source}: {named.metric}")
    folds = [numbers(frame[name], f"{table.source}: {name}") * sign for name in named.folds]
    times = _times(frame, named.date, ended, table.source)
    stopped = frame[STOPPED].to_numpy(dtype=bool) if STOPPED in frame.columns else np.zeros(len(frame), dtype=bool)
    cells = {name: [_cell(value) for value in frame[column]] for name, column in named.parameters.items()}
    trials = []
    for place in range(len(frame)):
        settings = {name: values[place] for name, values in cells.items() if values[place] is not None}
        if not settings or not (np.isfinite(metrics[place]) or stopped[place]):
            continue
        parts = tuple(float(fold[place]) for fold in folds)
        judged_on = str(frame[named.data].iloc[place])[:MAX_TEXT] if named.data else data[:MAX_TEXT]
        metric = float(metrics[place])
        whole = parts if np.isfinite(parts).all() else ()
        trials.append(Trial(settings, sign * metric, times[place], whole, judged_on, metric))
    return trials, len(frame) - len(trials)


def _times(frame: pd.DataFrame, column: str, ended: str, source: str) -> Any:
    if column:
        return dates(frame[column], f"{source}: {column}")
    import pandas as pd

    return np.full(len(frame), dates(pd.Series([ended]), f"{WHERE} ended")[0])


def _cell(value: Any) -> Any:
    """Return a setting as a plain value: what is written as a number or a truth value is one; ``None`` for a gap.

    Optuna's and scikit-learn's own ``None`` cannot be told from a gap in a table, and is one.
    """
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is np.ma.masked or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, bool) or is_number(value):
        return value
    text = str(value).strip()[:MAX_TEXT]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text or None
    return number if np.isfinite(number) else text
