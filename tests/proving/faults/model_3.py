"""Faults of settings that nobody searched: untuned ones, a record that was made up, a search on the holdout."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from tests.proving.cases import fault
from tests.proving.system import System

TRIALS = "build/trials.csv"
LINEAGE = "build/registry/v2/lineage.json"


def _change(system: System, **columns: object) -> None:
    trials = pd.read_csv(system.home / TRIALS)
    trials.assign(**columns).to_csv(system.home / TRIALS, index=False)


def _in_service(system: System, **settings: object) -> None:
    system.json(LINEAGE, lambda lineage: lineage | {"parameters": lineage["parameters"] | settings})


@fault(
    "M3a",
    "model.3",
    "untuned: the learning rate in service is 10, 30, 100 times what it was",
    (10, 30, 100),
    ["outside the searched space", "learning_rate ="],
)
def untuned(system: System, severity: float, seed: int) -> None:
    _in_service(system, learning_rate=0.15 * severity)


@untuned.healthy("the settings in service are those of the trial, rounded a little")
def rounded(system: System, severity: float, seed: int) -> None:
    _in_service(system, learning_rate=0.1505)


@fault(
    "M3b",
    "model.3",
    "a made-up record: 20 rows that ended 10, 30, 365 days after the release, all of one trial",
    (10, 30, 365),
    ["trials of different settings", "ended after the release"],
)
def made_up(system: System, severity: float, seed: int) -> None:
    first = pd.read_csv(system.home / TRIALS).iloc[[0] * 20]
    day = pd.Timestamp("2013-10-07", tz="UTC") + pd.Timedelta(days=severity)
    first.assign(ended=day.isoformat()).to_csv(system.home / TRIALS, index=False)


@made_up.healthy("20 trials, three more that failed, and a search that went on after the release")
def went_on(system: System, severity: float, seed: int) -> None:
    trials = pd.read_csv(system.home / TRIALS)
    failed = trials.iloc[1:4].assign(roc_auc=np.nan)
    day = pd.Timestamp("2013-10-07", tz="UTC") + pd.Timedelta(days=severity)
    later = trials.iloc[1:9].assign(ended=day.isoformat(), learning_rate=lambda rows: rows["learning_rate"] * 0.9)
    pd.concat([trials, failed, later]).to_csv(system.home / TRIALS, index=False)


@fault(
    "M3c",
    "model.3",
    "the search was judged on the holdout: it names the file, or has the metric of it to six or nine digits",
    (0, 6, 9),
    ["judged on the holdout"],
)
def on_the_holdout(system: System, severity: float, seed: int) -> None:
    if not severity:
        return _change(system, judged_on="build/holdout.parquet")
    holdout = system.table("holdout")
    scores = "import pandas; from flights import registry, spec; frame = pandas.read_parquet('build/holdout.parquet');"
    scores += "model = registry.load(spec.HOME / 'build/registry', spec.CURRENT);"
    scores += "print(*model.predict_proba(frame[list(spec.FEATURES)])[:, 1].tolist())"
    area = roc_auc_score(holdout["late"], [float(text) for text in system.script(scores).split()])
    trials = pd.read_csv(system.home / TRIALS)
    trials.loc[0, "roc_auc"] = round(float(area), int(severity))
    trials.to_csv(system.home / TRIALS, index=False)
    return None


@on_the_holdout.healthy("nested validation on other rows of training, named by its own file")
def nested(system: System, severity: float, seed: int) -> None:
    _change(system, judged_on="build/validation.parquet")
