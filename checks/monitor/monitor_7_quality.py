"""The predictions that were served agree with what came true, overall and by slice, as they did at launch.

Why
    This is what the system is for; everything else on the scorecard notices earlier and stands in for it.

Measured
    Late labels are joined to the served scores by key, in the database. A row is due when its label should be in, after
    the declared or the measured delay; younger rows are left out and counted, and labels that are overdue are held to
    a limit, of each slice too. On the newest window: the loss of the served scores against the model asked again for
    the same rows, of two classes the area under the curve too, which rare events need; the metric within a day against
    that of the holdout at launch (else the first served window); the mean of score minus outcome, overall and of each
    slice beyond all other rows; the growth of the calibration error.
    Days, which may stay alike for long, and declared clusters widen the intervals. All days since the launch together
    are watched by a sequence of bounds that holds however often somebody looks. Of several labels the log holds a list
    of probabilities: the loss counts all, bias and calibration are judged label by label. A ranking is judged by ndcg
    or mrr query by query, which the cluster of both names; its scores stand for no outcome, so that they have no bias.
    Without labels quality is estimated from the probabilities that held at launch: a proxy, worth ½ at most.

Passes when
    no harm beyond a limit is shown and each is ruled out. Fails where one is shown.

If it fails
    Lost against the model: the serving path mixes up or alters scores. Lost since launch or a bias: the world changed,
    retrain (model.4). Labels overdue: repair the join before you believe any figure.

Options
    label_delay_hours: measured if not declared, where the feature_times of outcomes name the column that says when a
    label became known. window_days 28: each weekday four times. slices: as in model.6; by default the protected
    columns and five categories that are no numbers. metric of a day: roc_auc, accuracy, r2, d2_brier_score of several
    labels, ndcg of a ranking. max_loss, max_drop .02: two points. max_bias .05; max_slice_bias .1 as in model.7;
    max_miscalibration .05. max_unlabelled .05: where more are missing, the labels that came may be of one kind.
    max_unjudged .05, min_rows 100, as in model.6. window_rows 2,000: a window with fewer rows is made longer. alpha
    .0005 for all accusations together. max_rows of each window.

Source
    Breck et al. 2017, Monitor 7; limits and levels: our statistics, O7, judgements; Waudby-Smith and Ramdas 2024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import check, fault
from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model


@check("monitor.7")
def check_quality(
    model: Model,
    serving: Dataset,
    outcomes: Dataset | None = None,
    holdout: Dataset | None = None,
    clock: datetime | None = None,
    *,
    label_delay_hours: float | None = None,
    window_days: float = 28.0,
    slices: tuple[str | list[str] | dict[str, str | int | float | bool], ...] = (),
    metric: str = "",
    max_loss: float = 0.02,
    max_drop: float = 0.02,
    max_bias: float = 0.05,
    max_slice_bias: float = 0.1,
    max_miscalibration: float = 0.05,
    max_unlabelled: float = 0.05,
    max_unjudged: float = 0.05,
    min_rows: int = 100,
    window_rows: int = 2_000,
    alpha: float = 0.0005,
    max_rows: int = 200_000,
) -> Observations:
    """Hold the newest window to the model, to the launch and to what came true; without labels, to an estimate."""
    from mltestscore.served_quality import estimate, judged
    from mltestscore.served_quality.verdicts import Limits
    from mltestscore.stats.quality import metric_for
    from mltestscore.tasks import JUDGED_TOO

    metric = metric_for(model.task, metric, JUDGED_TOO)
    limits = Limits(
        max_loss, max_drop, max_bias, max_slice_bias, max_miscalibration, max_unjudged, min_rows, level=alpha
    )
    if outcomes is not None:
        ask = judged.Ask(metric, slices, label_delay_hours, window_days, window_rows, max_rows, max_unlabelled)
        yield from judged.observations(model, serving, outcomes, holdout, clock, ask, limits)
    elif holdout is not None:
        yield from estimate.observations(model, serving, holdout, window_days, max_rows, limits)
    else:
        raise NotOffered("outcomes", 'write source = "…" under [tool.mltestscore.data.outcomes]: keys and late labels')


@fault(check_quality, "served scores reach the wrong rows")
def wrong_rows(serving: Dataset, model: Model) -> Mapping[str, Any]:
    """What a batch that is sorted between scoring and writing does; every distribution stays as it was.

    From half of the time on where the model cannot be asked again for the logged rows: then only the rows before tell.
    """
    from mltestscore.served_quality.faults import to_the_wrong_rows

    asked_again = set(model.features) <= set(serving.columns)
    return {"serving": to_the_wrong_rows(serving, since=0.0 if asked_again else 0.5)}


@fault(check_quality, "served scores are a fifth of the scale too high")
def too_high(serving: Dataset, model: Model) -> Mapping[str, Any]:
    """What the wrong threshold, unit or correction after the model does; the order of the rows stays."""
    from mltestscore.served_quality.faults import moved

    return {"serving": moved(serving, model, by=0.2)}


@fault(check_quality, "the labels of one kind of row stop coming", caught_by="served rows whose label is overdue")
def no_labels_for_some(serving: Dataset, outcomes: Dataset, model: Model) -> Mapping[str, Any]:
    """What a source of labels that fails does: the figures go on, of the other rows."""
    from mltestscore.served_quality.faults import without_labels_of_one_kind

    return {"outcomes": without_labels_of_one_kind(serving, outcomes, model)}
