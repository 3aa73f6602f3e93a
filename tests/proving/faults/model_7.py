"""Faults of unequal treatment; the airport stands for the people that it serves, as the example says."""

from __future__ import annotations

from tests.proving.cases import fault, left_out
from tests.proving.faults.model_5 import retrain
from tests.proving.system import System


@fault(
    "M7a",
    "model.7",
    "of the late arrivals from LaGuardia 60, 70, 80 % are missing from training",
    (0.6, 0.7, 0.8),
    ["gap in calibration", "origin = LGA"],
    also=("model.5", "model.6"),
)
def missed(system: System, severity: float, seed: int) -> None:
    lost = f"(frame['origin'] == 'LGA') & (frame['late'] == 1) & (rng.random(len(frame)) < {severity})"
    retrain(system, seed, f"frame = frame[~({lost})]")


@missed.healthy(
    "as many flights from LaGuardia are missing, late or not; and airlines of a few dozen flights are judged"
)
def fewer(system: System, severity: float, seed: int) -> None:
    retrain(system, seed, "frame = frame[(frame['origin'] != 'LGA') | (rng.random(len(frame)) < 0.9)]")


@fault(
    "M7b",
    "model.7",
    "flights from Kennedy were labelled late 10, 15, 20 points too often in training",
    (0.10, 0.15, 0.20),
    ["gap in calibration", "origin = JFK"],
    also=("model.5", "model.6"),
    reach="M",
    below="at this level a gap of 8 points is not shown to be beyond the limit of 5",
)
def shifted(system: System, severity: float, seed: int) -> None:
    more = f"(frame['origin'] == 'JFK') & (rng.random(len(frame)) < {severity})"
    retrain(system, seed, f"frame = frame.assign(late=frame['late'].where(~({more}), 1))")


@shifted.healthy("Kennedy has one in three of its late arrivals less, in training and afterwards: calibrated as before")
def another_base_rate(system: System, severity: float, seed: int) -> None:
    for name in ("training", "holdout"):
        frame = system.table(name)
        place = frame.groupby(["origin", "late"]).cumcount()
        system.write(name, frame[(frame["origin"] != "JFK") | (frame["late"] == 0) | (place % 3 > 0)])
    retrain(system, seed)


@fault(
    "M7c",
    "model.7",
    "the protected column has another name in the holdout: in case, by a sign, altogether",
    (0, 1, 2),
    ["protected columns that the holdout has not"],
)
def renamed(system: System, severity: float, seed: int) -> list[str]:
    name = ("Origin", "origin_", "airport_of_departure")[int(severity)]
    system.edit("pyproject.toml", 'protected = ["origin"]', f'protected = ["{name}"]')
    return [name]


@renamed.healthy("a second protected column that no model reads, of two equal groups")
def another(system: System, severity: float, seed: int) -> None:
    frame = system.table("holdout")
    frame["crew"] = frame["flight_id"].map(lambda key: "even" if sum(key.encode()) % 2 else "odd")
    system.write("holdout", frame)
    system.edit("pyproject.toml", 'protected = ["origin"]', 'protected = ["origin", "crew"]\nignore = ["crew"]')


left_out("M7d", "it is D4b: an input that tells a protected attribute is found by data.4, here only its use is tested")
