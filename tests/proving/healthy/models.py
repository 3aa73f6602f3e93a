"""Healthy systems with another model, rarer events, another month to judge by, or small groups of people."""

from __future__ import annotations

import pandas as pd

from tests.proving.cases import control
from tests.proving.faults.model_5 import retrain
from tests.proving.system import System, generator

LEARNED = ("data.2", "data.3", "model.5", "monitor.5")
JUDGED = ("model.6", "model.7")
PROTECTED = 'protected = ["origin"]'
FIVE = """
import pandas
from flights import registry, spec, train
spec.FEATURES = (*spec.CATEGORICAL, "departure_minute", "origin_delay_last_hour")
folder = spec.HOME / "build"
for release in spec.RELEASES:
    frame = pandas.read_parquet(folder / "training.parquet")
    model = train.train(frame[frame[spec.TIME] < release.training[1]], {seed})
    registry.publish(folder / "registry", model, registry.read_lineage(folder / "registry", release.version))
for name in ("serving",):
    week = pandas.read_parquet(folder / (name + ".parquet"))
    week.assign(score=model.predict_proba(week[list(spec.FEATURES)])[:, 1]).to_parquet(folder / (name + ".parquet"))
"""
HELD_OUT = """
from flights import spec
from flights.parts import Parts
Parts(spec.HOME / "build")._labelled(("2013-11-11", "2013-12-16")).to_parquet("build/holdout.parquet", index=False)
"""


def _thinned(frame: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    late = frame["late"] == 1
    kept = frame[late].sample(int(share * len(frame)), random_state=seed)
    return pd.concat([frame[~late], kept]).sort_index()


@control("rare event", "15", "one flight in a thousand is late", *LEARNED[:3], "infra.1", "data.1")
def rare(system: System, seed: int) -> None:
    system.change(("training", "holdout"), lambda frame: _thinned(frame, 0.001, seed))


@control(
    "rare event learned", "15", "one flight in a thousand is late, as the model knows", at_length=(*LEARNED, *JUDGED)
)
def rare_and_known(system: System, seed: int) -> None:
    rare.change(system, seed)
    retrain(system, 2013 + seed)


@control("nobody late", "15", "no flight of three small airlines was late", at_length=("model.5", *JUDGED, "monitor.7"))
def nobody_late(system: System, seed: int) -> None:
    def punctual(frame: pd.DataFrame) -> pd.DataFrame:
        airline = frame["flight_id"].str[:2]
        return frame[~(airline.isin(["HA", "AS", "YV"]) & (frame["late"] == 1))].reset_index(drop=True)

    system.change(("holdout", "outcomes"), punctual)


@control("another seed", "16", "the same model, trained with another seed", *LEARNED, "monitor.6", at_length=JUDGED)
def another_seed(system: System, seed: int) -> None:
    retrain(system, 77 + seed)


NARROW = ("data.1", "data.2", "model.5", "monitor.5", "monitor.7", *JUDGED)


@control("five inputs", "2", "both versions read five inputs", at_length=NARROW)
def five(system: System, seed: int) -> None:
    system.option("data.2", "groups", [])  # of readings that no version asks for any more
    system.script(FIVE.format(seed=2013 + seed))


@control("next month held out", "3", "the five weeks from 11 November, same model", at_length=("model.5", *JUDGED))
def next_month(system: System, seed: int) -> None:
    system.script(HELD_OUT)


@control("twelve groups", "17", "a protected column of a large group and eleven of 5 to 50 people", at_length=JUDGED)
def groups(system: System, seed: int) -> None:
    def grouped(frame: pd.DataFrame) -> pd.DataFrame:
        crew = pd.Series("most", frame.index, dtype=object)
        order = generator(seed, "groups").permutation(frame.index)
        sizes = [5 + 9 * n // 2 for n in range(11)]
        for number, size in enumerate(sizes):
            crew[order[sum(sizes[:number]) : sum(sizes[:number]) + size]] = f"group {number}"
        return frame.assign(crew=crew)

    system.change(("holdout",), grouped)
    system.edit("pyproject.toml", PROTECTED, 'protected = ["origin", "crew"]\nignore = ["crew"]')
    system.edit("pyproject.toml", 'slices = ["carrier", "origin", [', 'slices = ["crew", "carrier", "origin", [')
