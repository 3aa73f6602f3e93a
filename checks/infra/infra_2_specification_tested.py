"""The code of the model learns, goes on after a crash and answers legal rows; its unit tests notice when it is wrong.

Why
    Training hides mistakes behind a loss that still falls. A trial finds what is wired wrongly before the bill arrives.

Measured
    The team's ``stepper`` is built from a few seeds, in processes of its own. From each it learns a handful of rows by
    heart (two rows, copied, where it cannot), judged beside the best constant. It steps on a batch, writes a checkpoint
    and goes on; another process restores that and takes the same steps. It predicts rows that schema and training data
    allow, together, backwards and alone, and steps on them. ``tests`` run under coverage.py, and over small changes of
    ``modules``. Only what is offered is judged.

Passes when
    every start learns the rows, interrupted and uninterrupted models end alike, predictions are finite, well-formed, of
    one type that suits them (no texts or objects for numbers) and independent of the other rows, no test fails, and the
    tests run 80 % of the code and notice 80 % of the changes.

If it fails
    A handful not learned: learning rate, detached parts, loss and last activation. Other predictions after a restore:
    save optimiser, schedule, scalers and generators too. Others alone: statistics of the batch. Tests: see data.7.

Options
    rows 1,024: a batch. handful 16 and steps 200: overfitting takes a minute at most. starts 3: fails if none learns;
    of models that learn from nine starts in ten, 1 in 1,000 is accused (simulated). min_memorised .75 of the constant's
    error: a label smoothing of .3 leaves .91, so 1 is not asked. before, after 8: the steps around a checkpoint.
    tolerance .001 of the spread of predictions: half precision rounds to .0005. max_departure .05 of what the steps
    changed: a lost momentum is worth .3. seconds 120 for all trials. alpha .0001. Others: data.7.

Source
    Breck et al. 2017, Infra 2; Breck et al. 2019 (data that the schema allows); Aitken 1926 (where a curve leads).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import check, fault
from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.schema import Schema
    from mltestscore.inputs.specification import Specification
    from mltestscore.specification import Part

MOVED = "starts whose steps change predictions"
BY_HEART = "part of a handful of rows that is learned by heart"
TYPE = "rows whose predictions have another type"
BESIDE = "rows that are predicted otherwise alone or in another order"
NOTICED = "changes of the code that a test notices"


@check("infra.2", proof_options={"mutants": 7})
def check_specification_tested(
    specification: Specification,
    training: Dataset | None = None,
    schema: Schema | None = None,
    *,
    rows: int = 1_024,
    handful: int = 16,
    starts: int = 3,
    steps: int = 200,
    before: int = 8,
    after: int = 8,
    min_memorised: float = 0.75,
    tolerance: float = 0.001,
    max_departure: float = 0.05,
    min_coverage: float = 0.8,
    min_noticed: float = 0.8,
    min_changes: int = 3,
    mutants: int = 24,
    alpha: float = 0.0001,
    seconds: float = 120.0,
    timeout: float = 120.0,
) -> Observations:
    """Step the model, restore it, ask it; then run its tests, and change the code under them."""
    if specification.stepper:
        if training is None:
            raise NotOffered("training", "the stepper learns from it: set [tool.mltestscore.data.training]")
        from mltestscore.specification import judged
        from mltestscore.specification.rows import described, rows_for
        from mltestscore.specification.trials import tried

        drawn = rows_for(training, schema, rows=rows, handful=handful, starts=starts)
        settings = {"starts": starts, "steps": steps, "before": before, "after": after, "tolerance": tolerance}
        found = tried(specification, drawn, settings | {"least": min_memorised}, seconds=seconds)
        parts = specification.parts
        if "learning" in parts:
            yield from judged.learning(found, min_memorised=min_memorised, alpha=alpha)
        if "restoring" in parts:
            departing = {"tolerance": tolerance, "max_departure": max_departure, "alpha": alpha}
            yield from judged.restoring(found, random=specification.random, **departing)
        if "answering" in parts:
            yield from judged.answering(found, random=specification.random, edges=described(drawn.origins))
    if specification.tested:
        from mltestscore.codetests.judged import judged_tests
        from mltestscore.codetests.session import Session

        limits = {"min_coverage": min_coverage, "min_noticed": min_noticed, "alpha": alpha, "timeout": timeout}
        with Session(specification.code) as session:
            yield from judged_tests(session, min_changes=min_changes, mutants=mutants, seconds=seconds, **limits)


@fault(check_specification_tested, "steps change nothing, as with a learning rate of 0", caught_by=MOVED)
def detached(specification: Specification) -> Mapping[str, Any]:
    """The loss is reported, and the parameters stay."""
    return _with(specification, "Detached", "learning")


@fault(check_specification_tested, "the inputs do not reach the model", caught_by=BY_HEART)
def blind(specification: Specification) -> Mapping[str, Any]:
    """It learns a constant."""
    return _with(specification, "Blind", "learning")


@fault(check_specification_tested, "a checkpoint is written and not read")
def unread(specification: Specification) -> Mapping[str, Any]:
    """Training begins anew after a crash."""
    return _with(specification, "Unread", "restoring")


@fault(check_specification_tested, "predictions are normalised over the rows", caught_by=BESIDE)
def over_rows(specification: Specification) -> Mapping[str, Any]:
    """A softmax along the wrong axis."""
    return _with(specification, "OverRows", "answering")


@fault(check_specification_tested, "a row alone is predicted as another type", caught_by=TYPE)
def retyped(specification: Specification) -> Mapping[str, Any]:
    """A shortcut for single requests, which nobody typed."""
    return _with(specification, "Retyped", "answering")


@fault(check_specification_tested, "the unit tests run everything and compare nothing", caught_by=NOTICED)
def deaf_tests(specification: Specification) -> Mapping[str, Any]:
    """Every test passes whatever it sees."""
    if not specification.tested:
        raise NotOffered("tests", "name modules and tests under [tool.mltestscore.specification]")
    return {"specification": specification.replace(code=specification.code.deafened(), stepper="")}


def _with(specification: Specification, name: str, part: Part) -> Mapping[str, Any]:
    if not specification.stepper:
        raise NotOffered("stepper", "name it under [tool.mltestscore.specification]")
    alone = specification.replace(code=specification.code.replace(modules=(), tests=()))
    return {"specification": alone.wrapped(f"mltestscore.specification.faults:{name}", part)}
