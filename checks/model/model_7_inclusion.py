"""Groups of people are treated alike: errors and calibration differ little, and the attribute does not move scores.

Why
    A model learns the unfairness in its data and applies it at scale. Those it fails rarely look at its metrics.

Measured
    For each group of each protected column of the holdout (missing values are a group; numbers are cut into quarters)
    the difference to all other rows: of the true and false positive rates and of calibration (mean score minus
    outcome); of accuracy and confidence for more classes; of the mean and absolute error, in standard deviations of
    the label, for numbers. Several labels: of each of the 20 commonest, and of all others together. A ranking: how
    often a row is placed above one of a lower grade in its query, among rows of equal grades; NDCG of whole queries and
    exposure of rows are shown too, but longer lists and other grades move them in a fair ranking as well. Where the
    attribute, or an input that stands for it, is read by the model, rows get those of another group, and the score,
    or the exposure in the query, must hardly move.

Passes when
    each gap is shown to be within its limit. Fails where one is shown to be beyond, or larger than that of the version
    before by max_widening; and where a declared column is not there. Groups with too few rows keep it inconclusive.

If it fails
    Collect more data for that group, look at its labels, and for inputs that stand for it; the notion of fairness, and
    so the limits, is for people to choose.

Options
    max_gap .10 and max_calibration_gap .05, max_widening .05, max_swap .05 (mean move of a score): our judgements, not
    published constants (four fifths of a rate of one half is a gap of .10). threshold .5 for a positive answer.
    measures: those that are judged, of "calibration", "true positive rate", "false positive rate", "selection rate",
    "accuracy", "mean absolute error", "pairwise accuracy", "ndcg"; by default all but the selection rate and ndcg.
    Where outcomes differ between groups, calibrated scores cannot have equal error rates too (Kleinberg et al. 2016):
    then choose. alpha .0008 for all of a run together. min_rows 100, min_events 50: below them no bound is reliable.
    proxies: inputs that stand for an attribute, such as {sex = ["title"]}. small_groups: such as ["origin = XY"] or
    ["origin = XY, label late"], accepted as too small to be judged; they stay listed. max_holdout_rows 200,000.

Source
    Breck et al. 2017, Model 7; Hardt et al. 2016 (equalised odds); fairlearn's MetricFrame; gaps to the complement and
    not between extremes, which chance widens: Lum et al. 2022, Cherian and Candès 2023. Pairwise fairness of rankings:
    Beutel et al. 2019; exposure: Singh and Joachims 2018.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mltestscore import at_most, check, fault, undecided
from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model

ABSENT = "protected columns that the holdout has not"
CALIBRATION = "gap in calibration"
SWAPPED = "mean move of the score with another group's attribute"
FINITE = "holdout rows without a finite score"


@check("model.7")
def check_inclusion(
    model: Model,
    holdout: Dataset,
    previous_model: Model | None = None,
    *,
    threshold: float = 0.5,
    max_gap: float = 0.10,
    max_calibration_gap: float = 0.05,
    max_widening: float = 0.05,
    max_swap: float = 0.05,
    measures: tuple[str, ...] = (),
    alpha: float = 0.0008,
    min_rows: int = 100,
    min_events: int = 50,
    proxies: dict[str, list[str]] = {},  # noqa: B006 - options are read, never changed
    small_groups: tuple[str, ...] = (),
    max_holdout_rows: int = 200_000,
) -> Observations:
    """Compare each group with all other rows, and with itself under the version before."""
    import numpy as np

    from mltestscore.errors import near
    from mltestscore.slices import inclusion

    names = inclusion.protected_columns(holdout, model, proxies)
    present = [name for name in names if name in holdout.columns]
    lost = [name for name in names if name not in present]
    note = f"{lost[0]!r:.80} is not there.{near(lost[0], holdout.columns)}" if lost else ""
    yield at_most(ABSENT, len(lost), 0, n=len(names), note=note)
    if not present:
        return
    limits = inclusion.Limits(
        {CALIBRATION: max_calibration_gap}, max_gap, max_widening, max_swap, alpha, min_rows, min_events, threshold
    )
    chosen = inclusion.chosen_measures(model.task, measures)
    people = inclusion.read(model, previous_model, holdout, present, max_holdout_rows, threshold)
    if len(np.unique(people.truth)) < 2:
        yield undecided(sorted(chosen)[0], f"all {len(people.truth):,} labels are the same")
        return
    yield at_most(FINITE, people.without_score, 0, n=len(people.truth))
    if not people.without_score:
        yield from inclusion.compared(people, limits, chosen, frozenset(small_groups))
        yield from inclusion.swapped(people, limits, proxies, SWAPPED)


@fault(check_inclusion, "a protected column is renamed, so that nothing is compared", caught_by=ABSENT)
def renamed(holdout: Dataset) -> Mapping[str, Any]:
    """A table without the column has no gaps."""
    first, *others = holdout.roles.protected
    made = holdout.replace(holdout.frame())
    made.roles = replace(holdout.roles, protected=(f"{first}_", *others))
    return {"holdout": made}


@fault(check_inclusion, "one group is scored a quarter higher", caught_by=CALIBRATION)
def favoured(model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """Its probabilities no longer mean what those of others mean."""
    from mltestscore.slices.faults import group_of, shifted_for

    if model.task == "ranking":
        raise NotOffered("scores that stand for outcomes", "those of a ranking order rows and mean nothing else")
    column, values = group_of(holdout)
    return {"model": shifted_for(model, column, values, 0.25)}


@fault(check_inclusion, "one group is scored lower, by as much as it can be")
def missed(model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """What training with few of its positives does."""
    from mltestscore.slices.faults import group_of, shifted_for

    column, values = group_of(holdout)
    return {"model": shifted_for(model, column, values, -1.0)}


@fault(check_inclusion, "the model reads the protected attribute", caught_by=SWAPPED)
def read_directly(model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """Of two people who differ in nothing else, one is scored otherwise."""
    from mltestscore.slices.faults import group_of, shifted_for

    column, values = group_of(holdout)
    return {"model": shifted_for(model, column, values, 0.5)}
