"""Performance against real servers: slower, stalling, serialised, leaking and failing ones fail, healthy ones never."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.endpoint import Endpoint, open_endpoint
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.serving.comparison import CROWDED, LIMITED
from mltestscore.serving.generator import cores
from mltestscore.testing import run_check

# Timings beside another worker's load say nothing (the check rightly concludes nothing): the serial stage runs them.
pytestmark = pytest.mark.alone

SERVERS = Path(__file__).parents[2] / "serving" / "servers"
SHORT = {"pairs": 7, "looks": 1, "alpha": 0.01, "block_seconds": 0.15}


def flask(version: str) -> list[str]:
    return [sys.executable, str(SERVERS / "flask_server.py"), "{port}", version, "20"]


def stub(behaviour: str, version: str = "7") -> list[str]:
    return [sys.executable, str(SERVERS / "stub_server.py"), "{port}", behaviour, version]


@pytest.fixture
def opened() -> Iterator:
    """Return :func:`open_endpoint`; what it opens is closed after the test."""
    endpoints: list[Endpoint] = []

    def start(command, previous=(), **options) -> Endpoint:
        endpoints.append(open_endpoint(command=command, previous_command=previous, **options))
        return endpoints[-1]

    yield start
    for endpoint in endpoints:
        endpoint.close()


@pytest.fixture(autouse=True)
def others_left_out(request, monkeypatch):
    """What else runs here while a developer tests is no part of these cases, but of the one that says so."""
    if "crowded" not in request.node.name:
        monkeypatch.setattr("mltestscore.serving.contention.OTHERS", 1.1)


@pytest.fixture(scope="module")
def serving() -> Dataset:
    frame = pd.DataFrame({"id": range(200), "a": [float(number) for number in range(200)]})
    return open_dataset("serving", frame, Roles(key=("id",), features=("a",)))


def run(endpoint: Endpoint, serving: Dataset, **options) -> CheckResult:
    return run_check("monitor.6", endpoint=endpoint, serving=serving, options={**SHORT, **options}, prove=False)


def costly(**costs: tuple[float, float]) -> Registry:
    """Return a registry with what the training of the previous and of the current version took."""
    years = (
        (2001, {name: before for name, (before, _) in costs.items()}),
        (2002, {k: now for k, (_, now) in costs.items()}),
    )
    old, new = (Lineage(str(year), datetime(year, 1, 1, tzinfo=UTC), costs=took) for year, took in years)
    return Registry("here", new, (old, new))


def failed(result: CheckResult) -> list[FindingRecord]:
    return [finding for finding in result.findings if finding.verdict == "failed" and not finding.advisory]


def test_sound_server_passes_and_all_faults_are_caught(opened, serving):
    """A tolerance of 100 % lets a busy test machine decide; the planted faults are far beyond it all the same."""
    endpoint = opened(flask("7"), flask("6"), health="/health")
    options = {**SHORT, "tolerance": 1.0, "p95_ms": 2000.0, "memory_mb": 2000.0, "max_errors": 0.05}
    registry = costly(cpu_seconds=(10.0, 11.0))
    result = run_check("monitor.6", endpoint=endpoint, serving=serving, registry=registry, options=options)
    assert result.state == "passed", result.reason
    assert (result.proof.state, len(result.proof.faults)) == ("proven", 5), result.proof


def test_slower_version_fails_in_the_median(opened, serving):
    result = run(opened(stub("10 ms"), stub("sound", "6")), serving)
    assert ("latency against the previous version", "median") in {(one.name, one.where) for one in failed(result)}


def test_pause_at_every_100th_request_fails_in_the_95th_percentile(opened, serving):
    result = run(opened(stub("pauses"), stub("sound", "6")), serving, rate=200.0, block_seconds=0.6)
    assert ("latency against the previous version", "95th percentile") in {
        (one.name, one.where) for one in failed(result)
    }


def test_requests_that_wait_for_one_another_fail_in_capacity(opened, serving):
    result = run(opened(stub("10 ms one at a time"), stub("10 ms", "6")), serving, rate=60.0)
    assert "capacity lost against the previous version" in {one.name for one in failed(result)}


def test_leak_of_20_kilobytes_a_request_fails(opened, serving):
    result = run(opened(stub("leaks"), stub("sound", "6")), serving, tolerance=3.0)
    kept = next(one for one in result.findings if one.name == "memory kept of every request")
    assert kept.verdict == "failed"
    assert kept.value == pytest.approx(20_000, rel=0.5)
    assert "kB a request are allocated at servers/stub_server.py, line" in kept.cause


def test_leak_that_the_previous_version_has_too_is_shown_but_does_not_fail(opened, serving):
    result = run(opened(stub("leaks"), stub("leaks", "6")), serving, tolerance=3.0)
    assert failed(result) == []
    assert any(one.advisory and one.name == "memory kept of every request" for one in result.findings)


def test_cache_that_fills_only_in_the_run_of_double_length_is_no_leak(opened, serving):
    result = run(opened(stub("caches 700 rows"), stub("sound", "6")), serving, tolerance=3.0)
    assert failed(result) == []


def test_cache_that_fills_is_no_leak(opened, serving):
    assert failed(run(opened(stub("caches 100 rows"), stub("sound", "6")), serving, tolerance=3.0)) == []


def test_answers_that_fail_are_named(opened, serving):
    endpoint = opened((), url=opened(stub("error in 200")).url)
    (finding,) = failed(run(endpoint, serving, p95_ms=2000.0))
    assert finding.name == "requests without a usable answer"
    assert "expected the key 'scores'" in finding.cause


def test_server_that_hangs_under_load_fails_in_bounded_time(opened, serving):
    endpoint = opened((), url=opened(stub("hangs")).url, request_timeout=0.5)
    started = time.monotonic()
    result = run(endpoint, serving, p95_ms=100.0)
    assert {"requests without a usable answer", "requests slower than declared"} <= {one.name for one in failed(result)}
    assert time.monotonic() - started < 8


def test_declared_limit_alone_decides_without_a_previous_version(opened, serving):
    endpoint = opened(stub("10 ms"))
    slow = run(endpoint, serving, p95_ms=5.0)
    assert [(one.name, one.where) for one in failed(slow)] == [("requests slower than declared", "5 ms")]
    assert run(endpoint, serving, p95_ms=2000.0, p50_ms=1000.0, max_errors=0.05).state == "passed"


def test_a_declared_limit_that_is_missed_on_a_crowded_machine_is_undecided(opened, serving):
    endpoint = opened(stub("10 ms"), probe=serving.frame(columns=("a",)))
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * cores())]
    try:
        result = run(endpoint, serving, p95_ms=5.0)
    finally:
        for one in busy:
            one.kill()
            one.wait()
    assert (failed(result), result.state) == ([], "inconclusive")
    assert LIMITED in result.reason or CROWDED in result.reason  # whichever of our processes it hits first


def test_measuring_ends_as_soon_as_the_declared_limit_is_shown_to_be_broken(opened, serving):
    endpoint = opened(stub("10 ms"), probe=serving.frame(columns=("a",)))
    started = time.monotonic()
    assert run(endpoint, serving, p95_ms=1.0, pairs=100).state == "failed"
    assert time.monotonic() - started < 5


def test_neither_limit_nor_previous_version_is_inconclusive_and_says_what_to_declare(opened, serving):
    result = run(opened(stub("sound")), serving)
    assert result.state == "inconclusive"
    assert "offer previous_command or declare p95_ms" in result.reason


def test_memory_above_its_declared_limit_fails(opened, serving):
    result = run(opened(stub("sound")), serving, p95_ms=2000.0, memory_mb=1.0)
    assert [one.name for one in failed(result)] == ["resident memory"]


def test_memory_limit_of_a_server_that_is_not_ours_is_undecided(opened, serving):
    url = opened(stub("sound")).url
    result = run(opened((), url=url), serving, p95_ms=2000.0, memory_mb=100.0)
    assert (result.state, "offer its command" in result.reason) == ("inconclusive", True)


def test_server_that_falls_behind_the_declared_rate_fails(opened, serving):
    result = run(opened(stub("10 ms one at a time")), serving, p95_ms=60_000.0, rate=250.0)
    assert [one.name for one in failed(result)] == ["answers behind the offered rate"]


def test_too_few_pairs_are_inconclusive(opened, serving):
    result = run(opened(stub("10 ms"), stub("sound", "6")), serving, pairs=2)
    assert result.state == "inconclusive"
    assert all(one.n_to_settle for one in result.findings if "previous version" in one.name)


def test_undecided_pairs_are_followed_by_half_as_many(opened, serving):
    """A server cannot be shown to be within 0.01 % of itself."""
    result = run(opened(stub("sound"), stub("sound", "6")), serving, pairs=2, looks=3, tolerance=0.0001)  # 2, 3, 4
    assert len(result.details[-1].data["x"]) == 4


def test_training_whose_costs_on_record_grew_tenfold_fails(opened, serving):
    registry = costly(cpu_seconds=(10.0, 110.0))
    endpoint = opened(stub("sound"), stub("sound", "6"))
    result = run_check("monitor.6", endpoint=endpoint, serving=serving, registry=registry, options=SHORT, prove=False)
    assert "cost of the training on record, more than the previous version's" in {one.name for one in failed(result)}


def test_without_an_endpoint_it_is_not_offered(serving):
    assert run_check("monitor.6", serving=serving).state == "not_offered"


def test_noisy_machine_never_makes_a_sound_version_fail(opened, serving):
    """Two processes that burn a core each, for both versions alike."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        result = run(opened(flask("7"), flask("6")), serving, pairs=13, alpha=0.0002)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert failed(result) == []


def test_percentiles_and_blocks_of_both_versions_are_shown(opened, serving):
    result = run(opened(stub("sound"), stub("sound", "6")), serving)
    counted, _, table, series = result.details
    assert [row[0] for row in counted.data["rows"]][:1] == ["bytes of an answer"]
    both = [(name, counted) for name in ("current 7", "previous 6") for counted in ("start", "sending")]
    assert [tuple(row[:2]) for row in table.data["rows"]] == both
    assert all(start[3:8] >= sending[3:8] for start, sending in zip(*[iter(table.data["rows"])] * 2, strict=True))
    assert list(series.data["lines"]) == ["current 7", "previous 6"]
    assert len(series.data["x"]) == SHORT["pairs"]
