"""A server driven until it falls behind: only where the team permits it, and held to the peak that it declared."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.endpoint import Endpoint, open_endpoint
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.serving.saturation import Stairs
from mltestscore.settings_serving import LoadConfig
from mltestscore.testing import run_check

pytestmark = pytest.mark.alone

STUB = Path(__file__).parents[2] / "serving" / "servers" / "stub_server.py"
PEAK = "blocks at the peak rate that the server does not sustain"
SHORT = {"pairs": 4, "looks": 1, "alpha": 0.2, "block_seconds": 0.1, "p95_ms": 2000.0, "tolerance": 0.2}


@pytest.fixture
def opened():
    """Return a function that starts a stub server which may be loaded so; it is closed after the test."""
    endpoints: list[Endpoint] = []

    def start(**loading) -> Endpoint:
        command = [sys.executable, str(STUB), "{port}", "sound", "7"]
        endpoints.append(open_endpoint(command=command, loading=LoadConfig(**loading)))
        return endpoints[-1]

    yield start
    for endpoint in endpoints:
        endpoint.close()


@pytest.fixture(autouse=True)
def others_left_out(monkeypatch):
    """What else runs here while a developer tests is no part of these cases."""
    monkeypatch.setattr("mltestscore.serving.contention.OTHERS", 1.1)


@pytest.fixture(scope="module")
def serving() -> Dataset:
    frame = pd.DataFrame({"id": range(50), "a": [float(number) for number in range(50)]})
    return open_dataset("serving", frame, Roles(key=("id",), features=("a",)))


def run(endpoint: Endpoint, serving: Dataset, **options) -> CheckResult:
    how = {**SHORT, "climb_seconds": 0.0, **options}
    return run_check("monitor.6", endpoint=endpoint, serving=serving, options=how, prove=False)


def at_peak(result: CheckResult) -> FindingRecord:
    return next(finding for finding in result.findings if finding.name == PEAK)


def test_steps_of_the_rate_show_where_the_server_falls_behind(opened, serving):
    """The planted fault beside them: at most 600 answers a second, one after the other, are enough for the peak."""
    endpoint = opened(saturate=True, arrivals="fixed", peak_rate=400.0).limited(600.0)
    result = run(endpoint, serving, climb_seconds=5.0, rate=400.0)
    table, picture = (one for one in result.details if one.title.startswith(("Steps of rate", "Answered beside")))
    told = ("the server begins to break between", "the server breaks at", "the time was up")
    assert any(words in table.title for words in told)  # as far as the time went
    lines = picture.data["lines"]
    assert max(lines["answered"]) < 1.2 * 600 < max(lines["offered"])
    assert lines["answered"][0] == pytest.approx(lines["offered"][0], rel=0.1)
    assert {row[-1] for row in table.data["rows"]} <= {"", "falls behind"}
    assert at_peak(result).verdict == "passed"


@pytest.mark.parametrize("peak", [0.0, 500.0])
def test_nothing_is_driven_to_its_limit_without_permission(opened, serving, peak, monkeypatch):
    def refused(*_):
        raise AssertionError("the server was driven")

    monkeypatch.setattr(Stairs, "block", refused)
    result = run(opened(peak_rate=peak), serving, climb_seconds=20.0)
    found = [one for one in result.findings if one.name == PEAK]
    assert [one.verdict for one in found] == ["inconclusive"] * bool(peak)
    assert all("permit it with saturate = true under [tool.mltestscore.endpoint.load]" in one.note for one in found)
    assert not any("Steps of rate" in detail.title for detail in result.details)
