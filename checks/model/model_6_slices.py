"""No slice of the later rows has lost quality against the version before, whatever the average says.

Why
    Averages forgive: accuracy can rise by one per cent while the predictions for one country are ruined.

Measured
    The loss of each holdout row under the model and under the version before (for a first release: under the best
    simple model, chosen on half of the rows and judged on the other), as shares of what a constant loses on all rows.
    Their mean difference is taken over all rows, over each declared slice and over slices that a tree of depth 3 finds
    on half of the rows, judged on the other half. Clusters, else periods of time as long as losses stay alike, widen
    the intervals. Values with few rows are judged together.

Passes when
    on every slice a loss beyond max_loss is ruled out. Fails where one is shown. Slices that are merely harder than
    others exist in every sound system and are shown, not judged, unless a floor (min_quality) is declared. Simpson's
    reversal (every slice lost while the registry's metric improved) is reported.

If it fails
    Look at what changed for the rows of that slice: labels, a category's code, a source, their share of the training.

Options
    slices: columns, pairs and single slices, such as ["country", ["country", "device"], {plan = "trial"}]; by default
    the first five model inputs with 2 to 20 categories. max_loss .03: three points of the metric. alpha .0008 for all
    accusations of a run together. min_rows 100. max_unjudged .05 of the rows of a slicing may be in values too rare to
    be judged even together; beyond that it is inconclusive. search 5: discovered slices judged; 0 for none. metric:
    d2_brier_score for classes, d2_absolute_error for numbers; also accuracy, d2_log_loss, r2. max_training_rows and
    max_holdout_rows as in model.5. Of several labels the mean is sliced, and each is judged over all rows; a ranking is
    judged by ndcg or mrr query by query (cluster), its slices are columns in which the rows of a query agree.

Source
    Breck et al. 2017, Model 6; exact McNemar and cluster-robust paired t; honest split as in Athey and Imbens 2016;
    limits and levels: our statistics, M6. They are judgements, not published constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import at_most, check, fault, undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.registry import Registry

FINITE = "holdout rows without a finite score"
LOST = "quality lost on a slice"


@check("model.6", proof_options={"max_training_rows": 10_000})
def check_slices(
    model: Model,
    holdout: Dataset,
    previous_model: Model | None = None,
    training: Dataset | None = None,
    registry: Registry | None = None,
    *,
    slices: tuple[str | list[str] | dict[str, str | int | float | bool], ...] = (),
    metric: str = "",
    max_loss: float = 0.03,
    min_quality: float | None = None,
    max_unjudged: float = 0.05,
    search: int = 5,
    alpha: float = 0.0008,
    min_rows: int = 100,
    max_training_rows: int = 50_000,
    max_holdout_rows: int = 200_000,
) -> Observations:
    """Hold every slice against the version before, or against the best simple model."""
    import numpy as np

    from mltestscore import contest
    from mltestscore.several_labels import require_same_labels
    from mltestscore.slices import compared, losses, reference
    from mltestscore.tasks import JUDGED_TOO

    metric = losses.slice_metric(model.task, metric, JUDGED_TOO)
    later, truth, classes = compared.read(model, previous_model, holdout, slices, max_holdout_rows)
    if why := _too_little(truth, 2 * min_rows) or reference.incomparable(model, previous_model, later):
        yield undecided(LOST, why, n_to_settle=2 * min_rows if len(later) < 2 * min_rows else None)
        return
    scores = contest.labelled_scores(model, holdout, later, max_holdout_rows)
    require_same_labels(truth, scores, holdout.name)
    finite = np.isfinite(scores.reshape(len(later), -1)).all(axis=1)
    yield at_most(FINITE, int((~finite).sum()), 0, n=len(later))
    if not finite.all():
        return
    judging = contest.judged_rows(later, holdout, "model.6", "halves", one_in=2)
    if previous_model is not None:
        other = reference.version_before(previous_model, holdout, later, max_holdout_rows)
    else:
        searched = reference.Searched(later, truth, ~judging, contest.clusters_of(later, holdout))
        other = reference.simple_model(model, training, searched, metric, max_training_rows)
    pair = compared.Pair(model.task, metric, truth, scores, other.scores)
    held = compared.units(pair, later, holdout, judging, classes)
    asked = compared.Asked(slices, min_rows, max_loss, min_quality, max_unjudged, search, alpha)
    against, gain = other.name + compared.sureness(pair), reference.recorded_gain(registry)
    yield from compared.observations(held, model.features, asked, other.chosen, against, gain)


def _too_little(truth: Any, least: int) -> str:
    import numpy as np

    different = len(np.unique(truth))
    if len(truth) >= least and different > 1:
        return ""
    return f"{len(truth):,} labelled rows, of which {different} different labels; at least {least:,} and two are needed"


@fault(check_slices, "one kind of row is answered the wrong way round")
def wrong_for_some(model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """What a new code for one category does, or labels that were wrong for one source."""
    from mltestscore.slices.faults import region, spoiled, told_by

    return {"model": spoiled(model, [region(holdout, name) for name in told_by(model, holdout)[:1]])}


@fault(check_slices, "rows that two inputs tell together are answered the wrong way round")
def wrong_for_a_pair(model: Model, holdout: Dataset) -> Mapping[str, Any]:
    """Each input alone shows little of it."""
    from mltestscore.slices.faults import region, spoiled, told_by

    return {"model": spoiled(model, [region(holdout, name) for name in told_by(model, holdout)[:2]])}


@fault(check_slices, "every answer moves by a quarter of the scale", caught_by=LOST)
def moved(model: Model) -> Mapping[str, Any]:
    """The order of the rows stays, so that an area under a curve shows nothing."""
    from mltestscore.slices.faults import spoiled

    return {"model": spoiled(model, [])}
