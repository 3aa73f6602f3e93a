"""Healthy systems with very many rows or columns, with none, with a log of some rows only, or on a busy machine."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

from tests.proving.cases import control
from tests.proving.faults.monitor_6 import served
from tests.proving.system import PATHS, TABLES, System, generator, some

DATA = ("data.1", "monitor.2", "monitor.3")
WEEK = (*DATA, "monitor.5")
MILLION = 10**6
BURNER = "import time\nend = time.time() + 300\nwhile time.time() < end:\n    pass"


def _million(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a million rows: as many more flights, under keys of their own, in the same hours."""
    times = -(-MILLION // len(frame))
    many = pd.concat([frame] * times, ignore_index=True)
    number = np.repeat(np.arange(times), len(frame)).astype(str)
    return many.assign(flight_id=many["flight_id"] + "/" + number).head(MILLION)


@control("a million rows", "1, 21", "a million rows are served, in the hours of the week", at_length=(*WEEK, "data.5"))
def million(system: System, seed: int) -> None:
    system.change(PATHS, _million)


@control("a shift within the limits", "21", "a million rows, delays a tenth of a per cent longer", at_length=WEEK)
def benign(system: System, seed: int) -> None:
    """With so many rows every test of equality is sure of the difference, which is no harm."""

    def shifted(frame: pd.DataFrame) -> pd.DataFrame:
        delays = [name for name in frame if "delay" in name]
        rare = _million(frame)
        gone = some(rare, 0.01, seed)
        rare = rare.assign(**rare[delays] * 1.001)
        return rare.assign(carrier_delay_last_3_hours=rare["carrier_delay_last_3_hours"].mask(gone))

    system.change(PATHS, shifted)


@control("500 columns", "2", "480 columns more, drawn alike everywhere, that no model reads", at_length=WEEK)
def wide(system: System, seed: int) -> None:
    def widened(frame: pd.DataFrame, name: str) -> pd.DataFrame:
        rng = generator(seed, "week" if name in PATHS else name)  # both paths draw alike: same rows, same order
        ordered = frame.sort_values("flight_id").index
        drawn: dict[str, Any] = {f"number_{n}": rng.normal(n, 1 + n, len(frame)) for n in range(240)}
        drawn |= {f"count_{n}": rng.poisson(1 + n / 10, len(frame)).astype(float) for n in range(120)}
        drawn |= {f"kind_{n}": rng.choice(list("abcdefgh")[: 2 + n % 7], len(frame)) for n in range(120)}
        return pd.concat([frame, pd.DataFrame(drawn, index=ordered).reindex(frame.index)], axis=1)

    for name in TABLES:
        system.change((name,), lambda frame, name=name: widened(frame, name))  # type: ignore[misc]


@control("empty batch", "24", "nothing was served", at_length=(*WEEK, "monitor.7", "infra.5", "data.5"))
def empty(system: System, seed: int) -> None:
    system.change(PATHS, lambda frame: frame.head(0))


@control("sampled log", "20", "the log keeps one flight in ten", at_length=(*WEEK, "monitor.7", "infra.5"))
def sampled(system: System, seed: int) -> None:
    system.change(PATHS, lambda frame: frame[some(frame, 0.1, seed)])


@control("labels lost", "20", "3 % of the served flights have no label or never arrived", at_length=("monitor.7",))
def unlabelled(system: System, seed: int) -> None:
    system.change(["outcomes"], lambda frame: frame[~some(frame, 0.015, seed)].reset_index(drop=True))


BUSY = ("data.3", "infra.3", "infra.6", "infra.7", "data.6")


@control("noisy machine", "19", "another process burns a processor all the time", "monitor.6", at_length=BUSY)
def noisy(system: System, seed: int) -> None:
    system.beside.append([sys.executable, "-c", BURNER])


@control(
    "cold start", "19", "the first answer takes a second", at_length=("monitor.6", "infra.3", "infra.6", "infra.7")
)
def cold(system: System, seed: int) -> None:
    served(system, "if not KEPT:\n    KEPT.append(1)\n    time.sleep(1)", current_only=False)


@control("collector", "19", "every fiftieth answer waits for a collection of 20 ms", at_length=("monitor.6", "infra.6"))
def collector(system: System, seed: int) -> None:
    served(system, "time.sleep(0.02 if calls % 50 == 0 else 0)", current_only=False)
