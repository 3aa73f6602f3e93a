"""What the tests of this folder share."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def stub() -> Callable[[str], list[str]]:
    """Return the command of a server that misbehaves as told."""
    file = Path(__file__).parents[1] / "serving" / "servers" / "stub_server.py"
    return lambda behaviour: [sys.executable, str(file), "{port}", behaviour]
