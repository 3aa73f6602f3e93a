"""PyTorch: weights with the factory of their module, exported programs by permission, modules that were handed over.

A module gets the features as one tensor, shape (n, d), of the type of its own weights. It gives probabilities, not
logits: shape (n,), (n, 1) or (n, k).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, brief, in_shape, matrix

WEIGHTS_IN = ("state_dict", "model_state_dict")  # where checkpoints keep them beside an optimiser's state
STATISTICS = ("running_mean", "running_var")  # other buffers may be infinite in sound models: masks
MOST = 1 << 16  # rows in one call


def read(file: Path, loading: Loading) -> NativeModel:
    """Read saved weights, PyTorch's own or safetensors, into the module that the factory makes.

    Raises :class:`InputError` where no factory is named, it makes no module, or its module has other weights.
    """
    from torch.nn import Module

    if not loading.factory:
        raise InputError(
            f'{loading.table} path: {file} holds weights only; write factory = "module:function", a function without '
            "arguments that makes the PyTorch module they belong to."
        )
    setting = f"{loading.table} factory"
    weights = _weights(file)
    try:
        module = import_function(loading.factory, base=loading.base, setting=setting)()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{setting} {loading.factory!r} raised {brief(error)}") from error
    if not isinstance(module, Module):
        raise InputError(
            f"{setting} {loading.factory!r} returned a {type(module).__name__}; expected a torch.nn.Module."
        )
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"{setting} {loading.factory!r} makes a module with other weights than {file}: {brief(error)}"
        ) from None
    return _native(module.eval())


def adapt(thing: Any) -> NativeModel | None:
    """Take a module or an exported program.

    Raises :class:`InputError` for a module in training mode: dropout and batch statistics change its scores.
    """
    import torch

    if isinstance(thing, torch.export.ExportedProgram):
        return of_program(thing)
    if not isinstance(thing, torch.nn.Module):
        return None
    if thing.training and not isinstance(thing, torch.fx.GraphModule):  # a graph is fixed in the mode of its export
        raise InputError("the PyTorch module is in training mode; call its eval() before you offer it.")
    return _native(thing)


def numbers(thing: Any) -> Numbers:
    """Yield parameters, and the means and variances of batch normalisation."""
    import torch

    if not isinstance(thing, torch.nn.Module | torch.export.ExportedProgram):
        return
    kept = ((name, values) for name, values in thing.named_buffers() if name.endswith(STATISTICS))
    for name, values in chain(thing.named_parameters(), kept):
        if values.is_floating_point():
            yield name, values.detach().to("cpu", torch.float64).numpy().ravel()


def of_program(program: Any) -> NativeModel:
    """Take an exported program with one input of features."""
    given = [node for node in program.graph.nodes if node.name in program.graph_signature.user_inputs]
    if len(given) != 1 or given[0].meta["val"].dim() != 2:
        raise InputError(f"the exported program takes {len(given)} input(s), not one of shape (n, d); {A_LOADER}.")
    rows, width = given[0].meta["val"].shape
    bounds = program.range_constraints.get(getattr(getattr(rows, "node", None), "expr", None))
    least, most = (rows, rows) if isinstance(rows, int) else (1, MOST)
    if bounds is not None:
        least, most = max(1, int(bounds.lower)), min(MOST, int(min(bounds.upper, MOST)))
    return NativeModel(
        native=program,
        score=partial(_score, program.module(), given[0].meta["val"].dtype, least, most),
        numbers=partial(numbers, program),
        n_features_in_=width if isinstance(width, int) else None,
    )


def _native(module: Any) -> NativeModel:
    import torch

    kinds = (values.dtype for values in module.parameters() if values.is_floating_point())
    score = partial(_score, module, next(kinds, torch.float32), 1, MOST)
    return NativeModel(native=module, score=score, numbers=partial(numbers, module))


def _weights(file: Path) -> Mapping[str, Any]:
    import torch

    with file.open("rb") as stream:
        safe = stream.read(9)[8:] == b"{"
    if safe or file.suffix.lower() == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(file))
    try:
        held = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{file} does not load as PyTorch weights ({type(error).__name__}): it is broken, or holds more than "
            "tensors, which could run code. Save module.state_dict() again."
        ) from error
    for name in WEIGHTS_IN:
        if isinstance(held, Mapping) and isinstance(held.get(name), Mapping):
            held = held[name]
    if not isinstance(held, Mapping):
        raise InputError(f"{file} holds a {type(held).__name__}, not the weights of a module by name.")
    return held


def _score(module: Any, dtype: Any, least: int, most: int, frame: pd.DataFrame, task: str) -> npt.NDArray[np.float64]:
    import torch

    device = next((values.device for values in module.parameters()), "cpu")
    rows = torch.from_numpy(matrix(frame, np.float64)).to(device, dtype)
    parts = []
    with torch.inference_mode():
        for start in range(0, max(1, len(rows)), most):
            part = rows[start : start + most]
            lacking = max(0, least - len(part)) if len(part) else 0
            raw = module(torch.cat([part, part[-1:].expand(lacking, -1)]))
            if not isinstance(raw, torch.Tensor):
                raise InputError(f"the module returned a {type(raw).__name__}, not one tensor of scores; {A_LOADER}.")
            parts.append(raw[: len(part)].to("cpu", torch.float64))
    return in_shape(torch.cat(parts).numpy(), task)
