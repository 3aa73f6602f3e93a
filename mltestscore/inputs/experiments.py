"""The team's experiments on users: how much an offline metric changed in each, and how much what users feel.

``[tool.mltestscore.experiments]``, a table with one row for each arm that was compared with the model of its time::

    source = "experiments.csv"             # a file, a glob, a database's table or "module:function"
    offline = "auc_gain"                   # the column of the change; or [new, old], two columns of values
    online = "conversion_gain"
    date = "ended"                         # when the experiment ended
    name = "experiment"                    # optional: name and arm together must not come twice
    arm = "arm"                            # optional: what was tried …
    degraded = ["degraded"]                # … and which values of it mean a model that was made worse on purpose
    metric = "offline_metric"              # optional: the column with the name of the offline metric
    lower_is_better = []                   # "offline" and "online" where less is better, such as a loss or complaints

Or from MLflow (``pip install "mltestscore[mlflow]"``), where a run stands for an arm::

    mlflow = "sqlite:///mlflow.db"         # the tracking store
    experiment = "online tests"            # all of its finished runs
    offline = "metrics.auc_gain"           # also params.…, tags.…
    online = "metrics.conversion_gain"
    date = "end_time"
    name = "run_id"
    arm = "tags.arm"
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mltestscore.errors import InputError
from mltestscore.inputs.cells import dates, numbers
from mltestscore.inputs.mlflow_runs import finished_runs

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 10_000
MAX_NAME = 80
_WHERE = "[tool.mltestscore.experiments]"


@dataclass(frozen=True)
class Experiments:
    """Experiments with both changes known, in the order of their dates; more is better in both.

    Attributes:
        source: where the table lies.
        offline: the change of the offline metric, float64, shape (n,), finite.
        online: the change of the online metric, likewise.
        ended: when each ended, datetime64[s] in UTC, shape (n,).
        names: what each is called.
        degraded: whether each tried a model that was made worse on purpose, shape (n,); ``None`` when not recorded.
        metrics: the offline metric's name in each; empty when not recorded.
        incomplete: rows without one of the changes or the date, which are left out.
        repeated: rows that say in all columns what an earlier one said, left out too.
        digest: of the content; empty for a changed copy.
    """

    source: str
    offline: NDArray[np.float64]
    online: NDArray[np.float64]
    ended: NDArray[np.datetime64]
    names: tuple[str, ...]
    degraded: NDArray[np.bool_] | None = None
    metrics: tuple[str, ...] = ()
    incomplete: int = 0
    repeated: int = 0
    digest: str = ""

    def __len__(self) -> int:
        return len(self.offline)

    def replace(self, **changes: Any) -> Experiments:
        """Return experiments with other attributes: how a fault is planted."""
        return replace(self, **changes, digest="")


def read_experiments(
    source: object = None,
    *,
    offline: str | Sequence[str],
    online: str | Sequence[str],
    date: str,
    name: str = "",
    arm: str = "",
    degraded: Sequence[str] = ("degraded",),
    metric: str = "",
    lower_is_better: Sequence[str] = (),
    mlflow: str = "",
    experiment: str = "",
    base: Path = Path(),
) -> Experiments:
    """Read the table; the arguments are those of the module's example, ``base`` is the project's folder.

    Raises :class:`InputError` that names the column and the row, what was found and what was expected.
    """
    columns = [*_pair("offline", offline), *_pair("online", online), date, *filter(None, (name, arm, metric))]
    title, rows = _rows(source, mlflow, experiment, columns, base)
    content = hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()[:16]
    once = rows.drop_duplicates(ignore_index=True)
    which = {"offline": offline, "online": online}
    changes = {one: _change(once, named, one in lower_is_better, title) for one, named in which.items()}
    ended = dates(once[date], f"{title}: {date}")
    known = np.isfinite(changes["offline"]) & np.isfinite(changes["online"]) & ~np.isnat(ended)
    order = np.flatnonzero(known)[np.argsort(ended[known], kind="stable")]
    names = _names(once, name, arm)
    _only_once([names[place] for place in order] if name else [], title)
    worse = _degraded(once[arm], degraded)[order] if arm else None
    return Experiments(
        title,
        changes["offline"][order],
        changes["online"][order],
        ended[order],
        tuple(names[place] for place in order),
        worse,
        tuple(str(once[metric].iloc[place])[:MAX_NAME] for place in order) if metric else (),
        int((~known).sum()),
        len(rows) - len(once),
        content,
    )


def _pair(which: str, columns: str | Sequence[str]) -> list[str]:
    named = [columns] if isinstance(columns, str) else list(columns)
    if len(named) not in (1, 2) or not all(named):
        raise InputError(f"{_WHERE} {which}: write the column of the change, or [new, old], two columns of values.")
    return named


def _rows(source: object, mlflow: str, experiment: str, columns: Sequence[str], base: Path) -> tuple[str, pd.DataFrame]:
    """Return what holds the experiments, and the named columns of it."""
    if bool(mlflow) == (source is not None):
        raise InputError(f"{_WHERE}: give source or mlflow, one of both.")
    if mlflow:
        title, frame = f"{experiment} in MLflow", finished_runs(mlflow, experiment, columns, where=_WHERE, base=base)
    else:
        title, frame = _table(source, columns, base)
    if len(frame) > MAX_ROWS:
        raise InputError(f"{title} has {len(frame)} rows; at most {MAX_ROWS} experiments are read.")
    return title, frame[list(dict.fromkeys(columns))].reset_index(drop=True)


def _degraded(arms: pd.Series[Any], names: Sequence[str]) -> NDArray[np.bool_]:
    tried = [str(one).strip().casefold() for one in arms]
    return np.isin(tried, [one.strip().casefold() for one in names])


def _table(source: object, columns: Sequence[str], base: Path) -> tuple[str, pd.DataFrame]:
    from mltestscore.inputs.dataset import open_dataset

    table = open_dataset("experiments", source, base=base)
    table.require(*columns)
    return table.source, table.frame(list(dict.fromkeys(columns)), limit=MAX_ROWS + 1)


def _change(rows: pd.DataFrame, columns: str | Sequence[str], lower: bool, title: str) -> NDArray[np.float64]:
    named = _pair("", columns)
    values = [numbers(rows[name], f"{title}: {name}") for name in named]
    change = values[0] if len(values) == 1 else values[0] - values[1]
    return -change if lower else change


def _names(rows: pd.DataFrame, name: str, arm: str) -> list[str]:
    parts = [rows[column].astype(str) for column in (name, arm) if column]
    if not parts:
        return [f"row {place + 1}" for place in range(len(rows))]
    return [", ".join(texts)[:MAX_NAME] for texts in zip(*parts, strict=True)]


def _only_once(names: Sequence[str], title: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{title}: {name!r} stands in two rows with different content; write one row an arm.")
        seen.add(name)
