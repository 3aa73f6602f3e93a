"""Calls a function as the application does that has it as a library, for whoever connects to the supervisor's port.

It runs alone, in an environment that may not have ours, and imports nothing of ours but for a model's file. A request
is its length and ``[name, body]`` in JSON; an answer is a status, a length and JSON.
"""

from __future__ import annotations

import faulthandler
import importlib
import inspect
import json
import mmap
import selectors
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

LONGEST = 1_000  # characters of a message
SLOWEST = 10.0  # seconds for a client to take its answer
LENGTH, HEAD = struct.Struct(">I"), struct.Struct(">HI")


def main(url: str, threads: int, loading: str, version: str, listener: int, shared: int) -> None:
    """Import what is called, listen, and answer until the process is ended."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # works while a call holds the interpreter's lock
    own = Path(__file__).resolve().parent
    sys.path[:] = [str(Path.cwd()), *(one for one in sys.path if Path(one).resolve() != own)]  # as for `python -m`
    thing = _model(url, json.loads(loading)) if url.startswith("file:") else _found(url.partition(":")[2])
    # What is called is settled here: whoever else reaches the port can name nothing.
    named = _found(version) if version else None
    called = _Called(_instance(thing), named, mmap.mmap(shared, 0), threads)
    listening = socket.socket(fileno=listener)
    listening.listen(1024)  # not before: what cannot be imported is not ready
    _serve(listening, called, threads)


def _found(name: str) -> Any:
    module, _, path = name.partition(":")
    thing: Any = importlib.import_module(module)
    for part in path.split("."):
        if not hasattr(thing, part):
            sys.exit(f"{module!r} has no {path!r}")
        thing = getattr(thing, part)
    return thing


def _model(url: str, loading: dict[str, Any]) -> Any:
    from mltestscore.inputs.model import load_model

    return load_model(Path(url.partition(":")[2]), **loading)


def _instance(thing: Any) -> Any:
    return thing() if inspect.isclass(thing) else thing


class _Called:
    """What is called, how it is given rows, and since when each thread is at it."""

    def __init__(self, thing: Any, version: Any, began: mmap.mmap, threads: int) -> None:
        self._thing, self._named = thing, version
        self._score = next((getattr(thing, one) for one in ("predict_proba", "predict") if hasattr(thing, one)), thing)
        if not callable(self._score):
            sys.exit(f"{type(thing).__name__} is no function of rows, and has neither predict_proba nor predict")
        if inspect.iscoroutinefunction(self._score):
            sys.exit(f"{self._score.__name__} is async; name a plain function that returns the scores")
        self._began, self._free, self._mine = began, list(range(threads)), threading.local()

    def answer(self, request: bytes) -> bytes:
        """Return the answer to a request; what the function raises is an error in status 500."""
        if not hasattr(self._mine, "place"):
            self._mine.place = 8 * self._free.pop()
        struct.pack_into("d", self._began, self._mine.place, time.monotonic())
        try:
            status, said = 200, self._answered(*json.loads(request))
            text = json.dumps(said, default=_plain).encode()
        except Exception as error:
            status, text = 500, json.dumps({"error": f"{type(error).__name__}: {error}"[:LONGEST]}).encode()
        finally:
            struct.pack_into("d", self._began, self._mine.place, 0.0)
        return HEAD.pack(status, len(text)) + text

    def _answered(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name != "predict":
            return {"version": self._version() or ""}
        said = self._scores(body)
        answer = dict(said) if isinstance(said, Mapping) else {"scores": said}
        version = self._version()
        return answer if version is None else {"version": version, **answer}

    def _scores(self, body: dict[str, Any]) -> Any:
        columns, wanted = body["columns"], body["rows"]
        if wanted == "frame":
            return self._score(_frame(columns, body["schema"], body["times"]))
        rows = list(zip(*columns.values(), strict=True))
        if wanted == "array":
            import numpy as np

            return self._score(np.array(rows, dtype=np.float64))
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        if wanted == "objects":
            return self._score(objects)
        if wanted == "object":
            return [self._score(one) for one in objects]
        raise ValueError(f"the setting rows is {wanted!r}; write frame, array, objects or object")

    def _version(self) -> Any:
        """Return the version as the setting names it, or else as the function or the model tells."""
        if self._named is not None:
            return str(self._named() if callable(self._named) else self._named)
        for one in (self._thing, getattr(self._thing, "__self__", None)):
            told = getattr(one, "version", None)
            if isinstance(told, str | int | float) and told != "":
                return str(told)
        return None


def _frame(columns: dict[str, Sequence[Any]], schema: list[dict[str, str]], times: list[str]) -> Any:
    """Return the rows as a frame, typed as they were: JSON has neither times nor a number that is missing."""
    import numpy as np
    import pandas as pd

    numbers = {one["name"] for one in schema if one["type"] == "double"} - set(times)
    if len(numbers) == len(columns):  # at a third of what so many columns cost
        return pd.DataFrame(np.array(list(columns.values()), dtype=np.float64).T, columns=list(columns))
    series: dict[str, Any] = dict(columns)
    for name in numbers:
        series[name] = np.array(columns[name], dtype=np.float64)
    for name in times:
        series[name] = pd.to_datetime(pd.Series(columns[name]), format="ISO8601")
    return pd.DataFrame(series)


def _plain(value: Any) -> Any:
    """Return what JSON can hold of a library's array, frame, tensor or number."""
    for name in ("to_numpy", "tolist", "numpy", "item"):
        if hasattr(value, name):
            return getattr(value, name)()
    raise TypeError(f"a {type(value).__name__} among the scores is no number")


def _serve(listener: socket.socket, called: _Called, threads: int) -> None:
    """Answer for ever; one thread is this one, as many libraries want the main thread."""
    selector = selectors.DefaultSelector()
    pool = ThreadPoolExecutor(threads) if threads > 1 else None
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                _accept(selector, listener)
            elif (request := _request(selector, key)) is not None:
                if pool:
                    pool.submit(_tell, key.fileobj, called, request)
                else:
                    _tell(key.fileobj, called, request)


def _accept(selector: selectors.BaseSelector, listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.settimeout(SLOWEST)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ, bytearray())


def _request(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> bytes | None:
    """Read what has come; return the request once it is whole: a connection has one at a time."""
    connection: Any = key.fileobj
    held: bytearray = key.data
    try:
        part = connection.recv(1 << 20)
    except OSError:
        part = b""
    if not part:
        selector.unregister(connection)
        connection.close()
        return None
    held += part
    if len(held) < LENGTH.size or len(held) < LENGTH.size + LENGTH.unpack_from(held)[0]:
        return None
    request = bytes(held[LENGTH.size :])
    held.clear()
    return request


def _tell(connection: Any, called: _Called, request: bytes) -> None:
    answer = called.answer(request)
    with suppress(OSError):  # who asked has gone
        connection.sendall(answer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], *map(int, sys.argv[5:7]))
