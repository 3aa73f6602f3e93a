"""Faults of the declared age: the world that the training rows come from moves faster than it allows for."""

from __future__ import annotations

import pandas as pd

from tests.proving.cases import NEVER, fault
from tests.proving.system import System, generator, some

LOST = "quality lost at the maximum age"

TRAINER = "[tool.mltestscore.trainer]"


@fault(
    "M4a",
    "model.4",
    "nobody can say how quality falls with age, as nothing trains the model again: the trainer is not configured",
    (0, 0, 0),
    ["trainer"],
    turns="not_offered",
)
def no_curve(system: System, severity: float, seed: int) -> None:
    text = (system.home / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index(TRAINER) : text.index("\n[", text.index(TRAINER))]
    system.edit("pyproject.toml", section, "")


@no_curve.healthy("the rows of two of the nine months are lost, so that the curve has gaps")
def gaps(system: System, severity: float, seed: int) -> None:
    def kept(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[~frame["scheduled_departure"].dt.month.isin([3, 4])]

    system.change(("training",), kept)


@fault(
    "M4b",
    "model.4",
    "60 days are declared; from June on late means in time for 40, 70, 100 % of the flights",
    (0.4, 0.7, 1.0),
    [LOST],
    also=("data.2",),
    reach="M",
    below="a fresh model learned most of its rows before, so that it hardly knows so small a change either",
)
def flipped(system: System, severity: float, seed: int) -> None:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        turned = some(frame, severity, seed) & (frame["scheduled_departure"] >= "2013-06-01").to_numpy()
        return frame.assign(late=frame["late"].where(~turned, 1 - frame["late"]))

    system.change(("training",), change)


@flipped.healthy("the same share of labels is wrong in all months: harder, and as hard for a fresh model")
def noisy(system: System, severity: float, seed: int) -> None:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        turned = generator(seed, "M4b").random(len(frame)) < 0.3 * severity
        return frame.assign(late=frame["late"].where(~turned, 1 - frame["late"]))

    system.change(("training",), change)


@fault(
    "M4c",
    "model.4",
    "as M4b, and the rows carry the times of each other, so that what is split by time is split at random",
    (0.4, 0.7, 1.0),
    [LOST],
    reach=NEVER,
    below="the check splits by time itself; times that are not true cannot be told from those of a world that stays",
    at_length=True,
)
def untrue_times(system: System, severity: float, seed: int) -> None:
    flipped.inject(system, severity, seed)

    def mixed(frame: pd.DataFrame) -> pd.DataFrame:
        times = generator(seed, "M4c").permutation(frame["scheduled_departure"])
        return frame.assign(
            scheduled_departure=pd.Series(times, frame.index).astype(frame["scheduled_departure"].dtype)
        )

    system.change(("training",), mixed)


@untrue_times.healthy("the rows stand in any order, each with its own time")
def any_order(system: System, severity: float, seed: int) -> None:
    system.change(("training",), lambda frame: frame.sample(frac=1, random_state=seed))
