"""Models of weighted sums, naive Bayes and networks of scikit-learn: each contribution, the sums, the link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.tracing.trace import Step, scored, valued

Row = npt.NDArray[np.float64]

EXPONENTIAL = ("PoissonRegressor", "GammaRegressor")
LOGISTIC = ("LogisticRegression", "LogisticRegressionCV")


def weighted_sum(thing: Any, row: Row, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow ``coef_`` and ``intercept_``: contributions, their sum, the score."""
    weights = np.atleast_2d(_dense(thing.coef_))
    sums = weights @ row + np.broadcast_to(np.ravel(thing.intercept_), len(weights))
    for place, one in enumerate(weights):
        of = f" to sum {place}" if len(weights) > 1 else ""
        how = [f"{weight:.6g} × {value:.6g}" for weight, value in zip(one, row, strict=True)]
        yield valued(f"contributions{of}", one * row, names, how)
    yield valued("intercept", np.ravel(thing.intercept_), _numbered("intercept", np.size(thing.intercept_)))
    yield valued("sum", sums, _numbered("sum", len(sums)))
    yield _linked(thing, sums, own)


def _linked(thing: Any, sums: Row, own: Row) -> Step:
    from scipy.special import expit, softmax

    kind = type(thing).__name__
    if kind in EXPONENTIAL:
        return scored(np.exp(sums), "exponential of the sum")
    if not hasattr(thing, "classes_"):
        return scored(sums, "the sum") if np.allclose(sums, own) else scored(own, "the model's link of the sum")
    if len(sums) == 1 and (kind in LOGISTIC or getattr(thing, "loss", "") == "log_loss"):
        late = expit(sums[0])
        return scored([1 - late, late], "logistic function of the sum")
    if kind in LOGISTIC and getattr(thing, "solver", "") != "liblinear":
        return scored(softmax(sums), "softmax of the sums")
    return scored(own, f"link of {kind}")


def network(thing: Any, row: Row, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow a multi-layer perceptron: the activations of every layer."""
    from scipy.special import expit, softmax

    functions: dict[str, Any] = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "logistic": expit}
    functions |= {"identity": lambda x: x, "softmax": softmax}
    values = row
    last = len(thing.coefs_) - 1
    for place, (weights, bias) in enumerate(zip(thing.coefs_, thing.intercepts_, strict=True)):
        values = values @ weights + bias
        if place == last:
            yield valued("last sums", values, _numbered("sum", len(values)))
            break
        values = functions[thing.activation](values)
        yield valued(f"layer {place + 1}", values, _numbered("unit", len(values)))
    link = thing.out_activation_
    if link not in functions:
        yield scored(own, f"{link} of the sums")
        return
    found = functions[link](values)
    binary = hasattr(thing, "classes_") and len(found) == 1
    yield scored([1 - found[0], found[0]] if binary else found, f"{link} of the sums")


def naive_bayes(thing: Any, rows: Any, names: Sequence[str], own: Row) -> Iterator[Step]:
    """Follow naive Bayes: the joint log-likelihood of each class, and the share of each."""
    from scipy.special import softmax

    joint = np.ravel(thing.predict_joint_log_proba(rows))
    yield valued("joint log-likelihood", joint, [f"class {one}" for one in thing.classes_])
    shares = softmax(joint)
    yield scored(shares if np.allclose(shares, own, atol=1e-9) else own, "share of each likelihood")


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name} {place}" for place in range(count)]


def _dense(values: Any) -> npt.NDArray[np.float64]:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, dtype=np.float64)
