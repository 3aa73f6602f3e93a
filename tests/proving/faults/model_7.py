"""Faults of unequal treatment; the airport stands for the people that it serves, as the example says."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.faults.data_2 import with_features
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


BLOCKS = """
codes = rng.permutation(40)
for name, frame in tables.items():
    group = frame["flight_id"].map(lambda key: sum(key.encode()) % 2).to_numpy()
    other = rng.random(len(frame)) < {share}
    frame["zip3"] = 100.0 + codes[2 * rng.integers(0, 20, len(frame)) + (group ^ other)]
    frame["crew"] = numpy.where(group == 1, "odd", "even")
"""
ENTRY = """
[features.zip3]
owner = "Dispatch desk of the flights example"
description = "The first three digits of where the crew lives"
source = "flights"
cost = "request"

[columns.crew]
protected = true
"""


@fault(
    "M7d",
    "data.4",
    "the model reads the first digits of a postal code; each tells the protected group, but for 6, 3, 0 % of the rows",
    (0.06, 0.03, 0.0),
    ["protected", "zip3 for crew"],
    at_length=True,
)
def postal_code(system: System, severity: float, seed: int) -> None:
    _coded(system, severity, seed)


@postal_code.healthy("such digits, which hardly tell the group")
def mixed_quarters(system: System, severity: float, seed: int) -> None:
    _coded(system, 0.45, seed)


def _coded(system: System, share: float, seed: int) -> None:
    with_features(system, ["zip3"], BLOCKS.format(share=share), seed)
    text = (system.home / "catalogue.toml").read_text(encoding="utf-8")
    (system.home / "catalogue.toml").write_text(text + ENTRY, encoding="utf-8")
