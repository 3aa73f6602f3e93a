"""A process that sends a share of the load: told what to send on standard input, a line of JSON each time.

Its end of the pipe closes when whoever started it ends, however that ends; then it ends at once, in the middle of a
schedule too.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any

import numpy as np

from mltestscore.serving.answers import Reply
from mltestscore.serving.sending import Connections, Sender, Sent
from mltestscore.serving.stalls import as_told
from mltestscore.serving.transports.base import Target

READY = "ready"


def main() -> None:
    """Send what the lines of standard input say, until it closes."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    out, sys.stdout = sys.stdout, sys.stderr  # nothing else may write between our lines
    sender = Sender(Target(**json.loads(lines.get())))

    def begin() -> float:
        print(READY, file=out, flush=True)
        return float(lines.get())

    while True:
        job = json.loads(lines.get())
        sent, _ = sender.send(
            [body.encode("latin-1") for body in job["bodies"]],
            np.array(job["intended"]),
            Connections(*job["connections"]),
            stall=as_told(job["stall"]),
            begin=begin,
        )
        print(json.dumps(_told(sent)), file=out, flush=True)


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _told(sent: Sent) -> dict[str, Any]:
    """Return what was sent as JSON; answers that are the same are written once."""
    kinds: dict[Any, int] = {}
    which = [kinds.setdefault(_key(answer), len(kinds)) for answer in sent.answers]
    moments = {name: getattr(sent, name).tolist() for name in ("sent", "finished", "lag")}
    figures = {name: getattr(sent, name) for name in ("cpu", "seconds", "connections")}
    return {**moments, **figures, "kinds": list(kinds), "which": which}


def _key(answer: Reply | str) -> Any:
    if isinstance(answer, str):
        return answer
    return answer.status, answer.content.decode("latin-1"), tuple(answer.headers.items()), answer.code


def heard(told: dict[str, Any]) -> Sent:
    """Return what a worker's line says."""
    kinds = [_answer(one) for one in told["kinds"]]
    sent, finished, lag = (np.array(told[name], dtype=float) for name in ("sent", "finished", "lag"))
    answers = [kinds[one] for one in told["which"]]
    return Sent(sent, finished, lag, answers, told["cpu"], told["seconds"], told["connections"])


def _answer(key: Any) -> Reply | str:
    if isinstance(key, str):
        return key
    status, content, headers, code = key
    return Reply(status, content.encode("latin-1"), dict(headers), code=code)
