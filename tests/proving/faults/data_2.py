"""Faults of features that bring nothing or know too much, in the tables and in a model trained on them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.proving.cases import fault
from tests.proving.faults.model_5 import retrain
from tests.proving.system import System

SPEC, LAST = "flights/spec.py", "*RECENT, *DAY_BEFORE)"
WRITE = """
import numpy, pandas
from flights import raw, spec
rng = numpy.random.default_rng({seed})
known = raw.departures().set_index("flight_id")
tables = {{name: pandas.read_parquet(spec.HOME / "build" / (name + ".parquet")) for name in ("training", "holdout")}}
{code}
for name, frame in tables.items():
    frame.to_parquet(spec.HOME / "build" / (name + ".parquet"), index=False)
"""


def with_features(system: System, names: Sequence[str], code: str, seed: int) -> None:
    """Run ``code``, which adds columns to the ``tables``, and train a model that reads them."""
    system.script(WRITE.format(seed=seed, code=code))
    system.edit(SPEC, LAST, f"*RECENT, *DAY_BEFORE, {', '.join(map(repr, names))},)")
    retrain(system, 2013 + seed)


def _each(line: str) -> str:
    return f"for frame in tables.values():\n    {line}"


@fault(
    "D2a",
    "data.2",
    "1, 3, 4 columns of noise, and a model that was trained with them",
    (1, 3, 4),
    ["features shown useless", "noise_0"],
    reach="H",
    below="one useless feature in ten is tolerated, and three of 21 fail only where each of them is shown useless",
)
def noise(system: System, severity: float, seed: int) -> None:
    names = [f"noise_{number}" for number in range(int(severity))]
    drawn = _each(f"frame[{names}] = rng.normal(size=(len(frame), {len(names)}))")
    with_features(system, names, drawn, seed)


@noise.healthy("useful twins: the departure in hours, and the delay of the last hour in hours")
def twins(system: System, severity: float, seed: int) -> None:
    hours = "departure_hours=frame['departure_minute'] / 60, delay_hours=frame['origin_delay_last_hour'] / 60"
    code = f"tables = {{name: frame.assign({hours}) for name, frame in tables.items()}}"
    with_features(system, ["departure_hours", "delay_hours"], code, seed)


@fault(
    "D2b",
    "data.2",
    "a feature is the delay of the arrival, give or take 20, 10, 5 minutes",
    (20, 10, 5),
    ["early_estimate"],
    reach="M",
    below="with 20 minutes of noise it ranks flights hardly better than an honest departure delay",
)
def arrival(system: System, severity: float, seed: int) -> None:
    delay = "known['arr_delay'].reindex(frame['flight_id']).to_numpy()"
    line = f"frame['early_estimate'] = {delay} + rng.normal(scale={severity}, size=len(frame))"
    with_features(system, ["early_estimate"], _each(line), seed)


@arrival.healthy("the delay of the departure, which is known in time where predictions are made in the air")
def departure(system: System, severity: float, seed: int) -> None:
    line = "frame['left_late'] = known['dep_delay'].reindex(frame['flight_id']).to_numpy()"
    with_features(system, ["left_late"], _each(line), seed)


RATE = """
both = pandas.concat(tables.values(), ignore_index=True)
sides = pandas.Series(numpy.repeat(list(tables), [len(frame) for frame in tables.values()]))
tails = known["tailnum"].reindex(both["flight_id"]).to_numpy()
def rate(rows):
    found = both["late"][rows].groupby(tails[rows]).agg(["sum", "count"])
    return (found["sum"] + {weight} * 0.2) / (found["count"] + {weight})
{fit}
for name, frame in tables.items():
    frame["tail_rate"] = values[(sides == name).to_numpy()]
"""


@fault(
    "D2c",
    "data.2",
    "aircraft are encoded by their mean label, over the holdout too; smoothed by 50, 10, 0 flights",
    (50, 10, 0),
    ["hold the labels", "tail_rate"],
)
def encoded_on_all(system: System, severity: float, seed: int) -> None:
    fit = "values = pandas.Series(tails).map(rate(numpy.ones(len(both), dtype=bool))).to_numpy()"
    with_features(system, ["tail_rate"], RATE.format(weight=severity, fit=fit), seed)


@encoded_on_all.healthy("the same encoding, out of fold in training, and from training alone in the holdout")
def out_of_fold(system: System, severity: float, seed: int) -> None:
    fit = """
learned = (sides == "training").to_numpy()
fold = numpy.where(learned, numpy.arange(len(both)) % 5, -1)
values = numpy.full(len(both), numpy.nan)
for one in range(-1, 5):
    values[fold == one] = pandas.Series(tails[fold == one]).map(rate(learned & (fold != one))).to_numpy()
"""
    with_features(system, ["tail_rate"], RATE.format(weight=severity, fit=fit), seed)


READINGS = {"visib": 10.0, "pressure": 1013.0, "temp": 50.0}


@fault(
    "D2d",
    "data.2",
    "1, 2, 3 readings stand still since the end of July, and in the holdout",
    (1, 2, 3),
    ["features shown useless", "visib"],
    reach="M",
    below="one useless feature in ten is tolerated",
)
def dead(system: System, severity: float, seed: int) -> None:
    def stuck(line: str) -> str:
        return f"for frame in tables.values():\n    late = frame[spec.TIME] >= '2013-07-29'\n{line}"

    lines = [f"    frame.loc[late, '{name}'] = {value}" for name, value in list(READINGS.items())[: int(severity)]]
    system.script(WRITE.format(seed=seed, code=stuck("\n".join(lines))))
    retrain(system, 2013 + seed)


@dead.healthy("flags that hardly ever change: a gale, heavy rain")
def flags(system: System, severity: float, seed: int) -> None:
    line = "frame['gale'] = (frame['wind_speed'] > 30) * 1.0; frame['cloudburst'] = (frame['precip'] > 0.3) * 1.0"
    with_features(system, ["gale", "cloudburst"], _each(line), seed)
