"""CatBoost: models in its binary form or JSON, models that were handed over, leaf values of all."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, flat, in_shape

CLASSIFIERS = {
    "Logloss": "binary",
    "CrossEntropy": "binary",
    "MultiClass": "multiclass",
    "MultiClassOneVsAll": "multiclass",
}
EXPONENTS = ("Poisson", "Tweedie")
REGRESSIONS = (
    "RMSE",
    "MAE",
    "MAPE",
    "Huber",
    "Quantile",
    "Expectile",
    "LogLinQuantile",
    "Lq",
    "LogCosh",
    *EXPONENTS,
)
# Source: CatBoost's documentation, "Objectives and metrics": "Ranking"; "Multiregression" and "Multilabel".
RANKINGS = (
    "YetiRank",
    "YetiRankPairwise",
    "PairLogit",
    "PairLogitPairwise",
    "QueryRMSE",
    "QuerySoftMax",
    "QueryCrossEntropy",
    "LambdaMart",
    "StochasticFilter",
    "StochasticRank",
)
SEVERAL = ("MultiRMSE", "MultiRMSEWithMissingValues", "MultiLogloss", "MultiCrossEntropy")
TASKS = (
    CLASSIFIERS
    | dict.fromkeys(REGRESSIONS, "regression")
    | dict.fromkeys(RANKINGS, "ranking")
    | dict.fromkeys(SEVERAL, "multioutput")
)


def read(file: Path, loading: Loading) -> NativeModel:
    """Read a model's file."""
    from catboost import CatBoost

    with file.open("rb") as stream:
        form = "json" if stream.read(1) == b"{" else "cbm"
    return _native(CatBoost().load_model(str(file), format=form))


def adapt(thing: Any) -> NativeModel | None:
    """Take a model of the base class; its classifier and regressor speak scikit-learn's words."""
    from catboost import CatBoost, CatBoostClassifier, CatBoostRegressor

    plain = isinstance(thing, CatBoost) and not isinstance(thing, CatBoostClassifier | CatBoostRegressor)
    return _native(thing) if plain else None


def numbers(thing: Any) -> Numbers:
    """Yield the leaf values, and the scale and bias of their sum."""
    from catboost import CatBoost

    if isinstance(thing, CatBoost) and thing.is_fitted():
        yield "leaf values", flat(thing.get_leaf_values())
        scale, bias = thing.get_scale_and_bias()
        yield "scale", flat(scale)
        yield "bias", flat(bias)


def _native(model: Any) -> NativeModel:
    if not model.is_fitted():
        raise InputError("the CatBoost model is not fitted; offer it as it was after training.")
    loss = _loss(model)
    task = TASKS.get(loss, "")
    if loss and not task:
        raise InputError(f"the loss {loss!r} gives no probabilities and no predicted value; {A_LOADER}.")
    names = tuple(map(str, model.feature_names_))
    classes = tuple(model.classes_.tolist() if hasattr(model.classes_, "tolist") else model.classes_)
    return NativeModel(
        native=model,
        score=partial(_score, model, loss),
        numbers=partial(numbers, model),
        task=task,
        feature_names_in_=None if names == tuple(map(str, range(len(names)))) else names,
        n_features_in_=len(names),
        classes_=(classes or None) if task in CLASSIFIERS.values() else None,
    )


def _loss(model: Any) -> str:
    """Return the loss that the model was trained for; empty for a sum of models, which has none."""
    held = model.get_metadata()
    if "params" not in list(held.keys()):
        return ""
    return str(json.loads(held["params"]).get("loss_function", {}).get("type", ""))


def _score(model: Any, loss: str, frame: pd.DataFrame, task: str) -> npt.NDArray[Any]:
    number = "Exponent" if loss in EXPONENTS else "RawFormulaVal"
    kind = number if task in ("regression", "ranking") else "Probability"
    return in_shape(model.predict(frame.set_axis(list(model.feature_names_), axis=1), prediction_type=kind), task)
