"""Fixtures for models of other libraries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other cost these small models more than they compute."""
    with threadpool_limits(1):
        yield
