"""whylogs: a profile of both files from pandas frames, and its drift scores of every column."""

from __future__ import annotations

import pandas as pd
import whylogs
from exchange import tell, told
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores


def main() -> None:
    """Compare all columns."""
    work = told()
    training, serving = (
        whylogs.log(pandas=pd.read_parquet(work.file(name), columns=list(work.features))).profile().view()
        for name in ("training", "serving")
    )
    scores = calculate_drift_scores(target_view=serving, reference_view=training, with_thresholds=True)
    compared = sum(score is not None for score in scores.values())
    tell(f"{compared} columns compared", ("whylogs", "pandas", "numpy"))


if __name__ == "__main__":
    main()
