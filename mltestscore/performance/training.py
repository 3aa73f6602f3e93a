"""What a training costs: against a declared budget, and on record against the version before.

The trainings that other checks ran anyway are taken; one more is run only where a budget is declared and none did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from mltestscore.details import Table
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.trainer import Trainer
from mltestscore.inputs.training_costs import TrainingCost
from mltestscore.stats.interval import Interval

TIME = "time of a training"
PEAK = "peak memory of a training"
GREW = "cost of the training on record, more than the previous version's"
COSTS = "Cost of a training"
ROWS = 20_000
"""Of a training that is measured, at most: what infra.1 takes, so that its trainings serve both."""
TIMEOUT = 300.0
MEBIBYTE = 2**20
SEED = 20_130_101
WALL = "fastest training; below it, without its waiting for a processor"
SPREAD = "least and most of all trainings"


def judge_training(
    trainer: Trainer | None,
    training: Dataset | None,
    registry: Registry | None,
    seconds: float | None,
    mb: float | None,
    tolerance: float,
) -> Iterator[Finding | Table]:
    """Hold what a training takes to its budget in seconds and MiB, and what is on record to the previous version's."""
    budgets = {name: limit for name, limit in ((TIME, seconds), (PEAK, mb)) if limit is not None}
    costs = measured(trainer, training, anew=bool(budgets))
    if budgets and not costs:
        why = "no training can be run: offer the trainer and the training data"
        yield from (undecided(name, why) for name in budgets)
    if costs:
        where = f"{costs[0].rows:,} rows"
        if seconds is not None:
            yield at_most(TIME, _time(costs), seconds, where=where, unit="s")
        if mb is not None:
            yield at_most(PEAK, _peak(costs), mb, where=where, unit="MiB")
        yield _table(costs)
    if registry is not None:
        yield from since_previous(registry, tolerance)


def measured(trainer: Trainer | None, training: Dataset | None, *, anew: bool = False) -> Sequence[TrainingCost]:
    """Return the trainings of this run on the same rows, a good sample of all; where there is none, run one ``anew``.

    Of those on enough rows with all columns, the ones with the fewest rows, so that runs can be compared.
    """
    if trainer is None:
        return ()
    least = min(ROWS, training.rows) if training else 0
    columns = len(training.columns) if training else 0
    own = [cost for cost in trainer.costs if cost.source == trainer.source and cost.columns >= columns]
    whole = [cost for cost in own if cost.rows >= least]
    if not whole and anew and training is not None:
        sample = training.sample(ROWS)
        probe = sample.frame().head(1).drop(columns=[name for name in (training.roles.label,) if name])
        trainer.train(sample, probe, seed=SEED, hash_seed=Trainer.HASH_SEEDS[0], timeout=TIMEOUT)
        whole = trainer.costs[-1:]
    return [cost for cost in whole if cost.rows == min(one.rows for one in whole)]


def since_previous(registry: Registry, tolerance: float) -> Iterator[Finding]:
    """Hold the costs in the current version's lineage to those of the version before, more rows allowed for.

    Wall time counts only where processor time is not on record: other work on the machine is in it.
    """
    now, before = registry.current, registry.previous
    if before is None:
        return
    more_rows = now.costs["rows"] / before.costs["rows"] if "rows" in now.costs and "rows" in before.costs else 1.0
    clock = "cpu_seconds" if "cpu_seconds" in now.costs and "cpu_seconds" in before.costs else "seconds"
    for name, where in ((clock, f"{clock} of {now.version}"), ("peak_mb", f"peak_mb of {now.version}")):
        if name in now.costs and name in before.costs:
            grew = now.costs[name] / (before.costs[name] * max(1.0, more_rows)) - 1
            note = f"{before.costs[name]:g} in {before.version}, {now.costs[name]:g} in {now.version}"
            note += f", which learned from {more_rows:.2g} times as many rows" if more_rows > 1 else ""
            yield at_most(GREW, grew, tolerance, where=where, unit="share", n=1, note=note)


def _time(costs: Sequence[TrainingCost]) -> Interval:
    """Return the fastest training's wall time: others were held up; what it waited itself says nothing of it either."""
    fastest = min(cost.seconds for cost in costs)
    alone = min(max(0.0, cost.seconds - cost.waited) for cost in costs)
    return Interval(fastest, min(alone, fastest), fastest, len(costs), 1.0, WALL)


def _peak(costs: Sequence[TrainingCost]) -> Interval:
    peaks = [cost.peak_bytes / MEBIBYTE for cost in costs]
    return Interval(median(peaks), min(peaks), max(peaks), len(costs), 1.0, SPREAD)


def _table(costs: Sequence[TrainingCost]) -> Table:
    return Table(
        COSTS,
        ["training", "rows", "seconds", "of these, waiting", "processor seconds", "peak memory (MiB)"],
        [
            (number, cost.rows, *(round(part, 2) for part in (cost.seconds, cost.waited, cost.cpu_seconds)),
             round(cost.peak_bytes / MEBIBYTE))
            for number, cost in enumerate(costs, start=1)
        ],
    )  # fmt: skip
