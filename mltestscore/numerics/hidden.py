"""Hidden units of neural networks that no row moves: dead, or saturated, they have stopped to learn and to tell.

Seen are the activations of PyTorch modules, as layers or as functions, and of scikit-learn's multi-layer perceptrons.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.finding import Finding, at_most
from mltestscore.inputs.model import Model
from mltestscore.numerics.names import STILL

FEWEST = 8  # units of a layer: of fewer, a share says little
MOST_ROWS = 4_000
ACTIVATIONS = (
    *("celu", "elu", "gelu", "hardswish", "leaky_relu", "mish", "prelu", "relu", "relu6", "selu", "silu"),
    *("hardsigmoid", "hardtanh", "sigmoid", "softplus", "tanh"),
)


@dataclass
class Layer:
    """What one activation gave over all rows.

    Attributes:
        name: its place in the network and its function.
        low, high: shape (units,), the least and the largest value of each unit.
    """

    name: str
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @property
    def still(self) -> int:
        """How many units had the same value in every row; NaN is another matter."""
        return int((self.low == self.high).sum())


def findings(model: Model, frame: pd.DataFrame, limit: float) -> Iterator[Finding]:
    """Yield for each hidden layer the share of its units that no row of ``frame`` moves, held to ``limit``."""
    if len(frame) < 2:
        return
    for layer in layers(model, frame.iloc[:MOST_ROWS]):
        if (units := len(layer.low)) >= FEWEST:
            note = f"{layer.still:,} of {units:,} units"
            yield at_most(STILL, layer.still / units, limit, where=layer.name, unit="share", n=units, note=note)


def layers(model: Model, frame: pd.DataFrame) -> list[Layer]:
    """Return the hidden layers of a network in order; nothing for other models, and those of another process."""
    torch = sys.modules.get("torch")
    native = getattr(model.estimator, "native", model.estimator)
    if torch is not None and isinstance(native, torch.nn.Module):
        return _watched(model, frame)
    return _perceptron(model.estimator, frame[list(model.features)])


def _watched(model: Model, frame: pd.DataFrame) -> list[Layer]:
    """Score rows while every activation function of PyTorch is listened to, wherever the module calls it.

    Units are the channels of images, the last axis of sequences, whose padding never moves, and else all numbers.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    heard: list[Layer] = []

    def listen(_: object, called: Any, types: object, given: Any = (), named: Any = None) -> Any:
        found = called(*given, **(named or {}))
        name = getattr(called, "__name__", "").rstrip("_")
        if name in ACTIVATIONS and isinstance(found, torch.Tensor) and found.dim() > 1 and found.is_floating_point():
            own = 2 if found.dim() == 3 else 1
            others = [axis for axis in range(found.dim()) if axis != own]
            values = found.detach().to("cpu", torch.float64)
            low, high = values.amin(dim=others).numpy(), values.amax(dim=others).numpy()
            heard.append(Layer(f"{name} {len(heard) + 1}", low, high))
        return found

    listening = type("Listening", (TorchFunctionMode,), {"__torch_function__": listen})
    with listening():
        model.predict(frame)
    return heard


def _perceptron(estimator: Any, frame: pd.DataFrame) -> list[Layer]:
    steps = getattr(estimator, "steps", None)
    last = steps[-1][1] if steps else estimator
    if type(last).__module__ != "sklearn.neural_network._multilayer_perceptron":
        return []
    from sklearn.neural_network._base import ACTIVATIONS as FUNCTIONS

    found = []
    with suppress(ValueError, TypeError):  # rows that it refuses are counted elsewhere
        values = np.array(estimator[:-1].transform(frame) if steps and len(steps) > 1 else frame, dtype=np.float64)
        for number, (weights, shift) in enumerate(zip(last.coefs_[:-1], last.intercepts_[:-1], strict=True), start=1):
            values = values @ weights + shift
            FUNCTIONS[last.activation](values)
            found.append(Layer(f"{last.activation} {number}", values.min(axis=0), values.max(axis=0)))
    return found
