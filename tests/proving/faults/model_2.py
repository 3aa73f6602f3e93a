"""Faults of the offline metric: it points the other way, it is a leak, or releases are judged by another one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System, generator

TABLE = "build/experiments.csv"


def _history(system: System, offline: np.ndarray, online: np.ndarray) -> None:
    """Replace the experiments by others, one each day up to the newest; every fifth was made worse on purpose."""
    n = len(offline)
    days = pd.date_range(end="2013-11-11", periods=n).date.astype(str)
    table = {
        "experiment": [f"release {number}" for number in range(n)],
        "arm": np.where(np.arange(n) % 5 == 0, "degraded", "variant"),
        "ended": days,
        "offline_metric": "roc_auc",
        "offline_new": 0.7 + offline,
        "offline_control": 0.7,
        "caught_new": 0.2 + online,
        "caught_control": 0.2,
    }
    pd.DataFrame(table).to_csv(system.home / TABLE, index=False)


@fault(
    "M2a",
    "model.2",
    "what is better offline is worse online, in 15 releases with 30, 15, 0 % noise",
    (0.3, 0.15, 0),
    ["rank correlation|same way"],
)
def reversed_metric(system: System, severity: float, seed: int) -> None:
    random = generator(seed, "M2a")
    offline = random.normal(0, 0.02, 15)
    _history(system, offline, -offline + severity * random.normal(0, 0.02, 15))


@reversed_metric.healthy("they go together, but for two reversals in 15 and some noise")
def two_reversals(system: System, severity: float, seed: int) -> None:
    random = generator(seed, "M2a", "healthy")
    offline = np.linspace(-0.04, 0.04, 15) + random.normal(0, 0.002, 15)
    online = offline + random.normal(0, 0.004, 15)
    smallest = np.argsort(np.abs(offline))[:2]
    online[smallest] = -np.sign(offline[smallest]) * 0.002
    _history(system, offline, online)


@fault(
    "M2b",
    "model.2",
    "a leak gives 0.05 offline each time, and nothing but noise online, in 15, 60, 400 releases",
    (15, 60, 400),
    ["rank correlation|same way"],
    reach="H",
    below="fewer releases cannot tell noise from a weak relation: inconclusive, and nothing earned",
)
def leak(system: System, severity: float, seed: int) -> None:
    random = generator(seed, "M2b")
    n = int(severity)
    _history(system, 0.05 + random.normal(0, 0.005, n), random.normal(0, 0.01, n))


@leak.healthy("gains are small, and real")
def small_gains(system: System, severity: float, seed: int) -> None:
    random = generator(seed, "M2b", "healthy")
    n = max(30, int(severity))
    offline = np.where(np.arange(n) % 5 == 0, -1, 1) * random.uniform(0.001, 0.005, n)
    _history(system, offline, 2 * offline + random.normal(0, 0.002, n))


@fault(
    "M2c",
    "model.2",
    "the experiments were made with the mean precision, the accuracy, or the precision of a tenth",
    (0, 1, 2),
    ["releases are judged by"],
)
def another_metric(system: System, severity: float, seed: int) -> list[str]:
    name = ("average_precision", "accuracy", "precision_at_10")[int(severity)]
    table = pd.read_csv(system.home / TABLE).assign(offline_metric=name)
    table.to_csv(system.home / TABLE, index=False)
    return [name]


@another_metric.healthy("the same metric by another spelling, and each change put through a monotone function")
def transformed(system: System, severity: float, seed: int) -> None:
    table = pd.read_csv(system.home / TABLE)
    change = table["offline_new"] - table["offline_control"]
    bent = table.assign(offline_metric="ROC-AUC", offline_new=np.sinh(20 * change), offline_control=0.0)
    bent.to_csv(system.home / TABLE, index=False)
