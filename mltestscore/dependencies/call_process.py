"""Calls a team's function in a process that can be stopped: ``notify`` with a message, ``holds`` with a token."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from mltestscore.inputs.functions import import_function

ARRIVED, MISSING = 0, 77


def main(action: str, source: str, text: str, sink: str = "") -> int:
    """Call ``source`` with ``text``; return the exit status.

    A function that notifies may take ``sink``, the address at which the message is expected. One that is asked for a
    token returns whether its message has come, or the messages.
    """
    function = import_function(source, base=Path.cwd(), setting=action)
    takes_sink = action == "notify" and "sink" in inspect.signature(function).parameters
    returned = function(text, sink=sink) if takes_sink else function(text)
    if action == "notify":
        return 0
    if isinstance(returned, str | bytes):
        returned = [returned]
    if isinstance(returned, list | tuple | set | dict):
        returned = any(
            text in (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)) for one in returned
        )
    return ARRIVED if returned else MISSING


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
