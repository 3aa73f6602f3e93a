"""How the team's tests are run inside a process of ours: arguments, which test is running, and who failed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

MOST_FAILURES = 20


def arguments(targets: Sequence[str], temporary: Path, *, stop_at_first: bool = False) -> list[str]:
    """Return pytest's arguments: quiet, in order, in one process, without leaving a cache or temporary files behind."""
    words = [*targets, "-q", "--rootdir=.", "--tb=line", "-p", "no:cacheprovider", "-p", "no:randomly"]
    words.append(f"--basetemp={temporary}")
    words += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins are loaded before, on purpose
    words += ["-n", "0"] if find_spec("xdist") else []
    words += ["--no-cov"] if find_spec("pytest_cov") else []
    return [*words, "-x"] if stop_at_first else words


class Watcher:
    """Notes each test's outcome, and tells ``entered`` which test runs (an empty text between tests)."""

    def __init__(self, entered: Callable[[str], object] = lambda _: None) -> None:
        self._entered = entered
        self.tests: set[str] = set()
        self.skipped: set[str] = set()
        self.failed: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Tell which test runs."""
        self._entered(item.nodeid)
        try:
            return (yield)
        finally:
            self._entered("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what became of a phase of a test."""
        self.tests.add(report.nodeid)
        if report.skipped:
            self.skipped.add(report.nodeid)
        if report.failed:
            self.failed.setdefault(report.nodeid, report.longreprtext[-300:])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what cannot be collected."""
        if report.failed:
            self.failed.setdefault(report.nodeid, report.longreprtext[-300:])


class Deaf:
    """Lets every test pass whatever it sees: a planted fault."""

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, Any, Any]:
        """Swallow what the test raises."""
        try:
            return (yield)
        except (Exception, pytest.fail.Exception):
            return True
