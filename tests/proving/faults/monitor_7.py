"""Faults between the score, the log and the label, after a model that is as good as ever."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.proving.cases import NEVER, fault
from tests.proving.system import System, generator, some

LOST = "quality lost between the model and its served scores"


@fault(
    "O7a",
    "monitor.7",
    "of the rows 10, 50, 100 % get the scores of each other",
    (0.1, 0.5, 1.0),
    [LOST],
    reach="M",
    below="a tenth of the rows of six days loses two points, the limit itself",
)
def mixed_up(system: System, severity: float, seed: int) -> None:
    def mixed(frame: pd.DataFrame) -> pd.DataFrame:
        scores, hit = frame["score"].to_numpy(copy=True), np.flatnonzero(some(frame, severity, seed))
        order = hit[np.argsort(frame["flight_id"].to_numpy()[hit])]
        scores[order] = np.roll(scores[order], 1)
        return frame.assign(score=scores)

    system.change(["serving"], mixed)


@mixed_up.healthy("the log is written in another order, each score with its flight")
def another_order(system: System, severity: float, seed: int) -> None:
    system.change(["serving"], lambda frame: frame.sample(frac=1, random_state=seed, ignore_index=True))


@fault(
    "O7b",
    "monitor.7",
    "a step after the model turns each score into its power of 1.5, 2, 3: the order stays, the calibration goes",
    (1.5, 2.0, 3.0),
    [LOST],
    reach="M",
    below="a loss of five points, of which six days show no more than that it is one",
)
def powers(system: System, severity: float, seed: int) -> None:
    system.change(["serving"], lambda frame: frame.assign(score=frame["score"] ** severity))


@powers.healthy("scores are logged with three digits")
def rounded(system: System, severity: float, seed: int) -> None:
    system.change(["serving"], lambda frame: frame.assign(score=frame["score"].round(3)))


@fault(
    "O7c",
    "monitor.7",
    "of the labels of late flights 20, 40, 60 % never come",
    (0.2, 0.4, 0.6),
    ["served rows whose label is overdue"],
    reach="M",
    below="a fifth of them is 3 % of all labels, as many as may be missing",
)
def lost_positives(system: System, severity: float, seed: int) -> None:
    system.change(
        ["outcomes"], lambda frame: frame[~((frame["late"] == 1) & some(frame, severity, seed))].reset_index(drop=True)
    )


@lost_positives.healthy("all labels come a day later than they did")
def a_day_later(system: System, severity: float, seed: int) -> None:
    def later(frame: pd.DataFrame) -> pd.DataFrame:
        known = frame["known_at"] + pd.Timedelta(days=1)
        return frame.assign(known_at=known)[known <= pd.Timestamp("2013-11-18T13:00Z")].reset_index(drop=True)

    system.change(["outcomes"], later)


@fault(
    "O7d",
    "monitor.7",
    "of the labels 10, 50, 100 % are what the model said: late where its score is above one half",
    (0.1, 0.5, 1.0),
    ["bias|calibration"],
    reach=NEVER,
    below="such labels make the model look better, and a jump at its threshold may be what acting on it did: only rows "
    "that were decided at random can tell",
    at_length=True,
)
def fed_back(system: System, severity: float, seed: int) -> None:
    said = system.table("serving").set_index("flight_id")["score"] > 0.5

    def own(frame: pd.DataFrame) -> pd.DataFrame:
        known = said.reindex(frame["flight_id"], fill_value=False).to_numpy().astype("int64")
        return frame.assign(late=frame["late"].where(~some(frame, severity, seed), known))

    system.change(["outcomes"], own)


@fed_back.healthy("labels agree with a model that is right about every chance: they are drawn with the served scores")
def drawn(system: System, severity: float, seed: int) -> None:
    score = system.table("serving").set_index("flight_id")["score"]

    def fallen(frame: pd.DataFrame) -> pd.DataFrame:
        chance = score.reindex(frame["flight_id"], fill_value=0.2).to_numpy()
        return frame.assign(late=(generator(seed, "O7d").random(len(frame)) < chance).astype("int64"))

    system.change(["outcomes"], fallen)
