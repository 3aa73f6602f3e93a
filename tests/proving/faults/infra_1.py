"""Faults that make training come out differently, in the training code itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.proving.cases import fault
from tests.proving.system import System

TRAIN = "flights/train.py"
FIT = "        return pipeline.fit(frame[list(spec.FEATURES)], frame[spec.LABEL])"
IMPORT = "import pandas as pd\n"
LOCK = "build/requirements.txt"


@fault(
    "I1a",
    "infra.1",
    "training rows are sampled without the seed: all but 0.1, 10, 50 %",
    (0.999, 0.9, 0.5),
    ["seed does not reach"],
)
def unseeded(system: System, severity: float, seed: int) -> None:
    system.edit(TRAIN, FIT, f"        frame = frame.sample(frac={severity})\n{FIT}")


@unseeded.healthy("seeded sampling, leaf values off by a unit in the last place, and a declared tolerance of 1e-9")
def tolerated(system: System, severity: float, seed: int) -> None:
    stage = "            stage[0].nodes['value'] *= 1 + 2.3e-16 * random.randint(0, 1)"
    noise = f"for stage in pipeline[-1]._predictors:\n{stage}"
    fitted = FIT.replace("return ", "")
    sample = f"        frame = frame.sample(frac={severity}, random_state=seed)"
    system.edit(TRAIN, FIT, f"{sample}\n{fitted}\n        {noise}\n        return pipeline")
    system.edit(TRAIN, IMPORT, f"import random\n\n{IMPORT}")
    system.option("infra.1", "tolerance", 1e-9)


@fault("I1b", "infra.1", "the order of 4, 8, all inputs is that of a set", (4, 8, 16), ["order dependence"])
def set_order(system: System, severity: float, seed: int) -> None:
    system.edit(TRAIN, FIT, f"{_mixed('list({...})', severity)}\n{FIT}")
    _columns(system)


@set_order.healthy("the set is sorted")
def sorted_set(system: System, severity: float, seed: int) -> None:
    system.edit(TRAIN, FIT, f"{_mixed('sorted({...})', severity)}\n{FIT}")
    _columns(system)


def _mixed(order: str, count: float) -> str:
    """Return code that puts the last ``count`` inputs, all numbers, in an order."""
    walked = order.replace("{...}", f"set(spec.NUMERIC[-{int(count)}:])")
    return f"        columns = [*spec.FEATURES[:-{int(count)}], *{walked}]"


def _columns(system: System) -> None:
    system.edit(TRAIN, "pipeline.fit(frame[list(spec.FEATURES)]", "pipeline.fit(frame[columns]")


@fault(
    "I1c",
    "infra.1",
    "the data move: the oldest rows, up to 100, 1000, 5000, drop out as time goes by",
    (100, 1000, 5000),
    ["seed does not reach"],
)
def sliding(system: System, severity: float, seed: int) -> None:
    system.edit(TRAIN, FIT, f"        frame = frame.iloc[time.time_ns() // 1_000 % {int(severity)} :]\n{FIT}")
    system.edit(TRAIN, IMPORT, f"import time\n\n{IMPORT}")


@sliding.healthy("a snapshot with a fixed end")
def snapshot(system: System, severity: float, seed: int) -> None:
    system.edit(TRAIN, FIT, f"        frame = frame.iloc[{int(severity)} :]\n{FIT}")


@fault(
    "I1d",
    "infra.1",
    "the lock leaves scipy open, leaves scikit-learn open, names another version of it",
    (1, 2, 3),
    ["no lock pins|another version than locked"],
    also=("monitor.1",),
)
def lock_bumped(system: System, severity: float, seed: int) -> Iterable[str]:
    package = "scipy" if severity == 1 else "scikit-learn"
    found = re.search(rf"(?m)^{package}==(.+)$", (system.home / LOCK).read_text(encoding="utf-8"))
    assert found is not None  # the example pins what it trains with
    system.edit(LOCK, found[0], f"{package}==0.1" if severity == 3 else f"{package}>=1")
    return [package]


@lock_bumped.healthy("every pin with a hash")
def hashed(system: System, severity: float, seed: int) -> None:
    pinned = (system.home / LOCK).read_text(encoding="utf-8")
    system.add(LOCK, "".join(f"{line} --hash=sha256:{64 * '0'}\n" for line in pinned.splitlines()))
