"""Training twice on the same data with the same seed gives the same model.

Why
    Without it no bug can be replayed, no refactoring shown harmless, and no difference between two models explained:
    it may be the draw.

Measured
    Two fresh processes train at once on the same rows with the same seed, different PYTHONHASHSEED, folders listed in
    opposite orders, one thread and several (a variable such as OMP_NUM_THREADS that is set stays). Their models are
    compared on a ladder: pickled bytes; parameters and fitted attributes; predictions on the training rows, bit by bit
    and by their largest difference (NaN equals NaN). Only where they differ, up to three more tell lost seeds, order
    and threads apart. The packages that they imported are held to the lock; the training file to a SHA-256 on record.
    Where the trainer says ``exact = false``, several seeds are trained with instead, and models judged on the holdout.

Passes when
    bytes or parameters are the same, or no prediction differs by more than ``tolerance``, or threads alone change the
    last digits; a lock, where one is named, pins what was imported to its version; and the file is the one on record.
    Not exact: quality spreads by no more than ``max_spread`` from training to training, and the deployed model's is
    where that of one more training would be, within ``max_gap``.

If it fails
    Give the seed to everything that draws (random_state of splits, of models and of samplers, numpy, random, the
    framework's own), sort what comes from sets, folders and queries, and read data from a snapshot that nobody writes.
    Pin all packages. Where threads or accelerators forbid equal models: tolerance, or ``exact = false`` of the trainer.

Options
    tolerance: 0, the rubric asks for identical models. rows: 20,000, two trainings in a test's time; randomness shows
    on any number of rows. min_rows: 100, with fewer a model may have nothing to draw. timeout: seconds for one
    training, 300. explain: whether a failure may cost more trainings. Not exact: retrainings 8, from ``retrained_rows``
    100,000, for ``seconds`` 600 at most; 5 say least. max_spread .01 and max_gap .02: a point, and two, of the metric,
    as monitor.7 tolerates; a further training's 95 % bounds of normal qualities. alpha .0003, of a run's budget.

Source
    Breck et al. 2017, Infra 1. Fresh processes and hash seeds: Python documentation, PYTHONHASHSEED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mltestscore import Finding, Table, check, fault, undecided
from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.surroundings import ONE, OTHER
from mltestscore.inputs.trainer import Trainer
from mltestscore.reproduction.exact import LARGEST, exact, snapshot
from mltestscore.reproduction.lock import OPEN
from mltestscore.reproduction.repeated import SPREAD, WORSE, Limits, repeated


@check("infra.1", proof_options={"rows": 2_000, "explain": False, "retrainings": 6})
def check_reproducible_training(
    training: Dataset,
    trainer: Trainer,
    registry: Registry | None = None,
    holdout: Dataset | None = None,
    model: Model | None = None,
    *,
    tolerance: float = 0.0,
    rows: int = 20_000,
    min_rows: int = 100,
    timeout: float = 300.0,
    explain: bool = True,
    retrainings: int = 8,
    retrained_rows: int = 100_000,
    max_spread: float = 0.01,
    max_gap: float = 0.02,
    seconds: float = 600.0,
    alpha: float = 0.0003,
) -> Iterator[Finding | Table]:
    """Two fresh processes train the same model from the same data and seed, or several train one as good."""
    yield from snapshot(training, registry)
    if training.rows < min_rows:
        why = f"{training.rows} training rows leave a model little to draw at random"
        yield undecided(LARGEST, why, n_to_settle=min_rows)
        return
    if trainer.exact:
        yield from exact(trainer, training.sample(rows), tolerance=tolerance, timeout=timeout, explain=explain)
        return
    limits = Limits(retrainings, max_spread, max_gap, seconds, timeout, alpha)
    yield from repeated(trainer, training, retrained_rows, holdout, model, limits)


@fault(check_reproducible_training, "rows and seed are drawn from the system's entropy")
def lost_seed(trainer: Trainer) -> dict[str, Trainer]:
    """The seed does not reach the sampler."""
    return _with(trainer, "unseeded", exact=True)


@fault(check_reproducible_training, "the training rows are picked by walking a set of names")
def set_order(trainer: Trainer) -> dict[str, Trainer]:
    """String hashes, and so the order of a set, differ from process to process."""
    return _with(trainer, "hash_ordered", exact=True)


@fault(check_reproducible_training, "the training rows depend on the number of threads")
def thread_count(trainer: Trainer) -> dict[str, Trainer]:
    """Another machine has other cores."""
    if ONE.said == OTHER.said:
        raise NotOffered("threads", f"{ONE.said} fixes them")
    return _with(trainer, "thread_counted", exact=True)


@fault(check_reproducible_training, "the lock allows any version of every package", caught_by=OPEN)
def open_lock(trainer: Trainer) -> dict[str, Trainer]:
    """The next installation takes what is newest then."""
    if trainer.lock is None:
        raise NotOffered("locks", "name them under [tool.mltestscore.trainer]")
    return {"trainer": trainer.replace(lock=replace(trainer.lock, loosened=True))}


@fault(check_reproducible_training, "with every second seed the columns come apart", caught_by=SPREAD)
def luck(trainer: Trainer) -> dict[str, Trainer]:
    """How good a model is depends on the draw."""
    return _with(trainer, "lucky", exact=False)


@fault(check_reproducible_training, "the deployed model answers for the rows in reverse", caught_by=WORSE)
def another_model(trainer: Trainer, model: Model, holdout: Dataset) -> dict[str, Model]:
    """What was deployed is not what this training makes."""
    if trainer.exact:
        raise NotOffered("exact = false", "only then the deployed model is held to retrainings")
    return {"model": model.replace(lambda frame: model.predict(frame)[::-1])}


def _with(trainer: Trainer, name: str, *, exact: bool) -> dict[str, Trainer]:
    if trainer.exact is not exact:
        raise NotOffered(f"exact = {str(exact).lower()}", "only then can this be told")
    return {"trainer": trainer.wrapped(f"mltestscore.inputs.training_faults:{name}")}
