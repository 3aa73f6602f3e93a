"""XGBoost: models in JSON or UBJSON, boosters that were handed over, leaf values of both and of its estimators."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError, near
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, brief, flat, in_shape, matrix
from mltestscore.inputs.models.ubjson import is_whole

AT_ONCE = 100  # boosting rounds written as JSON at a time, so that a large model needs no second copy of itself
PROBABILITIES = ("binary:logistic", "multi:softprob")
MARGINS = {"binary:logitraw": "binary", "multi:softmax": "multiclass"}
REGRESSIONS = ("reg:", "count:")


def read(file: Path, loading: Loading) -> NativeModel:
    """Read a model's file.

    Raises :class:`InputError` for UBJSON that was cut off.
    """
    import xgboost

    content = file.read_bytes()
    if content[:1] == b"{" and b"\0" in content[:16] and not is_whole(content):
        raise InputError(f"{loading.table} path: {file} is no whole UBJSON of XGBoost; write it again.")
    return _native(xgboost.Booster(model_file=str(file)))


def adapt(thing: Any) -> NativeModel | None:
    """Take a booster; the estimators speak scikit-learn's words."""
    import xgboost

    return _native(thing) if isinstance(thing, xgboost.Booster) else None


def numbers(thing: Any) -> Numbers:
    """Yield the leaf values, or the weights of a linear booster, and the score that they start from."""
    booster = thing
    if hasattr(thing, "get_booster") and thing.__sklearn_is_fitted__():
        booster = thing.get_booster()
    if not hasattr(booster, "save_config"):
        return
    config = json.loads(booster.save_config())["learner"]
    yield "base_score", flat(config["learner_model_param"]["base_score"].strip("[]").split(","))
    rounds = booster.num_boosted_rounds()
    whole = rounds <= AT_ONCE or config["gradient_booster"]["name"] != "gbtree"
    for start in range(0, 1 if whole else rounds, AT_ONCE):
        part = booster if whole else booster[start : min(start + AT_ONCE, rounds)]
        yield from _of_model(json.loads(part.save_raw("json"))["learner"]["gradient_booster"])


def _of_model(found: dict[str, Any]) -> Numbers:
    if "gbtree" in found:  # a dart booster holds one of trees, and how much each still counts
        yield "weight_drop", flat(found["weight_drop"])
        found = found["gbtree"]
    if "weights" in found["model"]:
        yield "weights", flat(found["model"]["weights"])
    for tree in found["model"].get("trees", ()):
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            yield "leaf values", flat(tree["base_weights"])
        else:  # the leaves' values stand where other nodes have their thresholds
            yield "leaf values", flat(tree["split_conditions"])[np.array(tree["left_children"]) == -1]


def _native(booster: Any) -> NativeModel:
    config = json.loads(booster.save_config())["learner"]
    objective = config["objective"]["name"]
    several = int(config["learner_model_param"]["num_target"]) > 1
    task = "multioutput" if several else _task(objective)
    count = int(config["learner_model_param"]["num_class"])
    made = booster.feature_names
    return NativeModel(
        native=booster,
        score=partial(_score, booster, objective in MARGINS, rounds_of(booster)),
        numbers=partial(numbers, booster),
        task=task,
        feature_names_in_=None if made is None else tuple(made),
        n_features_in_=booster.num_features(),
        classes_={"binary": (0, 1), "multiclass": tuple(range(count))}.get(task),
    )


def _task(objective: str) -> str:
    if objective in MARGINS:
        return MARGINS[objective]
    if objective in PROBABILITIES:
        return "binary" if objective.startswith("binary") else "multiclass"
    if objective.startswith(REGRESSIONS) and objective != "reg:logistic":
        return "regression"
    if objective.startswith("rank:"):
        return "ranking"
    if objective == "reg:logistic":  # a number between 0 and 1: the configuration says whether it is a probability
        return ""
    raise InputError(f"the objective {objective!r} gives no probabilities and no predicted value; {A_LOADER}.")


def rounds_of(booster: Any) -> tuple[int, int]:
    """Return the rounds that count: as its estimators do, the best that early stopping found; a booster takes all."""
    best = booster.attr("best_iteration")
    return (0, int(best) + 1) if best and booster.attr("scikit_learn") else (0, 0)


def _score(
    booster: Any, margins: bool, rounds: tuple[int, int], frame: pd.DataFrame, task: str
) -> npt.NDArray[np.float64]:
    import xgboost

    try:
        raw = booster.predict(rows_of(booster, frame), output_margin=margins, iteration_range=rounds)
    except xgboost.core.XGBoostError as error:
        raise InputError(f"XGBoost could not score the rows: {brief(error)}") from None
    if margins:
        from scipy.special import expit, softmax

        raw = expit(raw) if task == "binary" else softmax(raw.astype(np.float64), axis=1)
    return in_shape(raw, task)


def rows_of(booster: Any, frame: pd.DataFrame) -> Any:
    """Categories are passed by name, so that XGBoost finds its own number for each, or as the numbers that they are."""
    import xgboost

    names, types = booster.feature_names, booster.feature_types
    coded = [name for name, kind in zip(frame.columns, types or (), strict=False) if kind == "c"]
    known = _categories(booster)
    if names is not None and (not coded or known):
        held = {name: _held(frame[name], known[name]) for name in known}
        return xgboost.DMatrix(frame.assign(**held), enable_categorical=True)
    for name in coded:
        if not pd.api.types.is_numeric_dtype(frame[name].dtype):
            raise InputError(
                f"the model's file does not hold the categories of {name!r}, so XGBoost would give each batch its own "
                f"numbering; save it again with XGBoost 3.1 or later, or {A_LOADER}."
            )
    return xgboost.DMatrix(matrix(frame, np.float32), feature_names=names, feature_types=types, enable_categorical=True)


def _held(values: pd.Series[Any], known: list[object]) -> pd.Series[Any]:
    """Return the values as categories.

    Raises :class:`InputError` for one that training did not hold. XGBoost means to refuse it, but looks it up in a
    sorted list and takes some for another (3.2.0).
    """
    held = values.astype("category").cat.remove_unused_categories()
    unseen = [value for value in held.cat.categories if value not in known]
    if unseen:
        meant = near(str(unseen[0]), map(str, known))
        raise InputError(f"{values.name!r} holds {unseen[0]!r:.80}, a category that training did not hold.{meant}")
    return held


def _categories(booster: Any) -> dict[str, list[object]]:
    """Return the categories of features of which the model holds them; before XGBoost 3.1, it held none."""
    if not hasattr(booster, "get_categories"):
        return {}
    held = booster.get_categories(export_to_arrow=True).to_arrow()
    return {name: values.to_pylist() for name, values in held if values is not None}
