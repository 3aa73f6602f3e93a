"""Mutants against the team's tests: ``python -m mltestscore.codetests.mutation_process WORK``.

Reads ``WORK/request.json`` and writes number and outcome of each mutant to ``WORK/outcomes.jsonl`` as it ends. The
folders that the request names are copies of the project. What the tests load from elsewhere (pandas, say) is loaded
once; each mutant then gets a fork of this process in a copy that is its own for the time. This process holds nothing of
the project, and none of the state of the pytest run that judges.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mltestscore.codetests.pytest_run import Deaf, arguments

TIMED_OUT = 1_000
SURVIVED = (0, 5)  # all tests passed; there was none
_POLL = 0.005


def main(work: Path) -> None:
    """Run the tests against each mutant, as many at a time as there are copies."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    sys.dont_write_bytecode = True  # a changed file of the same size and second would be taken for the compiled one
    for name in request["loaded"]:
        with suppress(BaseException):
            import_module(name)
    gc.collect()
    gc.freeze()  # pytest collects garbage several times a run: not among what is loaded here
    with (work / "outcomes.jsonl").open("w", encoding="utf-8") as outcomes:
        for number, code in _outcomes(request):
            outcomes.write(json.dumps([number, code]) + "\n")
            outcomes.flush()


def _outcomes(request: dict[str, Any]) -> Iterator[tuple[int, int]]:
    waiting = list(enumerate(request["mutants"]))[::-1]
    free, running = [Path(one) for one in request["copies"]], dict[int, _Tested]()
    noticed: set[str] = set()
    while waiting or running:
        while free and waiting:
            number, one = waiting.pop()
            if one["only_until_noticed"] and (one["function"] in noticed or not noticed):
                continue  # where nothing at all was noticed before, the share says it all
            running[number] = _Tested(one, free.pop(), request["deaf"], request["limit"])
        time.sleep(_POLL)
        for number, child in list(running.items()):
            if (code := child.ended()) is not None:
                free.append(child.copy)
                if code not in SURVIVED:
                    noticed.add(request["mutants"][number]["function"])
                del running[number]
                yield number, code


class _Tested:
    """One mutant under test, in a fork of this process and in a copy of the project."""

    def __init__(self, mutant: dict[str, Any], copy: Path, deaf: bool, limit: float) -> None:
        self.copy = copy
        self._target = copy / mutant["module"]
        self._sound = self._target.read_bytes()
        self._target.write_text(mutant["text"], encoding="utf-8")
        self._deadline = time.monotonic() + limit
        self._child = os.fork()
        if self._child == 0:
            _test(mutant["tests"], copy, deaf)

    def ended(self) -> int | None:
        """Return pytest's exit status, negative for a signal, TIMED_OUT past the limit; ``None`` while it runs."""
        done, status = os.waitpid(self._child, os.WNOHANG)
        late = time.monotonic() > self._deadline
        if not done and not late:
            return None
        with suppress(ProcessLookupError):
            os.killpg(self._child, signal.SIGKILL)  # also what outlived it
        if not done:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)  # where its time was up before it had a group of its own
            os.waitpid(self._child, 0)
        self._target.write_bytes(self._sound)
        return os.waitstatus_to_exitcode(status) if done else TIMED_OUT


def _test(tests: Sequence[str], copy: Path, deaf: bool) -> None:
    """Run the tests in the child and end it."""
    code = 3
    try:
        os.setsid()
        first = str(Path.cwd())
        os.chdir(copy)
        sys.path[:] = [str(copy) + part.removeprefix(first) if part.startswith(first) else part for part in sys.path]
        code = int(pytest.main(arguments(tests, stop_at_first=True), plugins=[Deaf()] if deaf else []))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
