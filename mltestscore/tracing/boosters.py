"""XGBoost and LightGBM: what each feature adds to the margin, the margin, the score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.tracing.trace import Step, scored, valued

Row = npt.NDArray[np.float64]


def xgboost_estimator(thing: Any, rows: Any, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow an estimator of XGBoost."""
    import xgboost

    booster = thing.get_booster()
    last = booster.attr("best_iteration")
    rounds = (0, int(last) + 1) if last else (0, 0)
    table = xgboost.DMatrix(rows, missing=thing.missing, enable_categorical=True)
    parts = booster.predict(table, pred_contribs=True, iteration_range=rounds)
    yield from _added(parts, thing.predict(rows, output_margin=True), names, own, "objective of XGBoost")


def xgboost_booster(booster: Any, row: pd.DataFrame, own: Row) -> Iterator[Step]:
    """Follow a booster of XGBoost."""
    from mltestscore.inputs.models.xgboost import rounds_of, rows_of

    table, rounds = rows_of(booster, row), rounds_of(booster)
    parts = booster.predict(table, pred_contribs=True, iteration_range=rounds)
    margin = booster.predict(table, output_margin=True, iteration_range=rounds)
    yield from _added(parts, margin, list(row.columns), own, "objective of XGBoost")


def lightgbm_estimator(thing: Any, rows: Any, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow an estimator of LightGBM."""
    margin = thing.predict(rows, raw_score=True)
    parts = None if _leaves_are_linear(thing.booster_) else thing.predict(rows, pred_contrib=True)
    yield from _added(parts, margin, names, own, "objective of LightGBM")


def lightgbm_booster(booster: Any, row: pd.DataFrame, own: Row) -> Iterator[Step]:
    """Follow a booster of LightGBM."""
    from mltestscore.inputs.models.lightgbm import rows_of

    rows = rows_of(booster, row)
    parts = None if _leaves_are_linear(booster) else booster.predict(rows, pred_contrib=True)
    yield from _added(parts, booster.predict(rows, raw_score=True), list(row.columns), own, "objective of LightGBM")


def _leaves_are_linear(booster: Any) -> bool:
    """Whether LightGBM knows no contributions: it refuses them for such trees."""
    return "is_linear=1" in booster.model_to_string(num_iteration=1)


def _added(parts: Any, margin: Any, names: Sequence[str], own: Row, link: str) -> Iterator[Step]:
    """Yield contributions, shape (1, (d + 1) k), the last of each class the start; the margins; the score."""
    margins = np.ravel(np.asarray(margin, dtype=np.float64))
    classes = len(margins)
    if parts is not None:
        dense = parts.toarray() if hasattr(parts, "toarray") else parts
        dense = np.hstack([one.toarray() for one in dense]) if isinstance(dense, list) else dense
        for place, one in enumerate(np.asarray(dense, dtype=np.float64).reshape(classes, -1)):
            of = f" to class {place}" if classes > 1 else ""
            yield valued(f"contributions{of}", one, [*names, "start"])
    yield valued("margin", margins, ["margin"] if classes == 1 else [f"margin {place}" for place in range(classes)])
    yield scored(own, f"of the margin, by the {link}")
