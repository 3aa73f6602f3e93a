"""One run of the team's tests: which lines and branches of which functions they run, and which test runs which line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from mltestscore.codetests.session import Session
from mltestscore.errors import InputError, NotOffered

REMEDY = "pip install 'mltestscore[features]'"


@dataclass(frozen=True)
class Function:
    """A function of the code: its qualified name, its first line, and how many of its statements were run.

    What a comment ``pragma: no cover`` excludes is not counted.
    """

    name: str
    line: int
    statements: int
    covered: int


@dataclass(frozen=True)
class FileRun:
    """What the tests run of one file.

    Attributes:
        statements: that can be run.
        covered: that a test, or importing the file, ran.
        branches: ways out of a line with several.
        covered_branches: that were taken.
        functions: with at least one statement.
        tests: node ids by line; an empty node id stands for what ran outside of a test, mostly importing.
        excluded: lines that a comment excludes.
    """

    statements: int
    covered: int
    branches: int
    covered_branches: int
    functions: tuple[Function, ...]
    tests: Mapping[int, frozenset[str]]
    excluded: frozenset[int]


@dataclass(frozen=True)
class TestRun:
    """One run of the tests.

    Attributes:
        tests: how many ran; skipped ones do not count.
        failures: how many failed, or could not be collected.
        failed: what the first of them said, by node id.
        seconds: wall time, without loading.
        cpu: seconds of processor time likewise.
        files: by module.
    """

    __test__ = False  # no test, whatever pytest thinks of the name

    tests: int
    failures: int
    failed: Mapping[str, str]
    seconds: float
    cpu: float
    files: Mapping[str, FileRun]


def run_tests(session: Session, timeout: float) -> TestRun:
    """Run the tests once in a copy of the project, under coverage.py with branches; remembered for the same code.

    Raises :class:`NotOffered` without coverage.py, :class:`InputError` when the tests take longer than ``timeout``
    seconds or pytest cannot run at all.
    """
    if find_spec("coverage") is None:
        raise NotOffered("coverage.py", REMEDY)
    features = session.features
    key, heard = (("run", one.code_digest) for one in (features, features.replace(deaf=False)))
    if features.deaf and heard in features.memory and not features.memory[heard].failures:
        key = heard  # tests that pass run the same lines whether or not anybody hears what they say
    if key not in features.memory:
        features.memory[key] = _run(session, timeout)
    found: TestRun = features.memory[key]
    return found


def _run(session: Session, timeout: float) -> TestRun:
    features = session.features
    result = session.observe(timeout)
    if result is None:
        raise InputError(
            f"{features.table} tests: {', '.join(features.tests)} still ran after {timeout:g} s and were stopped. Name "
            "only the unit tests of this code, or give them more time (option timeout)."
        )
    if result["code"] in (3, 4):
        named = f"{features.table} tests: pytest could not run {', '.join(features.tests)}"
        raise InputError(f"{named}. It said:\n{session.said}")
    if "report" not in result:
        raise InputError(
            f"{features.table} tests could not be run in a copy of the project. They said:\n{session.said}"
        )
    files = {module: _file(result["report"][module]) for module in features.modules}
    return TestRun(result["tests"], result["failures"], result["failed"], result["seconds"], result["cpu"], files)


def _file(report: Mapping[str, Any]) -> FileRun:
    summary = report["summary"]
    functions = [
        Function(name, min(lines), found["summary"]["num_statements"], found["summary"]["covered_lines"])
        for name, found in report["functions"].items()
        if name and (lines := [*found["executed_lines"], *found["missing_lines"]])
    ]
    return FileRun(
        statements=summary["num_statements"],
        covered=summary["covered_lines"],
        branches=summary["num_branches"],
        covered_branches=summary["covered_branches"],
        functions=tuple(functions),
        tests={int(line): frozenset(names) for line, names in report.get("contexts", {}).items()},
        excluded=frozenset(report["excluded_lines"]),
    )
