"""Two trainings that are to give the same model: findings on their difference, and on the rows that they learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mltestscore.details import Table
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs import digests
from mltestscore.inputs.surroundings import ONE, OTHER, Surroundings
from mltestscore.inputs.training_difference import Difference, compare, ladder
from mltestscore.reproduction.cause import Cause, cause_of, rounding
from mltestscore.reproduction.lock import locked

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.registry import Registry
    from mltestscore.inputs.trainer import Trained, Trainer

SEED = 20_130_101
LARGEST = "largest difference between the predictions of two trainings"
MODELS = "models that differ in bytes and parameters"
MOVED = "training file is not the one on record"
SHA256 = "sha256:"


def exact(
    trainer: Trainer, data: Dataset, *, tolerance: float, timeout: float, explain: bool
) -> Iterator[Finding | Table]:
    """Train twice on ``data``, compare, and hold what was used to the lock; ``explain`` may cost three trainings."""
    frame = data.frame()
    probe = frame.drop(columns=[name for name in (data.roles.label,) if name])
    first, second = trainer.train_pair(data, probe, seed=SEED, timeout=timeout)
    yield from locked(trainer.lock, first, trainer.folder)
    found, last_digits = compare(first, second), rounding(first)
    cause = Cause()
    if not found.within(tolerance) and (explain or found.within(last_digits)):
        again = partial(_again, trainer, data, probe, timeout)
        cause = cause_of(again, (ONE, first), OTHER, lambda one: one.within(tolerance))
    harmless = cause.threads_alone and found.within(last_digits)
    yield from _findings(found, last_digits if harmless else tolerance, cause.text)
    yield ladder(first, second, found, frame.get(data.roles.label))
    yield _costs([ONE, OTHER], [first, second])


def _again(trainer: Trainer, data: Dataset, probe: pd.DataFrame, timeout: float, where: Surroundings) -> Trained:
    return trainer.train_in([where], data, probe, seed=SEED, timeout=timeout)[0]


def snapshot(training: Dataset, registry: Registry | None) -> Iterator[Finding]:
    """Compare the training file with the record; copies in memory, folders and other digests cannot be compared."""
    recorded = registry.current.data_digest if registry else ""
    if registry and recorded.startswith(SHA256) and len(training.files) == 1:
        same = digests.sha256_of(training.files[0]) == recorded.removeprefix(SHA256).lower()
        cause = "" if same else f"{training.files[0].name} changed since {registry.current.version} learned from it"
        yield at_most(MOVED, int(not same), 0, n=1, cause=cause)


def _findings(found: Difference, tolerance: float, cause: str) -> Iterator[Finding]:
    """Let the predictions judge unless bytes or parameters show one model, and then show them all the same."""
    proven = found.same_model
    note = f"{found.differing:,} of {found.rows:,} rows differ at all"
    if proven and found.differing:
        note += ": one model that predicts at random"
    yield at_most(MODELS, int(not proven), 0, n=2, advisory=not proven)
    if found.constant and not proven:
        why = "both models give every row one prediction, which cannot tell them apart; give more rows"
        yield undecided(LARGEST, why)
    else:
        yield at_most(LARGEST, found.largest, tolerance, n=found.rows, cause=cause, note=note, advisory=proven)
    name = "rows with a finite prediction in one training only"
    yield at_most(name, found.one_sided, 0, n=found.rows, cause=cause if found.one_sided else "", advisory=proven)


def _costs(surroundings: Sequence[Surroundings], trained: Sequence[Trained]) -> Table:
    """Return what trainings took, and where."""
    rows = [
        (number, where.hash_seed, where.said, round(one.seconds, 2), round(one.peak_bytes / 2**20))
        for number, (where, one) in enumerate(zip(surroundings, trained, strict=True), start=1)
    ]
    columns = ["training", "PYTHONHASHSEED", "threads", "seconds", "peak memory (MiB)"]
    return Table("Cost of a training", columns, rows)
