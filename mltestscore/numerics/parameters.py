"""The numbers inside a fitted model that must be finite: weights, leaf values, and those of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.inputs.models import libraries

# Not listed on purpose: values that are NaN in sound models, such as the statistics of an imputer for an empty column.
WEIGHTS = ("coef_", "intercept_", "coefs_", "intercepts_", "dual_coef_", "theta_", "var_")
PARTS = (
    "steps",
    "transformers_",
    "estimators_",
    "estimator_",
    "best_estimator_",
    "final_estimator_",
    "regressor_",
    "calibrated_classifiers_",
    "estimator",
)
DEEPEST = 8


def parameters(model: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    """Yield every reachable parameter array as ``("logisticregression.coef_", values)``; nothing for other models."""
    if depth > DEEPEST:
        return
    for name, values in (*_own(model), *libraries.numbers(model)):
        yield f"{path}{name}", values
    for name, part in _parts(model):
        yield from parameters(part, f"{path}{name}.", depth + 1)


def not_finite(model: object) -> tuple[list[str], int]:
    """Return the name of every reachable parameter that is NaN or infinite, once for each, and how many there are."""
    unsound, count = [], 0
    for name, values in parameters(model):
        count += len(values)
        unsound += [name] * int((~np.isfinite(values)).sum())
    return unsound, count


def _own(model: Any) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    for name in WEIGHTS:
        found = getattr(model, name, None)
        if found is not None:
            for values in found if isinstance(found, list) else [found]:
                yield name, _numbers(values)
    tree = getattr(model, "tree_", None)
    if tree is not None:
        yield "tree_.value", _numbers(tree.value)
    for stage in getattr(model, "_predictors", None) or ():  # histogram gradient boosting has no public name for them
        for predictor in stage:
            yield "leaf values", _numbers(predictor.nodes["value"])


def _parts(model: Any) -> Iterator[tuple[str, Any]]:
    for attribute in PARTS:
        found = getattr(model, attribute, None)
        if found is None or isinstance(found, str | int | float):
            continue
        if isinstance(found, np.ndarray):
            found = list(found.ravel())
        for number, part in enumerate(found if isinstance(found, list) else [found]):
            named = isinstance(part, tuple) and len(part) > 1
            name, thing = (str(part[0]), part[1]) if named else (f"{attribute}[{number}]", part)
            if not isinstance(thing, str):
                yield name, thing


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    dense = values.toarray() if hasattr(values, "toarray") else values
    try:
        return np.asarray(dense, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return np.empty(0)
