"""Where hyperparameter searches leave their trials: an Optuna storage, MLflow, a scikit-learn search, a table.

Each becomes one table with a row a trial, the columns that it is read by, and the space where the record tells it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.errors import InputError, NotOffered, near
from mltestscore.inputs.mlflow_runs import finished_runs
from mltestscore.inputs.search_space import Choices, Dimension, Numbers

if TYPE_CHECKING:
    import pandas as pd

WHERE = "[tool.mltestscore.tuning]"
MAX_TRIALS = 10_000
STOPPED = "mltestscore_stopped"  # the column that marks trials which a pruner ended


@dataclass(frozen=True)
class TrialTable:
    """The trials of a record as it holds them.

    Attributes:
        source: what it is, for the reader.
        frame: one row a trial.
        prefix: what stands before a parameter's name in its column.
        metric: the column of the metric, where the record has its own.
        date: the column of when a trial ended, likewise.
        folds: the columns of the metric on each fold, likewise.
        lower_is_better: what the record says of its metric; ``None`` where it says nothing.
        space: as recorded.
    """

    source: str
    frame: pd.DataFrame
    prefix: str = ""
    metric: str = ""
    date: str = ""
    folds: tuple[str, ...] = ()
    lower_is_better: bool | None = None
    space: dict[str, Dimension] = field(default_factory=dict)


def from_table(source: object, base: Path) -> TrialTable:
    """Read a file, a frame or whatever else a dataset may be; also ``DataFrame(search.cv_results_)``."""
    from mltestscore.inputs.dataset import open_dataset

    table = open_dataset("tuning", source, base=base)
    frame = table.frame(limit=MAX_TRIALS + 1)
    if "mean_test_score" in frame.columns:
        return _of_results(table.source, frame)
    return TrialTable(table.source, frame)


def from_search(path: str, trusted: Sequence[str], base: Path) -> TrialTable:
    """Read ``cv_results_`` of a fitted search of scikit-learn in a skops file.

    Raises :class:`InputError` for a file that cannot be read or holds no fitted search.
    """
    import pandas as pd

    from mltestscore.inputs.model_file import read_model_file

    file = base / path
    if not file.exists():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"{WHERE} search: there is no {file}.{near(file.name, beside)}")
    search: Any = read_model_file(file, trusted=trusted, allow_pickle=False, base=base, table=WHERE)
    results = getattr(search, "cv_results_", None)
    if not isinstance(results, dict) or "mean_test_score" not in results:
        raise InputError(
            f"{WHERE} search: {file} holds a {type(search).__name__} without cv_results_ of one metric; save the "
            "fitted search itself, or name a metric with refit."
        )
    frame = pd.DataFrame({name: list(values) for name, values in results.items() if name != "params"})
    return _of_results(path, frame)


def _of_results(source: str, frame: pd.DataFrame) -> TrialTable:
    folds = tuple(name for name in frame.columns if re.fullmatch(r"split\d+_test_score", str(name)))
    return TrialTable(source, frame, "param_", "mean_test_score", folds=folds, lower_is_better=False)


def from_mlflow(uri: str, experiment: str, base: Path) -> TrialTable:
    """Read the finished runs of an MLflow experiment."""
    frame = finished_runs(uri, experiment, (), where=WHERE, base=base)
    return TrialTable(f"{experiment} in MLflow", frame, "params.", date="end_time")


def from_optuna(storage: str, study: str, base: Path) -> TrialTable:
    """Read a study from an Optuna storage: a database's URL, or the file of a journal.

    Trials that a pruner stopped count as tried and have no metric; failed and running ones are left out.

    Raises :class:`NotOffered` without Optuna, :class:`InputError` for a storage or a study that is not there.
    """
    try:
        import optuna
    except ImportError:
        raise NotOffered("Optuna", 'pip install "mltestscore[tuning]"') from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        opened = _storage(storage, base)
        names = optuna.get_all_study_names(opened)
        if study not in names:
            raise InputError(f"{WHERE}: the Optuna storage has no study {study!r:.80}.{near(study, names)}")
        found = optuna.load_study(study_name=study, storage=opened)
        if len(found.directions) > 1:
            raise InputError(
                f"{WHERE}: the study {study!r:.80} has {len(found.directions)} objectives; name one with a single one."
            )
        lower = found.direction == optuna.study.StudyDirection.MINIMIZE
        frame, trials = found.trials_dataframe(), found.trials
    except InputError:
        raise
    except Exception as error:  # the database's own errors, of any kind
        raise InputError(f"{WHERE} optuna: the storage cannot be read: {error!s:.300}") from error
    if not len(frame):
        raise InputError(f"{WHERE}: the study {study!r:.80} has no trials; name one that was run.")
    stopped = frame["state"] == "PRUNED"
    frame = frame.assign(value=frame["value"].where(~stopped), **{STOPPED: stopped})
    frame = frame[frame["state"].isin(["COMPLETE", "PRUNED"])].reset_index(drop=True)
    space = {name: _dimension(one) for trial in trials for name, one in trial.distributions.items()}
    return TrialTable(study, frame, "params_", "value", "datetime_complete", (), lower, space)


def _storage(storage: str, base: Path) -> Any:
    from optuna.storages import JournalStorage, RDBStorage

    if "://" not in storage:
        from optuna.storages.journal import JournalFileBackend

        file = base / storage
        if not file.is_file():  # Optuna would make a new, empty one
            raise InputError(f"{WHERE} optuna: there is no file {file}; name the storage of your search.")
        return JournalStorage(JournalFileBackend(str(file)))
    if not storage.startswith("sqlite:///"):
        waits = {"connect_timeout": 10} if storage.startswith(("postgresql", "mysql")) else {}
        return RDBStorage(storage, skip_table_creation=True, engine_kwargs={"connect_args": waits})
    file = (base / storage.removeprefix("sqlite:///")).resolve()
    if not file.is_file():
        raise InputError(f"{WHERE} optuna: there is no file {file}; name the storage of your search.")
    # Opened for reading only: a record must not change by being looked at.
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    return RDBStorage(url, skip_table_creation=True, engine_kwargs={"connect_args": {"timeout": 10}})


def _dimension(distribution: Any) -> Dimension:
    if hasattr(distribution, "choices"):
        return Choices(tuple(distribution.choices))
    whole = type(distribution).__name__.startswith("Int")
    return Numbers(float(distribution.low), float(distribution.high), bool(distribution.log), whole)
