"""Objects of other libraries that are handed over, or stand inside a pipeline: scores and numbers of each."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from mltestscore.inputs.models.native import NativeModel, Numbers

# The library's own name, and our module for it.
MODULES = {
    "onnxruntime": "onnx",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "torch": "torch",
}


def adapted(thing: object) -> object:
    """Return a :class:`NativeModel` for a library's own object; what speaks scikit-learn's words returns as it is."""
    module = _module_for(thing)
    if isinstance(thing, NativeModel) or module is None:
        return thing
    return module.adapt(thing) or thing


def numbers(thing: object) -> Numbers:
    """Yield the weights and leaf values of another library's model; nothing for what is none."""
    if isinstance(thing, NativeModel):
        yield from thing.numbers()
    elif module := _module_for(thing):
        yield from module.numbers(thing)


def _module_for(thing: object) -> ModuleType | None:
    for library in _origins(thing):
        if library in MODULES:
            return import_module(f"{__package__}.{MODULES[library]}")
    return None


def _origins(thing: object) -> Iterator[str]:
    for kind in type(thing).__mro__:
        yield str(kind.__module__).partition(".")[0]
