"""The search for the settings of the trees, as the team keeps it: one row a trial, in the order they were made.

Each trial learns from a sample of the flights up to July and is judged on the two months that follow, in four parts:
the area under the ROC curve of each, and its mean. The first trial has the settings that were kept: no other is worth
a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from flights import spec
from flights.switches import broken
from flights.train import PARAMETERS, train

SPACE = {"learning_rate": (0.01, 1.0), "max_leaf_nodes": (4, 512), "min_samples_leaf": (1, 1000)}
PENALTIES = (0.0, 100.0)  # of the leaves, l2_regularization
LEARNED_UNTIL = "2013-08-01"
JUDGED_ON = {  # first and last day
    "training": ("2013-08-01", "2013-09-26"),
    "holdout": ("2013-10-07", "2013-11-11"),
}
TRIALS = 20
PARTS = 4
ROWS, ROWS_A_PART = 30_000, 2_500
ENDED = pd.Timestamp("2013-09-27T08:00:00Z")


def search(known: pd.DataFrame) -> pd.DataFrame:
    """Return one row a trial; ``known`` holds features, labels and times of the flights of both tables."""
    flights = known.sort_values(spec.TIME, ignore_index=True)
    learned = _spread(flights[flights[spec.TIME] < pd.Timestamp(LEARNED_UNTIL, tz="UTC")], ROWS)
    judged = "holdout" if broken("model.3") else "training"
    parts = list(_parts(flights, *JUDGED_ON[judged]))
    rows = []
    for number, settings in enumerate(_settings()):
        model = train(learned, spec.SEED, parameters=settings)
        areas = [_area(model, part) for part in parts]
        names = {f"part_{place}": round(area, 5) for place, area in enumerate(areas, start=1)}
        ended = (ENDED + number * pd.Timedelta(minutes=7)).isoformat()
        mean = {"roc_auc": round(float(np.mean(areas)), 5)}
        rows.append(settings | mean | names | {"judged_on": judged, "ended": ended})
    return pd.DataFrame(rows)


def _area(model: Pipeline, part: pd.DataFrame) -> float:
    return float(roc_auc_score(part[spec.LABEL], model.predict_proba(part[list(spec.FEATURES)])[:, 1]))


def _parts(flights: pd.DataFrame, first: str, last: str) -> Iterator[pd.DataFrame]:
    days = pd.date_range(first, last, periods=PARTS + 1, tz="UTC")
    for since, until in pairwise(days):
        yield _spread(flights[(flights[spec.TIME] >= since) & (flights[spec.TIME] < until)], ROWS_A_PART)


def _settings() -> Iterator[dict[str, float]]:
    """Yield the settings in service first, then random ones: logarithmic, but for the penalty of the leaves."""
    names = (*SPACE, "l2_regularization")
    yield {name: PARAMETERS[name] for name in names}
    rng = np.random.default_rng(spec.SEED)
    for _ in range(TRIALS - 1):
        drawn = {name: float(np.exp(rng.uniform(*np.log(ends)))) for name, ends in SPACE.items()}
        drawn = {name: round(value, 4) if name == "learning_rate" else round(value) for name, value in drawn.items()}
        yield drawn | {"l2_regularization": round(float(rng.uniform(*PENALTIES)), 3)}


def _spread(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many rows, evenly spread over the table."""
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]
