"""Digests of a fitted estimator: of its pickled bytes, and of its parameters whatever their layout in memory.

Equal digests mean equal models. Different ones may not mean different models: a cached random state or a compiled
library's padding counts as a difference here, and the predictions then decide.
"""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

# How long a search took differs between equal trainings (sklearn.model_selection.BaseSearchCV).
_TIMINGS = frozenset({"refit_time_", "cv_results_"})


def artefact_digest(thing: object) -> str:
    """Return the SHA-256 of the pickled object, or an empty string where it does not pickle."""
    try:
        return hashlib.sha256(pickle.dumps(thing, protocol=5)).hexdigest()
    except Exception:  # a lambda, a lock, a handle of a compiled library: the parameters decide
        return ""


def parameters_digest(thing: object) -> str:
    """Return the SHA-256 of all parameters and fitted attributes, recursively; arrays by value, dicts in any order.

    An empty string where a part can be taken apart neither by Python nor by its own pickling.
    """
    try:
        return _digest(thing, ()).hex()
    except Exception:
        return ""


def _digest(thing: object, above: tuple[int, ...]) -> bytes:
    """Return the digest of one value; ``above`` holds the ids of what contains it, so that cycles end."""
    if id(thing) in above:
        return _hash(b"cycle", str(above[::-1].index(id(thing))).encode())
    method = _METHODS.get(type(thing), _number if isinstance(thing, np.generic) else _object)
    return method(thing, (*above, id(thing)))


def _hash(*parts: bytes) -> bytes:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(struct.pack("<Q", len(part)))
        whole.update(part)
    return whole.digest()


def _plain(thing: object, above: tuple[int, ...]) -> bytes:
    return _hash(type(thing).__name__.encode(), repr(thing).encode())


def _number(thing: Any, above: tuple[int, ...]) -> bytes:
    return _array(np.asarray(thing), above)


def _array(thing: Any, above: tuple[int, ...]) -> bytes:
    head = (b"array", repr(thing.dtype).encode(), repr(thing.shape).encode())
    if thing.dtype.names:  # field by field: the padding between fields holds whatever was in memory
        return _hash(*head, *(_array(thing[name], above) for name in thing.dtype.names))
    if thing.dtype.hasobject:
        return _hash(*head, *(_digest(part, above) for part in thing.ravel().tolist()))
    return _hash(*head, np.ascontiguousarray(thing).tobytes())


def _sequence(thing: Any, above: tuple[int, ...]) -> bytes:
    return _hash(type(thing).__name__.encode(), *(_digest(part, above) for part in thing))


def _set(thing: Any, above: tuple[int, ...]) -> bytes:
    return _hash(type(thing).__name__.encode(), *sorted(_digest(part, above) for part in thing))


def _mapping(thing: Any, above: tuple[int, ...]) -> bytes:
    return _hash(b"dict", *sorted(_digest(key, above) + _digest(value, above) for key, value in thing.items()))


def _type(thing: Any, above: tuple[int, ...]) -> bytes:
    return _hash(thing.__module__.encode(), thing.__qualname__.encode())


def _function(thing: Any, above: tuple[int, ...]) -> bytes:
    cells = [cell.cell_contents for cell in thing.__closure__ or ()]
    held = (thing.__code__, thing.__defaults__, thing.__kwdefaults__, cells)
    return _hash(_type(thing, above), _digest(held, above))


def _code(thing: CodeType, above: tuple[int, ...]) -> bytes:
    return _hash(thing.co_code, _digest((thing.co_consts, thing.co_names), above))


def _bound(thing: Any, above: tuple[int, ...]) -> bytes:
    owner = None if isinstance(thing.__self__, ModuleType) else thing.__self__
    return _hash(b"bound", thing.__qualname__.encode(), str(thing.__module__).encode(), _digest(owner, above))


def _object(thing: Any, above: tuple[int, ...]) -> bytes:
    name = f"{type(thing).__module__}.{type(thing).__qualname__}".encode()
    if hasattr(thing, "get_params") and hasattr(thing, "__dict__"):
        # All of it and not only what ends in "_": gradient boosting keeps its trees in ``_predictors``.
        state = {key: value for key, value in vars(thing).items() if key not in _TIMINGS}
        return _hash(name, _digest(state, above))
    if isinstance(thing, type):  # of a metaclass, such as an abstract class
        return _type(thing, above)
    reduced = thing.__reduce_ex__(4)
    if isinstance(reduced, str):
        return _hash(name, reduced.encode())
    return _hash(name, *(_digest(_whole(part), above) for part in reduced))


def _whole(part: object) -> object:
    """Return an iterator of items, as ``__reduce_ex__`` gives for lists and dicts, as the list of its items."""
    return list(part) if hasattr(part, "__next__") else part  # type: ignore[call-overload]


# By exact type: a subclass may hold more than its base shows, and goes through its own pickling instead.
_METHODS: dict[type, Callable[[Any, tuple[int, ...]], bytes]] = {
    **dict.fromkeys((type(None), bool, int, float, complex, str, bytes, type(Ellipsis), range), _plain),
    **dict.fromkeys((np.ndarray, np.memmap), _array),
    **dict.fromkeys((list, tuple), _sequence),
    **dict.fromkeys((set, frozenset), _set),
    **dict.fromkeys((MethodType, BuiltinFunctionType), _bound),
    dict: _mapping,
    type: _type,
    FunctionType: _function,
    CodeType: _code,
}
