"""Training twice on the same data with the same seed gives the same model.

Why
    Without it no bug can be replayed, no refactoring shown harmless, and no difference between two models explained:
    it may be the draw.

Measured
    Two fresh processes train at once on the same rows with the same seed, different PYTHONHASHSEED and folders listed
    in opposite orders. Their models are compared on a ladder: pickled bytes; parameters and fitted attributes;
    predictions on the training rows, bit by bit and by their largest difference (NaN equals NaN). Only where they
    differ, a third training with the first one's surroundings tells order dependence from lost seeds. And where the
    registry has a SHA-256 of the training file, it is compared with the file's.

Passes when
    bytes or parameters are the same, or no prediction differs by more than ``tolerance``; and the training file is not
    another one than the model on record learned from.

If it fails
    Give the seed to everything that draws (random_state of splits, of models and of samplers, numpy, random, the
    framework's own), sort what comes from sets, folders and queries, and read data from a snapshot that nobody writes.
    For what threads add in another order, declare a tolerance such as 1e-9.

Options
    tolerance: 0, the rubric asks for identical models. rows: 20,000, two trainings in a test's time; randomness shows
    on any number of rows. min_rows: 100, with fewer a model may have nothing to draw. timeout: seconds for one
    training, 300. explain: whether a failure may cost the third training.

Source
    Breck et al. 2017, Infra 1. Fresh processes and hash seeds: Python documentation, PYTHONHASHSEED.
"""

from __future__ import annotations

from collections.abc import Iterator

from mltestscore import Finding, Table, at_most, check, fault, undecided
from mltestscore.inputs import digests
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.registry import Registry
from mltestscore.inputs.trainer import Trainer
from mltestscore.inputs.training_difference import Difference, compare, ladder

SEED = 20_130_101
LARGEST = "largest difference between the predictions of two trainings"
MODELS = "models that differ in bytes and parameters"
MOVED = "training file is not the one on record"
SHA256 = "sha256:"


@check("infra.1", proof_options={"rows": 2_000, "explain": False})
def check_reproducible_training(
    training: Dataset,
    trainer: Trainer,
    registry: Registry | None = None,
    *,
    tolerance: float = 0.0,
    rows: int = 20_000,
    min_rows: int = 100,
    timeout: float = 300.0,
    explain: bool = True,
) -> Iterator[Finding | Table]:
    """Two fresh processes train the same model from the same data and seed."""
    yield from _snapshot(training, registry)
    if training.rows < min_rows:
        why = f"{training.rows} training rows leave a model little to draw at random"
        yield undecided(LARGEST, why, n_to_settle=min_rows)
        return
    data = training.sample(rows)
    frame = data.frame()
    probe = frame.drop(columns=[name for name in (data.roles.label,) if name])
    first, second = trainer.train_pair(data, probe, seed=SEED, timeout=timeout)
    found = compare(first, second)
    cause = ""
    if explain and not found.within(tolerance):
        again = trainer.train(data, probe, seed=SEED, hash_seed=Trainer.HASH_SEEDS[0], timeout=timeout)
        cause = _cause(compare(first, again), tolerance)
    yield from _findings(found, tolerance, cause)
    yield ladder(first, second, found, frame.get(data.roles.label))
    yield Table(
        "Cost of a training",
        ["training", "PYTHONHASHSEED", "seconds", "peak memory (MiB)"],
        [
            (number, hash_seed, round(one.seconds, 2), round(one.peak_bytes / 2**20))
            for number, hash_seed, one in zip((1, 2), Trainer.HASH_SEEDS, (first, second), strict=True)
        ],
    )


def _snapshot(training: Dataset, registry: Registry | None) -> Iterator[Finding]:
    """Compare the training file with the record; copies in memory, folders and other digests cannot be compared."""
    recorded = registry.current.data_digest if registry else ""
    if registry and recorded.startswith(SHA256) and len(training.files) == 1:
        same = digests.of_file(training.files[0]) == recorded.removeprefix(SHA256).lower()
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


def _cause(alike: Difference, tolerance: float) -> str:
    if alike.within(tolerance):
        return "order dependence: with equal PYTHONHASHSEED and folder order the models agree, so a set's order gets in"
    return "randomness that the seed does not reach: even with equal PYTHONHASHSEED and folder order the models differ"


@fault(check_reproducible_training, "rows and seed are drawn from the system's entropy")
def lost_seed(trainer: Trainer) -> dict[str, Trainer]:
    """The seed does not reach the sampler."""
    return {"trainer": trainer.wrapped("mltestscore.inputs.training_faults:unseeded")}


@fault(check_reproducible_training, "the training rows are picked by walking a set of names")
def set_order(trainer: Trainer) -> dict[str, Trainer]:
    """String hashes, and so the order of a set, differ from process to process."""
    return {"trainer": trainer.wrapped("mltestscore.inputs.training_faults:hash_ordered")}
