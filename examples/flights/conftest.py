"""Builds the example before it is scored, and tells the configuration which build is meant."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from flights import switches
from flights.build import ensure, folder

os.environ["FLIGHTS_BUILD"] = folder(switches.chosen())
os.environ.setdefault("FLIGHTS_TRITON", str(Path(__file__).with_name(".venv-triton")))  # for copies of the project, too
if switches.broken("data.1"):
    os.environ["FLIGHTS_SCHEMA"] = f"{folder('data.1')}/expectations.json"
if switches.chosen() in ("data.3", "data.4"):
    os.environ["FLIGHTS_CATALOGUE"] = f"{folder(switches.chosen())}/catalogue.toml"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Build on first use; workers of a distributed run find the build of the process that started them."""
    if config.getoption("mltestscore", default=False):
        ensure()
