"""A model that an application calls as a library: in a process of its own, as the application would begin it.

``python:package.module:predict`` is a function, an object with ``predict_proba`` or ``predict``, or a class that makes
one without arguments; ``file:model.onnx`` a model's file, read as ``[tool.mltestscore.model]`` says. The process is a
fresh interpreter (``host.py``) behind one that ends and replaces it where a call hangs (``supervisor.py``), so that
what it does to this process is nothing, and what it costs can be told.

What is measured holds 0.05 ms of ours a call, 0.3 ms where the function takes a frame, which must be made of 20
columns (medians; ``python -m tests.serving.in_process_cost`` tells them on a machine); memory, 9 MB of the supervisor.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mltestscore.errors import ConfigError
from mltestscore.inputs.functions import split_name
from mltestscore.serving.wire import Wire

PYTHON, FILE = "python:", "file:"
SUPERVISOR = Path(__file__).parent / "supervisor.py"
MOST_THREADS = 256


def is_in_process(url: str) -> bool:
    """Say whether an endpoint's ``url`` names what is called in a process, not a server.

    >>> is_in_process("python:flights.scoring:predict"), is_in_process("http://localhost:8080")
    (True, False)
    """
    return url.startswith((PYTHON, FILE))


def protocol_for(url: str, previous_url: str, protocol: str) -> str:
    """Return the protocol of what ``url`` names: ``protocol``, where it is not the default of servers.

    Raises :class:`ConfigError` where only one of two versions is called in a process.
    """
    if previous_url and is_in_process(previous_url) != is_in_process(url):
        raise ConfigError(
            f"endpoint: {url or 'the command'!r:.200} and previous_url = {previous_url!r:.200} are asked in two ways; "
            "both versions are called in a process, or both are servers of one protocol."
        )
    return "in_process" if is_in_process(url) and protocol == "plain_json" else protocol


def command_for(
    url: str, interpreter: Sequence[str], wire: Wire, *, timeout: float, loading: Mapping[str, Any]
) -> list[str]:
    """Return the command that serves ``url`` at ``{port}``; see :mod:`mltestscore.serving.in_process.supervisor`.

    Args:
        url: ``python:…`` or ``file:…``.
        interpreter: of the application's environment, with its options; empty: ours. A model's file needs ours there.
        wire: the protocol; of its settings, ``threads`` is how many calls are made at once, ``version`` what tells it.
        timeout: seconds that a call may take before its process is ended.
        loading: how a model's file is read, see :func:`mltestscore.inputs.model.load_model`.

    Raises :class:`ConfigError` for what names nothing, or a number of threads that is none.
    """
    if url.startswith(PYTHON):
        split_name(url.removeprefix(PYTHON), 'endpoint: what follows "python:"')
    elif not url.removeprefix(FILE):
        raise ConfigError('endpoint: url = "file:" names no file; write it as "file:models/model.onnx".')
    if wire.transport != "in_process":
        raise ConfigError(
            f"endpoint: {url!r:.200} is called in a process, and the protocol {wire.name!r} is one of servers; leave "
            'protocol out, or give a protocol of yours base = "in_process".'
        )
    threads = wire.settings.get("threads", 1)
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise ConfigError(f"endpoint: the setting threads is {threads!r:.40}; write 1 to {MOST_THREADS}.")
    if any("{port}" in word for word in interpreter):
        raise ConfigError(
            f"endpoint: {url!r:.200} is called in a process of its own, so command is only the interpreter for it, "
            'such as [".venv/bin/python"]; for a server, write its own url, or none.'
        )
    if version := str(wire.settings.get("version") or ""):
        split_name(version, "endpoint: the setting version")
    options = ["--timeout", str(timeout), "--threads", str(threads), "--loading", json.dumps(dict(loading))]
    options += ["--version", version]
    own = [sys.executable, "-I", "-S", str(SUPERVISOR)]
    return [*own, url, "{port}", *options, "--", *(interpreter or [sys.executable])]
