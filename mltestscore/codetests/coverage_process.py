"""The team's tests under coverage.py in their own process: ``python -m mltestscore.codetests.coverage_process WORK``.

Reads ``WORK/request.json``, writes ``WORK/coverage.json`` (coverage.py's own format, a context a test) and
``WORK/result.json``. The current folder is a copy of the project.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import coverage
import pytest

from mltestscore.codetests.pytest_run import MOST_FAILURES, Deaf, Watcher, arguments


def main(work: Path) -> None:
    """Run the tests once and write what they ran."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    here = Path.cwd().resolve()
    files = [str(here / module) for module in request["modules"]]
    measured = coverage.Coverage(data_file=None, branch=True, include=files, config_file=False, messages=False)
    measured.exclude(r"if (typing\.)?TYPE_CHECKING:")
    measured.exclude(r"if __name__ == .__main__.:")
    watcher = Watcher(measured.switch_context)
    began = time.perf_counter()
    measured.start()
    code = pytest.main(arguments(request["tests"]), plugins=[watcher, *([Deaf()] if request["deaf"] else [])])
    measured.stop()
    seconds = time.perf_counter() - began
    (work / "coverage.json").write_text(json.dumps(_report(measured, files, work, here)), encoding="utf-8")
    result = {
        "code": int(code),
        "tests": len(watcher.tests - watcher.skipped),
        "failed": dict(list(watcher.failed.items())[:MOST_FAILURES]),
        "failures": len(watcher.failed),
        "seconds": seconds,
        "loaded": _loaded(here),
    }
    (work / "result.json").write_text(json.dumps(result), encoding="utf-8")


def _report(measured: coverage.Coverage, files: list[str], work: Path, here: Path) -> dict[str, Any]:
    """Return coverage.py's JSON report by module; a file that nothing ran is reported as not run at all."""
    target = work / "raw.json"
    for file in files:
        measured.get_data().touch_file(file)
    measured.json_report(morfs=files, outfile=str(target), show_contexts=True)
    found = json.loads(target.read_text(encoding="utf-8"))["files"]
    return {Path(name).resolve().relative_to(here).as_posix(): report for name, report in found.items()}


def _loaded(here: Path) -> list[str]:
    """Return the modules that the tests loaded from outside of the project, in the order of loading."""
    names = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and not Path(file).resolve().is_relative_to(here) and not name.startswith(("coverage", "__")):
            names.append(name)
    return names


if __name__ == "__main__":
    main(Path(sys.argv[1]))
