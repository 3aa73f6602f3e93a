"""Deepchecks: the feature drift check on two pandas frames, on all rows; its other settings at their defaults."""

from __future__ import annotations

import pandas as pd
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import FeatureDrift
from exchange import Told, tell, told


def compare(work: Told, rows: int) -> None:
    """Compare all columns on so many rows of each file."""
    training, serving = (
        Dataset(pd.read_parquet(work.file(name), columns=list(work.features)), cat_features=list(work.texts))
        for name in ("training", "serving")
    )
    value = FeatureDrift(n_samples=rows).run(training, serving).value
    if len(value) != len(work.features):
        raise SystemExit(f"{len(value)} of {len(work.features)} columns compared")
    tell(f"{len(value)} columns compared on {rows} rows", ("deepchecks", "pandas", "numpy"))


if __name__ == "__main__":
    work = told()
    compare(work, work.rows)
