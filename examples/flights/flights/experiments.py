"""Experiments with other models, replayed week by week: what each was worth offline, and to the dispatch desk.

In each, an arm and its control learn from the flights up to a Monday. The week that follows is the offline test: the
area under the ROC curve. The week after that is the online one: of the flights that arrived late, how many were among
the tenth that the desk was told to look at. Nobody was flown differently; both arms answer for the same flights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from flights import spec
from flights.switches import broken

SCHEDULE = (*spec.CATEGORICAL, "departure_minute", "weekday", "distance")
WEEK = pd.Timedelta(days=7)
LEARNED = pd.Timedelta(days=56)
ROWS = 12_000
LOOKED_AT = 0.1  # the share of flights that the desk has time for
METRIC = "roc_auc"  # the name that the registry gives it


@dataclass(frozen=True)
class Arm:
    """What was tried: features and trees, against those of the control; degraded means worse on purpose."""

    name: str
    monday: str
    features: tuple[str, ...]
    settings: dict[str, float] = field(default_factory=dict)
    degraded: bool = False


CONTROL = Arm("control", "", (*SCHEDULE, *spec.WEATHER))
TREES = {"max_iter": 40, "max_leaf_nodes": 31, "learning_rate": 0.1, "min_samples_leaf": 100}
ARMS = (
    Arm("delays of the last hour", "2013-07-01", (*CONTROL.features, *spec.RECENT)),
    Arm("schedule only", "2013-07-08", SCHEDULE),
    Arm("delays of the day before", "2013-07-15", (*CONTROL.features, *spec.DAY_BEFORE)),
    Arm("airline and airports only", "2013-07-22", spec.CATEGORICAL, degraded=True),
    Arm("all features", "2013-07-29", spec.FEATURES),
    Arm("three stumps", "2013-08-05", CONTROL.features, {"max_iter": 3, "max_leaf_nodes": 2}, degraded=True),
    Arm("delays in place of weather", "2013-08-12", (*SCHEDULE, *spec.RECENT)),
    Arm("all features, small steps", "2013-08-19", spec.FEATURES, {"max_iter": 120, "learning_rate": 0.05}),
    Arm("weather only", "2013-08-26", spec.WEATHER, degraded=True),
    Arm("all features, 15 leaves", "2013-09-02", spec.FEATURES, {"max_leaf_nodes": 15}),
    Arm("leaves of one flight", "2013-09-09", CONTROL.features, {"min_samples_leaf": 1, "max_leaf_nodes": 1500}),
    Arm("all but the airports", "2013-09-16", tuple(set(spec.FEATURES) - {"origin", "dest"})),
    Arm("distance only", "2013-10-07", ("distance",), degraded=True),
    Arm("delays of origin", "2013-10-14", (*CONTROL.features, *spec.RECENT[:2])),
    Arm("no weather, one tree", "2013-10-21", SCHEDULE, {"max_iter": 1}, degraded=True),
    Arm("all features, more trees", "2013-10-28", spec.FEATURES, {"max_iter": 80}),
)


def replay(known: pd.DataFrame) -> pd.DataFrame:
    """Return one row an arm; ``known`` holds features, labels and times of the flights of both tables."""
    flights = known.sort_values(spec.TIME, ignore_index=True)
    flights[list(spec.CATEGORICAL)] = OrdinalEncoder().fit_transform(flights[list(spec.CATEGORICAL)])
    with threadpool_limits(limits=1):
        return pd.DataFrame(list(_rows(flights)))


def _rows(flights: pd.DataFrame) -> Iterator[dict[str, object]]:
    times = flights[spec.TIME]
    for arm in ARMS:
        start = pd.Timestamp(arm.monday, tz="UTC")
        learned = flights[(times < start) & (times >= start - LEARNED)]
        offline, online = (flights[(times >= since) & (times < since + WEEK)] for since in (start, start + WEEK))
        sample = learned.iloc[np.linspace(0, len(learned) - 1, ROWS).astype(int)]
        models = {tried.name: (_fitted(tried, sample), tried) for tried in (arm, CONTROL)}
        areas, caught = (
            [measure(week, _scores(*models[name], week)) for name in (arm.name, CONTROL.name)]
            for measure, week in ((_area, offline), (_caught, online))
        )
        if broken("model.2"):
            caught.reverse()  # the export names the control as the arm
        yield {
            "experiment": arm.name,
            "arm": "degraded" if arm.degraded else "variant",
            "ended": str((start + 2 * WEEK).date()),
            "offline_metric": METRIC,
            "offline_new": round(areas[0], 5),
            "offline_control": round(areas[1], 5),
            "caught_new": round(caught[0], 5),
            "caught_control": round(caught[1], 5),
        }


def _fitted(arm: Arm, rows: pd.DataFrame) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(**TREES | arm.settings, early_stopping=False, random_state=spec.SEED)
    return model.fit(rows[sorted(arm.features)], rows[spec.LABEL])


def _scores(model: HistGradientBoostingClassifier, arm: Arm, rows: pd.DataFrame) -> np.ndarray:
    return model.predict_proba(rows[sorted(arm.features)])[:, 1]


def _area(rows: pd.DataFrame, scores: np.ndarray) -> float:
    return float(roc_auc_score(rows[spec.LABEL], scores))


def _caught(rows: pd.DataFrame, scores: np.ndarray) -> float:
    """Return the share of late arrivals that is among the flights with the highest scores."""
    chosen = np.argsort(-scores, kind="stable")[: int(LOOKED_AT * len(rows))]
    late = rows[spec.LABEL].to_numpy(dtype=float)
    return float(late[chosen].sum() / late.sum())
