"""Time and store calls of a serving path, in its own process.

``python -m mltestscore.codetests.online_cost_process WORK`` reads ``WORK/request.json`` and ``rows.parquet``, and
writes ``WORK/cost.json``. The current folder is a copy of the project.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.training_process import told

Online = Callable[[Mapping[str, Any]], Mapping[str, Any]]

STATEMENTS = frozenset({"execute", "executemany", "executescript"})
SENT = frozenset({"send", "sendall", "sendto", "sendmsg"})
ANSWERED = frozenset({"recv", "recv_into", "recvfrom", "recvmsg"})


class Counter:
    """Counts calls of a store among the calls into compiled code.

    A statement of a database driver is one call. What is sent through a socket is one until something is received:
    the head and the body of a request are sent apart.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._sending = False

    def seen(self, frame: FrameType, event: str, called: Any) -> None:
        """Take one event of :func:`sys.setprofile`."""
        if event != "c_call":
            return
        name, owner = getattr(called, "__name__", ""), type(getattr(called, "__self__", None))
        socket = issubclass(owner, _sockets())
        if (socket and name in SENT) or (owner.__name__ == "_SSLSocket" and name == "write"):
            self.calls += not self._sending
            self._sending = True
        elif (socket and name in ANSWERED) or (owner.__name__ == "_SSLSocket" and name == "read"):
            self._sending = False
        elif name in STATEMENTS:
            self.calls += 1


def _sockets() -> type:
    import _socket

    return _socket.socket


@contextmanager
def counted() -> Any:
    """Count store calls in this thread while the block runs."""
    counter = Counter()
    sys.setprofile(counter.seen)
    try:
        yield counter
    finally:
        sys.setprofile(None)


def cost(online: Online, rows: Sequence[Mapping[str, Any]], repeats: int, seconds: float) -> dict[str, list[Any]]:
    """Return milliseconds and store calls of as many rows as ``seconds`` allow, at least of one.

    The first row is asked once before, unmeasured: opening a connection is no price of a request.
    """
    online(dict(rows[0]))
    end = time.monotonic() + seconds
    times: list[float] = []
    calls: list[int] = []
    for row in rows:
        with counted() as counter:
            online(dict(row))
        calls.append(counter.calls)
        tries = []
        for _ in range(repeats):
            given = dict(row)
            began = time.perf_counter()
            online(given)
            tries.append(time.perf_counter() - began)
            if time.monotonic() > end:
                break
        times.append(1000 * min(tries))
        if time.monotonic() > end:
            break
    return {"milliseconds": times, "calls": calls}


def main(work: Path) -> None:
    """Measure what the request asks for."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    online = import_function(request["online"], base=Path(), setting=request["setting"])
    for wrapper in request["wrappers"]:
        online = import_function(wrapper, base=Path(), setting="wrapper")(online)
    rows = pd.read_parquet(work / "rows.parquet").to_dict("records")
    found = cost(online, [{str(name): value for name, value in row.items()} for row in rows], **_limits(request))
    (work / "cost.json").write_text(json.dumps(found), encoding="utf-8")


def _limits(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: request[name] for name in ("repeats", "seconds")}


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except MltestscoreError as error:
        sys.exit(f"{error}")
    except Exception as error:
        sys.exit(told(error))
