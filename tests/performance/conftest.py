"""What the tests of this folder share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mltestscore.inputs.endpoint import Endpoint, open_endpoint


@pytest.fixture
def stub() -> Callable[[str], list[str]]:
    """Return the command of a server that misbehaves as told."""
    file = Path(__file__).parents[1] / "serving" / "servers" / "stub_server.py"
    return lambda behaviour: [sys.executable, str(file), "{port}", behaviour]


@pytest.fixture
def opened() -> Iterator:
    """Return a function that opens endpoints; they are closed after the test."""
    endpoints: list[Endpoint] = []

    def start(command, **options) -> Endpoint:
        endpoints.append(open_endpoint(command=command, **options))
        return endpoints[-1]

    yield start
    for endpoint in endpoints:
        endpoint.close()
