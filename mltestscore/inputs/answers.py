"""What a fitted estimator answers with, told by the words of its library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from mltestscore.inputs.models.native import NativeModel


def task_of(thing: Any, classes: Sequence[object]) -> str:
    """Return the task that a fitted estimator tells, empty where it does not; ``classes`` are its own."""
    if isinstance(thing, NativeModel):
        return thing.task
    last = _last_step(thing)
    if _ranks(last):
        return "ranking"
    if any(isinstance(one, list) for one in classes) or _has_several_outputs(last):
        return "multioutput"
    if len(classes) >= 2:
        return "binary" if len(classes) == 2 else "multiclass"
    if not hasattr(thing, "__sklearn_tags__"):
        return ""
    from sklearn.base import is_regressor

    return "regression" if is_regressor(thing) else ""


def _last_step(thing: Any) -> Any:
    """Return what answers: the last step of a pipeline, the best model of a search."""
    while True:
        inner = getattr(thing, "best_estimator_", None)
        if inner is None and (steps := getattr(thing, "steps", None)):
            inner = steps[-1][1]
        if inner is None:
            return thing
        thing = inner


def _ranks(thing: Any) -> bool:
    # LightGBM's ranker tells by its name alone: scikit-learn has no tag for one.
    return getattr(thing, "_estimator_type", "") == "ranker" or type(thing).__name__ == "LGBMRanker"


def _has_several_outputs(thing: Any) -> bool:
    """Say whether an estimator was trained on several labels or targets, in the words of its library."""
    if hasattr(thing, "get_booster"):  # XGBoost: classes_ are two however many labels there are
        learned = json.loads(thing.get_booster().save_config())["learner"]["learner_model_param"]
        return int(learned["num_target"]) > 1
    if hasattr(thing, "get_all_params"):  # CatBoost, likewise
        loss = str(thing.get_all_params().get("loss_function", ""))
        return loss.startswith("Multi") and not loss.startswith("MultiClass")
    if getattr(thing, "multilabel_", False) or type(thing).__module__ == "sklearn.multioutput":
        return True
    encoder = getattr(thing, "_label_binarizer", None)  # of a network, whose n_outputs_ counts classes too
    if encoder is not None:
        return str(getattr(encoder, "y_type_", "")).startswith("multilabel")
    if int(getattr(thing, "n_outputs_", 1)) > 1:
        return True
    shape = np.shape(getattr(thing, "coef_", ()))  # of a linear model: a row a target; of a classifier, a class
    return not hasattr(thing, "classes_") and len(shape) == 2 and shape[0] > 1


def is_fitted(thing: object) -> bool:
    """Say whether an estimator has been trained, as far as it tells."""
    if not (hasattr(thing, "fit") and hasattr(thing, "get_params")):
        return True  # only scikit-learn's conventions tell
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(thing)
    except NotFittedError:
        return False
    except Exception:  # looks like an estimator and is none: it is asked for scores, and says then what is wrong
        return True
    return True


def by_label(raw: object) -> object:
    """Return what an estimator of several labels says, a pair of probabilities for each, as one column a label."""
    pairs = raw if isinstance(raw, list) else list(raw) if isinstance(raw, np.ndarray) and raw.ndim == 3 else []
    if pairs and all(np.ndim(one) == 2 and np.shape(one)[1] == 2 for one in pairs):
        return np.column_stack([np.asarray(one)[:, 1] for one in pairs])
    return raw
