"""A Python that has imported what a project needs: ``python -m mltestscore.codetests.warm_process FD``.

Orders come and answers go as JSON through the socket ``FD``: first the modules to import, then a module of ours to run
at a time, each in a fork of the moment after the imports. None sees what another did; no file of the project is
imported before a fork. It ends when nobody can ask any more, or nobody has asked for ten minutes.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

IDLE = 600.0
HARMLESS = frozenset({"jemalloc_bg_thd"})  # prepares itself for forks


def main(descriptor: int) -> None:
    """Import, say whether forks are safe, then serve; in a fork, return when its module has run."""
    os.set_inheritable(descriptor, False)  # what is started must not keep the socket open
    orders, own = Connection(descriptor), [place for place in sys.path if Path(place or ".").resolve() != Path.cwd()]
    for name in json.loads(orders.recv_bytes())["libraries"]:
        with suppress(Exception, SystemExit):  # a fork that needs it will say what is wrong
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    _send(orders, {"forks": _single()})
    while orders.poll(IDLE):
        try:
            order: dict[str, Any] = json.loads(orders.recv_bytes())
        except (EOFError, OSError):
            return
        child = os.fork()
        if child == 0:
            orders.close()
            _become(order, own)
            return
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)  # what outlived it
        _send(orders, {"code": os.waitstatus_to_exitcode(status)})


def _send(orders: Connection, answer: Mapping[str, Any]) -> None:
    with suppress(OSError):  # nobody listens any more; the next poll says so
        orders.send_bytes(json.dumps(answer).encode())


def _single() -> bool:
    """Say whether no library has begun a thread: a fork would lack it, and might wait for it forever."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return False
    names = [(task / "comm").read_text(encoding="utf-8", errors="replace").strip() for task in tasks.iterdir()]
    return len([name for name in names if name not in HARMLESS]) == 1


def _become(order: Mapping[str, Any], own: list[str]) -> None:
    """Run a module as ``python -m`` would in the folder, with the path and the output of the order."""
    os.setsid()
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.close(said)
    os.chdir(order["folder"])
    os.environ.update(order["variables"])
    sys.path[:] = [order["folder"], *order["variables"]["PYTHONPATH"].split(os.pathsep), *own]
    importlib.invalidate_caches()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # as in a fresh process: the random module does this by itself
    sys.argv = [order["module"], *order["arguments"]]
    sys.modules.pop(order["module"], None)
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
