"""The pytest entry point: options and markers. Everything else is registered late, by ``--mltestscore``.

An unused plugin must cost nothing: this file imports pytest and nothing that pytest has not loaded already.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; their values are plain, because pytest-xdist ships them to its workers."""
    group = parser.getgroup("mltestscore", "ML Test Score")
    group.addoption("--mltestscore", action="store_true", help="score the ML system on the rubric's 28 tests")
    group.addoption(
        "--mltestscore-config", metavar="FILE", help="the pyproject.toml to read (default: the nearest one)"
    )
    group.addoption("--mltestscore-output", metavar="FOLDER", help="where the scorecard goes")
    group.addoption("--mltestscore-gate", metavar="NAME", help="hold the scorecard to [tool.mltestscore.gates.NAME]")
    group.addoption("--mltestscore-fail-under", type=float, metavar="SCORE", help="exit 1 when the score is lower")
    group.addoption(
        "--mltestscore-drilldown", action="store_true", help="draw flagged features with Evidently, a page each"
    )
    group.addoption("--mltestscore-no-proof", action="store_true", help="plant no faults: faster, and earns nothing")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; with ``--mltestscore``, load the rest."""
    config.addinivalue_line(
        "markers",
        "mltestscore(item, fault=None): this test is evidence for a rubric item, e.g. 'data.7'; "
        "fault is a context manager that breaks the system, under which the test must fail",
    )
    if config.getoption("mltestscore"):
        from mltestscore import run  # only now: it loads the engine

        run.register(config)
