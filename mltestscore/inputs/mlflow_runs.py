"""Runs in an MLflow tracking store as a table (``pip install "mltestscore[mlflow]"``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mltestscore.errors import InputError, near
from mltestscore.inputs.mlflow_store import asked, store_at

if TYPE_CHECKING:
    import pandas as pd

MAX_RUNS = 10_000
_OF_A_RUN = ("run_id", "run_name", "start_time", "end_time")


def finished_runs(uri: str, experiment: str, columns: Sequence[str], *, where: str, base: Path) -> pd.DataFrame:
    """Return the finished runs of an MLflow experiment, one column a metric, parameter or tag of any of them.

    Args:
        uri: of the tracking store; the path of a relative SQLite one starts from ``base``.
        experiment: its name.
        columns: those that must be there.
        where: the table of the configuration that asks, for messages.
        base: the project's folder.

    Raises :class:`InputError` for a store that cannot be read and for an experiment or column that is not there,
    :class:`NotOffered` without MLflow.
    """
    import pandas as pd

    def runs_of(client: Any) -> list[Any]:
        found = client.get_experiment_by_name(experiment)
        if found is None:
            known = [one.name for one in client.search_experiments(max_results=100)]
            raise InputError(f"{where}: MLflow has no experiment {experiment!r:.80}.{near(experiment, known)}")
        return list(client.search_runs([found.experiment_id], "status = 'FINISHED'", max_results=MAX_RUNS + 1))

    rows = [_of_run(run) for run in asked(store_at(uri, base, where=where), runs_of, where=where)]
    frame = pd.DataFrame(rows, columns=sorted({name for row in rows for name in row} | set(_OF_A_RUN)))
    for column in columns:
        if column not in frame.columns:
            raise InputError(f"No run of {experiment!r:.80} in MLflow has {column!r:.80}.{near(column, frame.columns)}")
    return frame


def _of_run(run: Any) -> dict[str, object]:
    """Return what a run says under the names that ``mlflow.search_runs`` gives its columns."""
    row: dict[str, object] = {"run_id": run.info.run_id, "run_name": run.info.run_name}
    for what in ("start_time", "end_time"):
        milliseconds = getattr(run.info, what)
        row[what] = None if milliseconds is None else np.datetime64(milliseconds, "ms")
    for kind in ("metrics", "params", "tags"):
        row |= {f"{kind}.{name}": value for name, value in getattr(run.data, kind).items()}
    return row
