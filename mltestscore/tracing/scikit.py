"""Models that speak scikit-learn's words: pipelines, models made of models, and what answers in the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.tracing import boosters, linear, trees
from mltestscore.tracing.trace import OpaqueError, Step, Value, plain, scored, valued

Row = npt.NDArray[np.float64]
Opener = Callable[[Any, Sequence[str]], Iterator[Step]]


def steps(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    """Yield what a fitted estimator does with one row, in order; the last step is its score.

    Raises :class:`OpaqueError` for an estimator that cannot be followed.
    """
    opener = _opener(thing)
    if opener is None:
        raise OpaqueError(f"{type(thing).__name__} does not show how it computes its answer")
    yield from opener(rows, names)


def can_follow(thing: Any) -> bool:
    """Say whether :func:`steps` knows how to follow an estimator."""
    return _opener(thing) is not None


def _opener(thing: Any) -> Opener | None:
    """Return what follows an estimator, told by its attributes, the more telling ones first.

    Another library's class may have the same attributes and mean something else by them.
    """
    if not any(re.match(r"sklearn\.(?!base|utils)|xgboost|lightgbm", kind.__module__) for kind in type(thing).__mro__):
        return None
    if hasattr(thing, "best_estimator_"):
        return _opener(thing.best_estimator_)
    for attributes, function in _KINDS:
        if all(hasattr(thing, one) for one in attributes):
            return partial(function, thing) if function is not _pipeline or _shows(thing) else None
    return None


def _shows(pipeline: Any) -> bool:
    """Whether a pipeline has a transformer, or an answering step that can be followed."""
    return any(map(_transforms, pipeline.steps[:-1])) or can_follow(pipeline.steps[-1][1])


def _transforms(step: tuple[str, Any]) -> bool:
    return hasattr(step[1], "transform")


def _pipeline(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    for name, transformer in filter(_transforms, thing.steps[:-1]):
        rows = transformer.transform(rows)
        names = _names(transformer, rows, names)
        yield _output(name, rows, names)
    last = thing.steps[-1][1]
    if can_follow(last):
        yield from steps(last, rows, names)
    else:
        yield scored(_own(last, rows), f"by {type(last).__name__}")


def _output(name: str, rows: Any, names: Sequence[str]) -> Step:
    """Return what a transformer gave; of a sparse row, what is not zero."""
    if not hasattr(rows, "toarray"):
        return valued(name, _cells(rows), names)
    held = rows.tocsr()[0]
    chosen = [(names[place], held.data[number]) for number, place in enumerate(held.indices)]
    return Step(name, tuple(Value(str(one), plain(value)) for one, value in chosen))


def _names(transformer: Any, rows: Any, before: Sequence[str]) -> Sequence[str]:
    """Return the names of a transformer's columns: its own, else those before where they are as many, else numbers."""
    width = np.shape(rows)[1] if np.ndim(rows) == 2 or hasattr(rows, "toarray") else 1
    if hasattr(rows, "columns"):
        return [str(one) for one in rows.columns]
    for given in ((), (list(before),)):
        try:
            found = [str(one) for one in transformer.get_feature_names_out(*given)]
        except Exception:  # each version and transformer has another way to say that it knows no names
            continue
        if len(found) == width:
            return found
    return list(before) if len(before) == width else [f"column {place}" for place in range(width)]


def _cells(rows: Any) -> list[Any]:
    if hasattr(rows, "iloc"):
        return list(rows.iloc[0])
    return list(np.ravel(rows[0])) if not hasattr(rows, "toarray") else list(np.ravel(rows[0].toarray()))


def _own(thing: Any, rows: Any) -> Row:
    """Return the estimator's own answer to the row: probabilities where it gives them."""
    found = thing.predict_proba(rows) if hasattr(thing, "predict_proba") else thing.predict(rows)
    return np.ravel(np.asarray(found, dtype=np.float64))


def _by_row(function: Callable[..., Iterator[Step]], thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    row = np.asarray(_cells(rows), dtype=np.float64)
    yield from function(thing, row, names, _own(thing, rows))


def _with_rows(function: Callable[..., Iterator[Step]], thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    yield from function(thing, rows, names, _own(thing, rows))


def _several(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    """Follow models that are asked side by side: what each says, then what the whole makes of it."""
    chosen = getattr(thing, "estimators_features_", None)
    members = getattr(thing, "calibrated_classifiers_", None) or thing.estimators_
    said = []
    for place, member in enumerate(members):
        given = rows if chosen is None else _select(rows, chosen[place])
        said.append(_own(member, given)[-1 if _is_binary(thing) else slice(None)])
    flat = [float(one) for part in said for one in np.ravel(part)]
    yield valued("models", flat, [f"model {place}" for place in range(1, len(flat) + 1)])
    yield scored(_own(thing, rows), f"{len(members)} models together")


def _is_binary(thing: Any) -> bool:
    """Say whether a classifier tells two classes apart."""
    return len(getattr(thing, "classes_", ())) == 2


def _select(rows: Any, columns: Any) -> Any:
    values = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
    return values[:, columns]


def _stacked(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    said = thing.transform(rows)
    called = [f"model {place}" for place in range(1, np.shape(said)[1] + 1)]
    yield valued("models", _cells(said), called)
    final = thing.final_estimator_
    yield from steps(final, said, called) if can_follow(final) else [scored(_own(thing, rows))]


def _back(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    """Follow a regression of a transformed target."""
    inner = thing.regressor_
    followed = steps(inner, rows, names) if can_follow(inner) else [scored(_own(inner, rows))]
    yield from (Step("transformed target" if one.name == "score" else one.name, one.values) for one in followed)
    yield scored(_own(thing, rows), "back from the transformed target")


def _margins(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    margins = np.ravel(thing.decision_function(rows))
    yield valued("decision", margins, [f"decision {place}" for place in range(len(margins))])
    yield scored(_own(thing, rows), f"by {type(thing).__name__}")


def _neighbours(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    far, which = thing.kneighbors(rows)
    yield valued("neighbours", np.ravel(far), [f"distance to training row {place}" for place in np.ravel(which)])
    yield scored(_own(thing, rows), f"by {type(thing).__name__}")


def _ensemble(thing: Any, rows: Any, names: Sequence[str]) -> Iterator[Step]:
    forest = any(kind.__module__ == "sklearn.ensemble._forest" for kind in type(thing).__mro__)
    yield from (_by_row(trees.forest, thing, rows, names) if forest else _several(thing, rows, names))


# What tells each kind of estimator, and what follows it.
_KINDS: tuple[tuple[tuple[str, ...], Callable[..., Iterator[Step]]], ...] = (
    (("steps",), _pipeline),
    (("get_booster",), partial(_with_rows, boosters.xgboost_estimator)),
    (("booster_",), partial(_with_rows, boosters.lightgbm_estimator)),
    (("_predictors", "_baseline_prediction"), partial(_with_rows, trees.histogram)),
    (("calibrated_classifiers_",), _several),
    (("final_estimator_", "transform"), _stacked),
    (("regressor_", "transformer_"), _back),
    (("tree_",), partial(_by_row, trees.one_tree)),
    (("estimators_", "init_", "learning_rate"), partial(_by_row, trees.boosted)),
    (("estimators_",), _ensemble),
    (("coefs_", "intercepts_", "out_activation_"), partial(_by_row, linear.network)),
    (("coef_", "intercept_"), partial(_by_row, linear.weighted_sum)),
    (("predict_joint_log_proba",), partial(_with_rows, linear.naive_bayes)),
    (("decision_function",), _margins),
    (("kneighbors",), _neighbours),
)
