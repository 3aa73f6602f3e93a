"""LightGBM: models in text, boosters that were handed over, leaf values of both and of its estimators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, flat, in_shape

AT_ONCE = 100  # trees written as text at a time
PROBABILITIES = {"binary": "binary", "multiclass": "multiclass", "multiclassova": "multiclass"}
REGRESSIONS = (
    "regression",
    "regression_l1",
    "huber",
    "fair",
    "poisson",
    "quantile",
    "mape",
    "gamma",
    "tweedie",
)
RANKINGS = ("lambdarank", "rank_xendcg")
UNDECIDED = ("cross_entropy",)  # a number between 0 and 1: the configuration says whether it is a probability
NAMELESS = re.compile(r"Column_\d+")
NUMERIC = re.compile(r"\[.*\]|none")  # what the header says of a feature that is split at thresholds
LEAVES = re.compile(r"^(leaf_value|leaf_const|leaf_coeff)=(.*)$", re.MULTILINE)


def read(file: Path, loading: Loading) -> NativeModel:
    """Read a model's file.

    Raises :class:`InputError` for one that was cut off: LightGBM takes the trees that are left, or ends the process.
    """
    import lightgbm

    text = file.read_text(encoding="utf-8")
    cut = "\nparameters:" in text and "\nend of parameters" not in text
    if cut or "\nend of trees" not in text:
        raise InputError(f"{loading.table} path: {file} is no whole LightGBM text, its end is missing; write it again.")
    # By their offsets trees are read in parallel, where an error in one ends the process instead of being raised.
    return _native(lightgbm.Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", text, count=1, flags=re.MULTILINE)))


def adapt(thing: Any) -> NativeModel | None:
    """Take a booster; the estimators speak scikit-learn's words."""
    import lightgbm

    return _native(thing) if isinstance(thing, lightgbm.Booster) else None


def numbers(thing: Any) -> Numbers:
    """Yield the leaf values, and the weights of leaves that are linear."""
    booster = getattr(thing, "booster_", thing)
    if not hasattr(booster, "model_to_string"):
        return
    for start in range(0, booster.num_trees(), AT_ONCE):
        text = booster.model_to_string(start_iteration=start, num_iteration=AT_ONCE, importance_type="split")
        for name, values in LEAVES.findall(text):
            yield name, flat(values.split())


def _native(booster: Any) -> NativeModel:
    header = _header(booster)
    names = tuple(booster.feature_name())
    return NativeModel(
        native=booster,
        score=partial(_score, booster, _coded(names, header)),
        numbers=partial(numbers, booster),
        task=_task(header.get("objective", "custom").split()[0]),
        feature_names_in_=None if all(NAMELESS.fullmatch(name) for name in names) else names,
        n_features_in_=len(names),
    )


def rows_of(booster: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as the booster takes them; see :func:`_prepared`."""
    return _prepared(booster, _coded(booster.feature_name(), _header(booster)), frame)


def _coded(names: Sequence[str], header: Mapping[str, str]) -> set[str]:
    ranges = zip(names, header.get("feature_infos", "").split(), strict=True)
    return {name for name, held in ranges if not NUMERIC.fullmatch(held)}


def _header(booster: Any) -> dict[str, str]:
    text: str = booster.model_to_string(num_iteration=1)
    lines = [line.partition("=") for line in text.split("\n\n", 1)[0].splitlines()]
    return {key: value for key, _, value in lines}


def _task(objective: str) -> str:
    if objective in PROBABILITIES:
        return PROBABILITIES[objective]
    if objective in REGRESSIONS:
        return "regression"
    if objective in RANKINGS:
        return "ranking"
    if objective in UNDECIDED:
        return ""
    raise InputError(f"the objective {objective!r} gives no probabilities and no predicted value; {A_LOADER}.")


def _score(booster: Any, coded: set[str], frame: pd.DataFrame, task: str) -> npt.NDArray[np.float64]:
    return in_shape(booster.predict(_prepared(booster, coded, frame)), task)


def _prepared(booster: Any, coded: set[str], frame: pd.DataFrame) -> pd.DataFrame:
    """Hand categories over by name, as in training; LightGBM finds its number for each, and none for an unseen one."""
    held = len(booster.pandas_categorical or ())
    for name in () if held else frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            raise InputError(
                f"{name!r} holds categories, but the model's file holds none, so LightGBM would give each batch its "
                f"own numbering; offer their numbers, or {A_LOADER}."
            )
    if not held:
        return frame
    texts = {name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)}
    categorical = texts if len(texts) >= held else texts | coded
    if len(categorical) != held:
        raise InputError(
            f"the model was trained on {held} categorical column(s), but the data hold {len(categorical)}: "
            f"{', '.join(map(repr, sorted(categorical)[:10]))}. Offer them in the types of training, or {A_LOADER}."
        )
    return frame.astype(dict.fromkeys(categorical, "category"))
