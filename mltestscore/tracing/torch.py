"""PyTorch modules: the output of every layer, seen by hooks that are removed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.tracing.trace import MOST_VALUES, Step, Value, scored

Row = npt.NDArray[np.float64]


def can_follow(module: Any) -> bool:
    """Say whether an object is a module with layers inside; an exported program is one graph without layers."""
    import torch

    return isinstance(module, torch.nn.Module) and any(True for _ in module.children())


def steps(module: Any, score: Callable[[pd.DataFrame, str], Any], row: pd.DataFrame, task: str) -> Iterator[Step]:
    """Yield the output of each layer in the order of its call, and the score."""
    import torch

    seen: list[Step] = []
    room = [MOST_VALUES]

    def watch(name: str, kind: str) -> Callable[[Any, Any, Any], None]:
        def hook(_: Any, __: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                flat = output.detach()[:1].reshape(-1)[: room[0]].to("cpu", torch.float64).tolist()
                room[0] -= len(flat)
                values = tuple(Value(f"{name}[{place}]", one) for place, one in enumerate(flat))
                seen.append(Step(f"{name} ({kind})"[:120], values))

        return hook

    layers = [(name, layer) for name, layer in module.named_modules() if name]
    hooks = [layer.register_forward_hook(watch(name, type(layer).__name__)) for name, layer in layers]
    try:
        found = np.ravel(np.asarray(score(row, task), dtype=np.float64))
    finally:
        for one in hooks:
            one.remove()
    yield from seen
    yield scored(found, "output of the module")
