"""Whether a search looked at the holdout: by what it says that it was judged on, or by its metric to all digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore import contest
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.tuning import Trial
from mltestscore.tasks import INSTEAD
from mltestscore.tuning.evidence import Record

ON_HOLDOUT = "trials that were judged on the holdout"
DIGITS = 6
"""Decimals that make two metrics one: by chance, values 0.02 apart at most agree in them once in 40,000 times."""
MOST_ROWS = 200_000


def on_holdout(found: Record, holdout: Dataset, model: Model | None) -> Finding:
    """Count the trials that were judged on the holdout; undecided where a trial does not say what it was judged on."""
    trials = found.counted
    if not trials:
        return undecided(ON_HOLDOUT, "no trial is on record")
    names = _names(holdout)
    judged = {text: _is_one(text, names) for text in {one.data for one in trials}}
    told = [one for one in trials if judged[one.data]]
    if told:
        return at_most(ON_HOLDOUT, len(told), 0, n=len(trials), cause=f"they name {told[0].data[:100]}")
    same: tuple[Trial, str] | tuple[()] = () if model is None else _same_metric(found.in_service, model, holdout)
    if same:
        cause = f"{same[0].written!r} is the {same[1]} of the model in service on the holdout, to all digits"
        return at_most(ON_HOLDOUT, 1, 0, n=len(trials), cause=cause)
    silent = [one for one in trials if not one.data.strip()]
    if silent:
        why = f"{len(silent):,} of {len(trials):,} do not say on which rows; name them with data or data_column"
        return undecided(ON_HOLDOUT, why)
    return at_most(ON_HOLDOUT, 0, 0, n=len(trials), note="as recorded: " + ", ".join(sorted(judged)[:3])[:200])


def _names(dataset: Dataset) -> set[tuple[str, ...]]:
    """Return what a dataset may be called: its name, its digest, the places it is read from, as parts of a path."""
    texts = [dataset.name, dataset.digest, dataset.source, *map(str, dataset.files)]
    return {PurePath(text.strip().casefold()).parts for text in texts if text}


def _is_one(text: str, names: set[tuple[str, ...]]) -> bool:
    """Return whether a text is one of the names, or the end of one, as a shorter path to the same file is."""
    parts = PurePath(text.strip().casefold().removeprefix("sha256:")).parts
    return bool(parts) and any(parts == name[-len(parts) :] or name == parts[-len(name) :] for name in names if name)


def _same_metric(trials: Sequence[Trial], model: Model, holdout: Dataset) -> tuple[Trial, str] | tuple[()]:
    """Return a trial whose metric is, to at least :data:`DIGITS` decimals, one of the model's on the whole holdout."""
    precise = [one for one in trials if _decimals(one.written) >= DIGITS]
    if not precise or not holdout.roles.label or holdout.rows > MOST_ROWS or model.task in INSTEAD:
        return ()
    later = contest.labelled(holdout, model.features, MOST_ROWS)
    labels = later[holdout.roles.label]
    truth = contest.encoded(labels, model.task, contest.classes_of(model.classes, labels), holdout.name)
    scores = contest.labelled_scores(model, holdout, later, MOST_ROWS)
    if not np.isfinite(scores).all() or len(np.unique(truth)) < 2:
        return ()
    for name, value in _metrics(model.task, truth, scores).items():
        for one in precise:
            if abs(abs(one.written) - value) <= 0.6 * 10.0 ** -min(_decimals(one.written), 12):
                return one, name
    return ()


def _decimals(value: float) -> int:
    text = repr(abs(value))
    return 0 if "e" in text or "." not in text else len(text.partition(".")[2])


def _metrics(task: str, truth: npt.NDArray[Any], scores: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the metrics that searches are usually run by."""
    from sklearn import metrics

    if task == "regression":
        squared = float(metrics.mean_squared_error(truth, scores))
        absolute = float(metrics.mean_absolute_error(truth, scores))
        r2 = float(metrics.r2_score(truth, scores))
        return {"R²": r2, "mean squared error": squared, "root of it": squared**0.5, "mean absolute error": absolute}
    chosen = scores >= 0.5 if task == "binary" else scores.argmax(axis=1)
    found = {"accuracy": float(metrics.accuracy_score(truth, chosen))}
    if task == "binary":
        found["area under the ROC curve"] = float(metrics.roc_auc_score(truth, scores))
        found["average precision"] = float(metrics.average_precision_score(truth, scores))
        found["Brier score"] = float(metrics.brier_score_loss(truth, np.clip(scores, 0, 1)))
        found["F1"] = float(metrics.f1_score(truth, chosen))
    if ((scores >= 0) & (scores <= 1)).all():
        labels = list(range(scores.shape[1])) if scores.ndim == 2 else [0, 1]
        found["log loss"] = float(metrics.log_loss(truth, scores, labels=labels))
    return found
