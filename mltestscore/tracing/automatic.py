"""Models that we can follow without the team's help: scikit-learn, tree ensembles, ONNX graphs, PyTorch modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.inputs.batches import as_handed
from mltestscore.inputs.models.libraries import adapted
from mltestscore.inputs.models.native import NativeModel
from mltestscore.tracing import boosters, onnx, scikit, torch
from mltestscore.tracing.trace import INPUT, OpaqueError, Step, Trace, Value, plain, valued

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

Row = npt.NDArray[np.float64]

LIBRARIES = "scikit-learn, XGBoost, LightGBM, a PyTorch module with layers, or an ONNX graph read from its file"


def can_follow(model: Model) -> bool:
    """Say whether a model shows how it computes its score."""
    try:
        return _can_follow(adapted(model.estimator))
    except Exception:  # an object with attributes of its own kind: nothing that we know
        return False


def _can_follow(thing: Any) -> bool:
    if not isinstance(thing, NativeModel):
        return scikit.can_follow(thing)
    return _family(thing) in ("xgboost", "lightgbm") or (
        torch.can_follow(thing.native)
        if _family(thing) == "torch"
        else thing.graph is not None and not onnx.too_large(thing.graph[0])
    )


def follow(model: Model, rows: pd.DataFrame, tolerance: float) -> list[Trace]:
    """Follow each row of ``rows`` through the model.

    A trace that does not lead to the model's own score, to within ``tolerance``, is none: the model then does more
    than we can see.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # a part of scikit-learn's installation

    with threadpool_limits(limits=1):  # one row at a time: threads would only wait for each other
        return _follow_all(model, rows, tolerance)


def _follow_all(model: Model, rows: pd.DataFrame, tolerance: float) -> list[Trace]:
    opened: dict[Any, Any] = {}
    traces = []
    for place in range(len(rows)):
        row = rows.iloc[[place]][list(model.features)].reset_index(drop=True)
        try:
            traces.append(_followed(model, row, tolerance, opened))
        except Exception as error:  # of any library, at any layer: the reader is told, and offers a function instead
            said = f"{error}" if isinstance(error, OpaqueError) else f"{type(error).__name__}: {error}"
            traces.append(Trace(error=said[:400], automatic=True))
    return traces


def _followed(model: Model, row: pd.DataFrame, tolerance: float, opened: dict[Any, Any]) -> Trace:
    own = np.ravel(model.predict(row))
    given = Step(INPUT, tuple(Value(name, plain(row[name].iloc[0])) for name in model.features))
    steps = [given, *_steps(model, row, own, opened)]
    last = [one.value for one in steps[-1].values]
    if model.task == "binary" and len(last) == 2:
        steps[-1] = valued(steps[-1].name, last[1:], ["score"], [steps[-1].values[1].how])
    found = Trace(tuple(steps), automatic=True)
    if len(found.last) != len(own) or not np.allclose(found.last, own, rtol=tolerance, atol=tolerance, equal_nan=True):
        raise OpaqueError(
            f"the steps of {type(model.estimator).__name__} lead to {_said(found.last)}, but the model answers "
            f"{_said(own)}: it does more than its parts show"
        )
    return found


def _steps(model: Model, row: pd.DataFrame, own: Row, opened: dict[Any, Any]) -> Iterator[Step]:
    thing = adapted(model.estimator)
    if not isinstance(thing, NativeModel):
        yield from scikit.steps(thing, as_handed(model.rows_as, row), list(model.features))
    elif _family(thing) == "onnxruntime" and thing.graph is not None:
        yield from onnx.steps(*thing.graph, row, own, opened)
    elif _family(thing) == "torch":
        yield from torch.steps(thing.native, thing.score, row, model.task)
    elif _family(thing) == "xgboost":
        yield from boosters.xgboost_booster(thing.native, row, own)
    elif _family(thing) == "lightgbm":
        yield from boosters.lightgbm_booster(thing.native, row, own)
    else:
        raise OpaqueError(f"{type(thing.native).__name__} does not show how it computes its answer")


def _family(thing: NativeModel) -> str:
    """Return the library that a model's object is of."""
    origins = {str(kind.__module__).partition(".")[0] for kind in type(thing.native).__mro__}
    return next((one for one in ("onnxruntime", "torch", "xgboost", "lightgbm") if one in origins), "")


def _said(scores: Sequence[float] | Row) -> str:
    return ", ".join(f"{one:.6g}" for one in list(scores)[:3]) or "no number"
