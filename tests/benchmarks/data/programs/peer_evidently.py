"""Evidently: the drift preset at its defaults on two pandas frames, its results as a dictionary, no page."""

from __future__ import annotations

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from exchange import tell, told


def main() -> None:
    """Compare all columns."""
    work = told()
    meaning = DataDefinition(numerical_columns=list(work.numbers), categorical_columns=list(work.texts))
    reference, current = (
        Dataset.from_pandas(pd.read_parquet(work.file(name), columns=list(work.features)), data_definition=meaning)
        for name in ("training", "serving")
    )
    metrics = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
    if len(metrics) <= len(work.features):
        raise SystemExit(f"{len(metrics)} metrics for {len(work.features)} columns")
    tell(f"{len(metrics) - 1} columns compared", ("evidently", "pandas", "numpy"))


if __name__ == "__main__":
    main()
