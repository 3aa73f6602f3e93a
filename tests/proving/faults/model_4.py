"""Faults of the declared age: the world that the training rows come from moves faster than it allows for."""

from __future__ import annotations

import pandas as pd

from tests.proving.cases import fault, left_out
from tests.proving.system import System, generator, some

LOST = "quality lost at the maximum age"

left_out("M4a", "the check makes the record itself; without a trainer it is not offered, which its tests hold it to")


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


left_out("M4c", "the check splits by time itself; a table of times that are not true cannot be told from one that is")
