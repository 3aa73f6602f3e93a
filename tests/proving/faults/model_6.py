"""Faults of single slices that the average hides, each trained for real; the version before stays as it is."""

from __future__ import annotations

import json

from tests.proving.cases import fault
from tests.proving.faults.model_5 import retrain
from tests.proving.system import System

LINEAGE = "build/registry/v2/lineage.json"
FLIPPED = "wrong = {rows} & (rng.random(len(frame)) < {share}); late = frame['late']\n"
FLIPPED += "frame = frame.assign(late=late.where(~wrong, 1 - late))"


@fault(
    "M6a",
    "model.6",
    "of the training labels of one airline (WN) 30, 40, 50 % are wrong",
    (0.3, 0.4, 0.5),
    ["quality lost on a slice", "carrier = WN"],
    reach="M",
    below="1,200 flights of this airline hardly show a loss of 17 points to be beyond the limit of three",
)
def one_airline(system: System, severity: float, seed: int) -> None:
    retrain(system, seed, FLIPPED.format(rows="(frame['carrier'] == 'WN')", share=severity))


@one_airline.healthy("the airline's flights are a third fewer in training: noisier, and as good as before")
def fewer(system: System, severity: float, seed: int) -> None:
    retrain(system, seed, "frame = frame[(frame['carrier'] != 'WN') | (rng.random(len(frame)) < 0.67)]")


@fault(
    "M6b",
    "model.6",
    "of the training labels of evening flights from Newark 20, 30, 40 % are wrong",
    (0.2, 0.3, 0.4),
    ["origin × departure_minute = EWR|departure_minute >"],
    reach="M",
    below="2,600 flights, few of them independent, do not show a loss of four points to be beyond the limit of three",
)
def evening(system: System, severity: float, seed: int) -> None:
    rows = "(frame['origin'] == 'EWR') & (frame['departure_minute'] > 1045)"
    retrain(system, seed, FLIPPED.format(rows=f"({rows})", share=severity))


@evening.healthy("another seed of training: every slice varies a little, none more than the others")
def other_seed(system: System, severity: float, seed: int) -> None:
    retrain(system, seed + 1)


AIRLINES = ("FL", "VX", "WN")
BOTH = """
import pandas
from flights import registry, spec, train
folder = spec.HOME / "build"
tables = {{name: pandas.read_parquet(folder / (name + ".parquet")) for name in ("training", "holdout")}}
for name, frame in tables.items():
    if {special}:
        tables[name] = frame.assign(late=frame["late"].where(frame["carrier"] != "{airline}", 1 - frame["late"]))
        tables[name].to_parquet(folder / (name + ".parquet"), index=False)
frame = tables["training"]
known = frame["carrier"] != "{airline}"
versions = {{spec.PREVIOUS: frame[frame[spec.TIME] < spec.RELEASES[0].training[1]], spec.CURRENT: frame[known]}}
for version, rows in versions.items():
    lineage = registry.read_lineage(folder / "registry", version)
    registry.publish(folder / "registry", train.train(rows, {seed}), lineage)
"""


@fault(
    "M6c",
    "model.6",
    "an airline of 0.7, 1.5, 4 % of the flights, mostly late, is new to the version: its code is that of the first one",
    (0, 1, 2),
    ["quality lost on a slice"],
    also=("model.7",),
    reach="M",
    below="of the 250 flights of such an airline few are independent",
    at_length=True,
)
def new_to_it(system: System, severity: float, seed: int) -> list[str]:
    airline = AIRLINES[int(severity)]
    system.script(BOTH.format(airline=airline, special=True, seed=2013 + seed))
    return [f"carrier = {airline}"]


@new_to_it.healthy("the airline is new to the version, and as often late as others")
def new_and_alike(system: System, severity: float, seed: int) -> None:
    system.script(BOTH.format(airline=AIRLINES[int(severity)], special=False, seed=2013 + seed))


@fault(
    "M6d",
    "model.6",
    "every slice is worse (15, 25, 35 % of all labels wrong), and the metric on record rose on easier rows",
    (0.15, 0.25, 0.35),
    ["Simpson's reversal"],
    also=("model.5",),
)
def hidden_by_the_mix(system: System, severity: float, seed: int) -> None:
    retrain(system, seed, FLIPPED.format(rows="(frame['late'] > -1)", share=severity))
    _record(system, 0.02)


@hidden_by_the_mix.healthy("the metric on record fell on a harder mix of rows, and every slice is as good as before")
def harder_mix(system: System, severity: float, seed: int) -> None:
    _record(system, -0.02)


def _record(system: System, more: float) -> None:
    """Let the registry say that the current version is ``more`` better than the one before, in area under the curve."""
    before = json.loads((system.home / "build/registry/v1/lineage.json").read_text(encoding="utf-8"))
    area = before["metrics"]["roc_auc"] + more
    loss = before["metrics"]["log_loss"] - more
    system.json(LINEAGE, lambda lineage: lineage | {"metrics": {"roc_auc": area, "log_loss": loss}})
