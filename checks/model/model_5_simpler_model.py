"""The model is better than a constant, a linear model and a small tree, on later rows that none of them has seen.

Why
    A simpler model is cheaper to run, easier to explain and harder to break; and where it wins, something between the
    data and the model is usually wrong.

Measured
    A constant, a logistic or ridge regression and a tree of depth 3 are fitted on the model's features and training
    rows, with numbers imputed and scaled and categories encoded; the team's own rules join them, and for a forecast the
    last value that was known and the one a season ago. A quarter of the holdout chooses the best of them; the rest,
    which chose nothing, gives the difference between the model and that one. Rows of one cluster, stretch of time or
    key stay together. Clusters widen the interval; where a time and no cluster is declared, periods of time do, as long
    as the differences stay alike and the horizon of a forecast lasts. Of fewer than 60 dates each counts once, taken to
    be alike as far as so few would not show: under nine hardly show harm, and two show nothing.

Passes when
    the whole interval of the difference is above the margin. Fails when it is below: the simple model is better, or not
    worse by the margin. A warning where it is hardly worse and scores in a fraction of the time. Undecided
    with too few rows or periods, or where no trained baseline beats the constant: beating such ones proves little.

If it fails
    Look for scores that reach the wrong rows, features that serving computes differently and training on too few rows;
    otherwise ship the simple model.

Options
    alpha: .0005 for the bound that shows a simpler model better: a sound model fails in one run of 2,000 at most.
    min_rows 500, min_per_class 50 (judged): below them intervals are not reliable at this alpha. max_training_rows
    50,000: a linear model and a shallow tree gain nothing visible from more. max_holdout_rows 200,000 bounds the time.
    metric: roc_auc for two classes, accuracy for more, r2 for numbers, d2_brier_score for several labels (the mean of
    all), ndcg for a ranking, by the query that cluster names; also d2_log_loss, d2_absolute_error and mrr.
    margin 0: the advantage in the metric that the model must show. max_cost_ratio 5: where its advantage is shown to
    be at most .005 or the margin, scoring may take so many times what the best trained baseline takes (a warning;
    both conventions of this project).

Source
    Breck et al. 2017, Model 5; DeLong et al. 1988 (AUC), McNemar 1947 (accuracy), paired t (losses).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import at_most, check, fault, undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from mltestscore.declare import Observations
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.heuristics import Heuristics
    from mltestscore.inputs.model import Model

ADVANTAGE = "advantage over the best simple model"
FINITE = "holdout rows without a finite score"


@check("model.5", proof_options={"max_training_rows": 10_000})
def check_simpler_model(
    model: Model,
    training: Dataset,
    holdout: Dataset,
    heuristics: Heuristics | None = None,
    *,
    metric: str = "",
    alpha: float = 0.0005,
    min_rows: int = 500,
    min_per_class: int = 50,
    max_training_rows: int = 50_000,
    max_holdout_rows: int = 200_000,
    margin: float = 0.0,
    max_cost_ratio: float = 5.0,
) -> Observations:
    """Compare the model with simple ones on the holdout rows that chose none of them."""
    import numpy as np

    from mltestscore import contest
    from mltestscore.baselines import ruled
    from mltestscore.contest_verdicts import OURS, compared, grouped, require_kind, worth_its_cost
    from mltestscore.several_labels import require_same_labels
    from mltestscore.stats.quality import metric_for
    from mltestscore.tasks import JUDGED_TOO

    metric = metric_for(model.task, metric, JUDGED_TOO)
    require_kind(model, holdout, heuristics)
    columns = [*model.features, *(heuristics.columns(holdout) if heuristics else ())]
    later = contest.labelled(holdout, columns, max_holdout_rows)
    median = metric == "d2_absolute_error"
    lesson = contest.lesson(training, model.features, model.classes, model.task, max_training_rows, median)
    truth = contest.encoded(later[holdout.roles.label], model.task, lesson.classes, holdout.name, JUDGED_TOO)
    judged = contest.judged_rows(later, holdout, "model.5")
    if short := contest.too_few(truth, judged, lesson.labels, model.task, rows=min_rows, per_class=min_per_class):
        yield undecided(ADVANTAGE, short.reason, n_to_settle=short.rows_wanted)
        return
    scores = contest.labelled_scores(model, holdout, later, max_holdout_rows)
    require_same_labels(truth, scores, holdout.name)
    finite = np.isfinite(scores.reshape(len(later), -1)).all(axis=1)
    yield at_most(FINITE, int((~finite).sum()), 0, n=len(later))
    if finite.all():
        rules = ruled(heuristics, lesson, later, model, training, holdout) if heuristics else []
        simple = [*lesson.baselines, *rules]
        named = {OURS: scores} | {baseline.name: baseline.predict(later) for baseline in simple}
        held = contest.Contest(metric, truth, named, judged, contest.clusters_of(later, holdout))
        held = grouped(held, simple, later, holdout, heuristics)
        yield from compared(held, simple, alpha, margin=margin, declared=bool(holdout.roles.cluster))
        yield from worth_its_cost(held, simple, model, later, margin, max_cost_ratio)


@fault(check_simpler_model, "the model gives the average answer and a little noise", caught_by=ADVANTAGE)
def average_answer(model: Model, rng: np.random.Generator) -> Mapping[str, Any]:
    """Accurate where one class is rare, and of no use."""

    def predict(frame: Any) -> Any:
        scores = model.predict(frame)
        return scores.mean(axis=0) + 1e-3 * scores.std() * rng.normal(size=scores.shape)

    return {"model": model.replace(predict)}


@fault(check_simpler_model, "scores reach the wrong rows", caught_by=ADVANTAGE)
def wrong_rows(model: Model, rng: np.random.Generator) -> Mapping[str, Any]:
    """What a join on the wrong key does: every score is right, for another row."""
    return {"model": model.replace(lambda frame: model.predict(frame)[rng.permutation(len(frame))])}


@fault(check_simpler_model, "the model was trained on swapped labels", caught_by=ADVANTAGE)
def swapped_labels(model: Model) -> Mapping[str, Any]:
    """It ranks as well as before, the wrong way round."""
    import numpy as np

    def predict(frame: Any) -> Any:
        scores = model.predict(frame)
        if model.task == "multiclass":
            return np.roll(scores, 1, axis=1)
        return 1 - scores if model.task in ("binary", "multilabel") else 2 * scores.mean() - scores

    return {"model": model.replace(predict)}
