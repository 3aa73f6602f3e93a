"""Faults of a model that is not worth its complexity, each trained for real."""

from __future__ import annotations

import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System, generator

RETRAIN = """
import numpy, pandas
from flights import registry, spec, train
folder = spec.HOME / "build"
frame = pandas.read_parquet(folder / "training.parquet")
rng = numpy.random.default_rng({seed})
{prepare}
model = train.train(frame, {seed})
registry.publish(folder / "registry", model, registry.read_lineage(folder / "registry", spec.CURRENT))
"""


def retrain(system: System, seed: int, prepare: str = "") -> None:
    """Train the current version again, on what ``prepare`` makes of ``frame`` (or of ``train.PARAMETERS``)."""
    system.script(RETRAIN.format(seed=seed, prepare=prepare))


@fault(
    "M5a",
    "model.5",
    "trees of 500 leaves learned from a few hundred flights",
    (1200, 600, 300),
    ["advantage over the best simple model"],
    also=("monitor.5",),
)
def overfit(system: System, severity: float, seed: int) -> None:
    loose = "learning_rate=0.5, max_iter=200, max_leaf_nodes=500, min_samples_leaf=1, l2_regularization=0.0"
    retrain(
        system, seed, f"train.PARAMETERS.update({loose}); frame = frame.sample({int(severity)}, random_state={seed})"
    )


@overfit.healthy("the model is trained again with a few more trees, and is as good as before")
def plateau(system: System, severity: float, seed: int) -> None:
    retrain(system, seed, "train.PARAMETERS.update(max_iter=140)")


@fault(
    "M5b",
    "model.5",
    "a trivial model in disguise: a share of the labels was shuffled before training",
    (0.97, 0.99, 1),
    ["advantage over the best simple model"],
    reach="H",
    below="what is left of the labels still ranks flights as well as a simple model does",
)
def disguise(system: System, severity: float, seed: int) -> None:
    shuffle = f"late = frame['late'].to_numpy().copy(); hit = rng.random(len(late)) < {severity}"
    retrain(system, seed, f"{shuffle}; late[hit] = rng.permutation(late[hit]); frame = frame.assign(late=late)")


@disguise.healthy("a rarer event, where the model is hardly more accurate than a constant and still ranks well")
def rare(system: System, severity: float, seed: int) -> None:
    for name in ("training", "holdout"):
        frame = system.table(name)
        kept = (frame["late"] == 0) | (frame.groupby("late").cumcount() % 4 == 0)
        system.write(name, frame[kept])
    retrain(system, seed)


@fault(
    "M5c",
    "model.5",
    "as M5a, and simple models are crippled: in 2, 6, 16 columns a missing number comes as a billion",
    (2, 6, 16),
    ["advantage over the best simple model"],
    at_length=True,
)
def crippled(system: System, severity: float, seed: int) -> None:
    _with_sentinels(system, severity, seed)
    overfit.inject(system, 300, seed)


@crippled.healthy("such numbers, and a model that was trained with them")
def with_sentinels(system: System, severity: float, seed: int) -> None:
    _with_sentinels(system, severity, seed)
    retrain(system, 2013)


def _with_sentinels(system: System, columns: float, seed: int) -> None:
    """Put a billion in the place of gaps, and of one number in a hundred, in columns of training and holdout."""

    def billions(frame: pd.DataFrame) -> pd.DataFrame:
        names = frame.select_dtypes("float64").columns[: int(columns)]
        lost = frame[names].isna() | (generator(seed, "M5c").random((len(frame), len(names))) < 0.01)
        return frame.assign(**frame[names].mask(lost, 1e9))

    system.change(("training", "holdout"), billions)
