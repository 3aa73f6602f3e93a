"""The release gate refuses bad models and accepts good ones, and nothing is deployed without its consent.

Why
    Training succeeds on broken data too. Without a veto, a model that learned from shuffled labels goes live as
    smoothly as a good one; and a gate that nobody has seen refuse may be unable to.

Measured
    The team's own gate (``[tool.mltestscore.validator]``) is put to the test, in copies of the project. Its packaging
    function trains, on the same rows, a baseline, an equal candidate (another seed, other nine tenths of the rows) and
    bad ones: labels shuffled; labels that follow an idle input in part, the mildest one that is shown ``max_drop``
    worse on the holdout; labels wrong on one slice; a file of which half is missing; a candidate that is its own
    baseline. Further: rows by which the gate judges and that training holds; packages that score otherwise than the
    model packaged; a deployment command that deploys what the gate has not seen or has refused, or a CI job that runs
    though the gate's job failed; and the model against the version before, on the same holdout rows.

Passes when
    every bad candidate is refused, an equal one is accepted, nothing leads around the gate, and a loss beyond
    ``margin`` against the version before is ruled out. A noisy gate may refuse an equal candidate: up to five are tried
    until one is accepted. A candidate that is not shown to be bad, on average or all the time, judges nobody.

If it fails
    Compare paired scores, on average and on each slice that matters, with a limit on the bound of the loss; refuse what
    cannot be loaded and what has the baseline's digest; let the deployment ask for the verdict on this very file.

Options
    max_drop .1 and max_slice_loss .1: ten points, which no gate may overlook. margin .01: non-inferiority. alpha
    .0005 for what shows harm, of a run's error budget. min_rows 200 on a slice or in all: below, bounds are not
    reliable. rows 10,000 of the holdout measure candidates, which differ by ten points; max_holdout_rows 200,000 the
    model against the version before. twins .001 of the rows by which the gate judges, beyond coincidence. tolerance
    1e-6 between scores, as in monitor.3; a format of 32-bit numbers may need 1e-5. timeout 300: seconds for one
    training or one verdict. All are judgements, not published constants.

Source
    Breck et al. 2017, Infra 4; Baylor et al. 2017 (TFX: validation before pushing); Sato et al. 2019 (CD4ML: the
    packaged model predicts as the original); DeLong et al. 1988, McNemar 1947 (paired bounds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import at_most, check, fault, undecided
from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.validator import Validator

ACCEPTED, EQUAL = "bad candidates that the gate accepts", "equal candidates refused in a row"
AROUND, LOST = "ways around the gate", "quality lost against the version before"


@check("infra.4")
def check_validated_before_serving(
    validator: Validator,
    training: Dataset,
    holdout: Dataset,
    model: Model | None = None,
    previous_model: Model | None = None,
    *,
    max_drop: float = 0.1,
    max_slice_loss: float = 0.1,
    margin: float = 0.01,
    alpha: float = 0.0005,
    min_rows: int = 200,
    rows: int = 10_000,
    max_holdout_rows: int = 200_000,
    twins: float = 0.001,
    tolerance: float = 1e-6,
    timeout: float = 300.0,
) -> Observations:
    """Put the gate to the test with candidates whose quality is known, and follow what deploys."""
    from mltestscore.validation import exam, harm, verdicts

    for side in (training, holdout):
        if not side.roles.label:
            table = f"[tool.mltestscore.data.{side.name}]"
            raise NotOffered(f"the label column of {side.name}", f"name it with label = … under {table}")
    exam.require_one_label(model, training, holdout)
    material = exam.material_of(validator, training, holdout, rows, min_rows)
    labels = [material.training[material.label], material.judged[material.label]]
    if min(map(len, labels)) < min_rows or min(one.nunique() for one in labels) < 2:
        why = f"{len(labels[0]):,} training rows and {len(labels[1]):,} holdout rows with a label, or all labels equal"
        yield undecided(ACCEPTED, f"{why}: no candidate can be shown to be bad", n_to_settle=min_rows)
        return
    strict = exam.Strictness(max_drop, max_slice_loss, alpha, min_rows)
    examined = exam.Exam(validator, material, holdout, strict, timeout)
    yield verdicts.equals(examined)
    yield from verdicts.bad_ones(examined)
    yield verdicts.itself(examined)
    yield from verdicts.deployment(examined)
    yield verdicts.packaging(examined, tolerance)
    yield from verdicts.contamination(validator, training, holdout, twins, alpha)
    if model is not None and previous_model is not None:
        lost, said = harm.lost_since(model, previous_model, holdout, max_holdout_rows, min_rows, alpha)
        yield undecided(LOST, said) if lost is None else at_most(LOST, lost, margin, note=said)
    yield verdicts.verdict_table(examined)


@fault(check_validated_before_serving, "the gate accepts whatever it is shown", caught_by=ACCEPTED)
def always_accepts(validator: Validator) -> Mapping[str, Any]:
    """A step that was commented out while somebody was in a hurry."""
    return {"validator": validator.replace(command=("{python}", "-S", "-c", "", "{candidate}", "{baseline}"))}


@fault(check_validated_before_serving, "the gate refuses whatever it is shown", caught_by=EQUAL)
def always_refuses(validator: Validator) -> Mapping[str, Any]:
    """So that the only way to release is around it."""
    refuse = f"raise SystemExit({validator.refuses[0]})"
    return {"validator": validator.replace(command=("{python}", "-S", "-c", refuse, "{candidate}", "{baseline}"))}


@fault(check_validated_before_serving, "the gate compares each candidate with itself")
def compares_with_itself(validator: Validator) -> Mapping[str, Any]:
    """The baseline's path leads to the candidate."""
    if not validator.asks_for_baseline:
        raise NotOffered("a baseline", "name {baseline} in the gate's command")
    return {"validator": validator.replace(mixed_up=True)}


@fault(check_validated_before_serving, "what deploys no longer asks the gate", caught_by=AROUND)
def not_asked(validator: Validator) -> Mapping[str, Any]:
    """The two jobs run side by side, or the command deploys what it is given."""
    from mltestscore.validation.workflow import ungated

    if validator.workflow:
        text = ungated(validator.workflow, validator.deploy_job, validator.workflow_name)
        return {"validator": validator.replace(workflow=text)}
    if not validator.deploy:
        raise NotOffered("a deployment", "offer deploy or workflow")
    return {"validator": validator.replace(deploy=("{python}", "-S", "-c", "", "{candidate}"))}
