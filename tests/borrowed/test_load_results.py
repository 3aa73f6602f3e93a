"""Results of k6, Locust and Prometheus as evidence: judged by the tool, by exact bounds, by a limit on a value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mltestscore.borrowed.evidence import evidence_checks
from mltestscore.borrowed.reading import FAILED
from mltestscore.config import read_config
from mltestscore.engine import run
from mltestscore.errors import ConfigError

# What locust 2.47 wrote for 2,256 requests to a server on the same machine.
ROUTE = {
    "name": "/predict",
    "method": "POST",
    "last_request_timestamp": 1795441209.1961687,
    "start_time": 1795441206.3674228,
    "num_requests": 2256,
    "num_none_requests": 0,
    "num_failures": 0,
    "total_response_time": 4246.511468013523,
    "max_response_time": 23.260461000063515,
    "min_response_time": 0.7801379997545155,
    "total_content_length": 74448,
    "response_times": {
        "1": 1052,
        "23": 1,
        "2": 802,
        "4": 57,
        "3": 309,
        "5": 13,
        "6": 15,
        "8": 2,
        "7": 2,
        "14": 2,
        "15": 1,
    },
    "num_reqs_per_sec": {"1795441206": 508, "1795441207": 797, "1795441208": 791, "1795441209": 160},
    "num_fail_per_sec": {},
}


def k6(duration: Any, **more: Any) -> dict[str, Any]:
    metric = {"avg": 182.5, "min": 12.1, "max": 2411.0, "p(95)": 420.0, "thresholds": {"p(95)<500": duration}}
    return {"metrics": {"http_req_duration": metric, **more}, "root_group": {}}


def answer(value: str, at: float = 1795441209.0) -> dict[str, Any]:
    series = {"metric": {"__name__": "latency", "service": "flights"}, "value": [at, value]}
    return {"status": "success", "data": {"resultType": "vector", "result": [series]}}


def scored(folder: Path, kind: str, content: Any, data: str, limits: str = "") -> Any:
    (folder / "load_2026-11-23.json").write_text(json.dumps(content))
    settings = f'item = "monitor.6"\nkind = "{kind}"\npath = "*.json"\ndata = ["{data}"]\n{limits}'
    text = f"[tool.mltestscore]\nclock = 2026-11-24T00:00:00Z\n[[tool.mltestscore.evidence]]\n{settings}\n"
    (folder / "pyproject.toml").write_text(text)
    (check,) = evidence_checks(read_config(folder / "pyproject.toml"))
    return run(check, {}, {}, proving=None)[0]


@pytest.mark.parametrize(
    ("told", "state"), [(False, "passed"), (True, "failed"), ({"ok": True}, "passed"), ({"ok": False}, "failed")]
)
def test_thresholds_of_k6_speak_in_both_of_its_formats(tmp_path, told, state):
    result = scored(tmp_path, "k6", k6(told), "load")
    assert (result.state, result.origin) == (state, "existing result")
    if state == "failed":
        assert "http_req_duration: p(95)<500" in result.reason


def test_a_threshold_on_no_request_at_all_is_not_one_that_held(tmp_path):
    empty = {"avg": 0, "max": 0, "p(95)": 0, "thresholds": {"p(95)<500": False}}
    result = scored(tmp_path, "k6", {"metrics": {"http_req_duration{tag:typo}": empty}}, "load")
    assert result.state == "not_offered"
    assert "holds no test that ran (1 skipped)" in result.reason
    counter = {"count": 0, "rate": 0, "thresholds": {"count<1": False}}
    assert scored(tmp_path, "k6", {"metrics": {"errors": counter}}, "load").state == "passed"


@pytest.mark.parametrize(
    ("limits", "state"),
    [
        ("{p95_ms = 20, failures = 0.01}", "passed"),
        ("{p95_ms = 1}", "failed"),  # a third take 2 ms and more
        ("{p99_ms = 5}", "not_offered"),  # 20 to 34 of 2,256 took longer: neither shown nor ruled out
    ],
)
def test_locust_is_held_to_limits_by_exact_bounds(tmp_path, limits, state):
    result = scored(tmp_path, "locust", [ROUTE], "/predict", f"limits = {limits}")
    assert result.state == state, result.reason


def test_failing_requests_fail_and_few_of_them_say_nothing(tmp_path):
    limits = "limits = {failures = 0.01}"
    failing = scored(tmp_path, "locust", [{**ROUTE, "num_failures": 200}], "/predict", limits)
    assert "200 of 2,256 requests failed" in next(found.cause for found in failing.findings if found.name == FAILED)
    few = {**ROUTE, "num_requests": 20, "num_failures": 1}
    assert scored(tmp_path, "locust", [few], "/predict", limits).state == "not_offered"


def test_only_the_named_route_counts(tmp_path):
    routes = [ROUTE, {**ROUTE, "name": "/health", "num_failures": 2256}]
    result = scored(tmp_path, "locust", routes, "/predict", "limits = {failures = 0.01}")
    assert result.state == "passed"
    assert "is for other data" in str([detail.data for detail in result.details])


@pytest.mark.parametrize(
    ("value", "limits", "state"),
    [("0.18", "{most = 0.2}", "passed"), ("0.21", "{most = 0.2}", "failed"), ("0.9", "{least = 0.99}", "failed")],
)
def test_a_value_of_prometheus_is_held_to_its_limit(tmp_path, value, limits, state):
    assert scored(tmp_path, "prometheus", answer(value), "flights", f"limits = {limits}").state == state


def test_an_old_value_and_a_query_over_nothing_do_not_count(tmp_path):
    limits = "limits = {most = 0.2}"
    old = scored(tmp_path, "prometheus", answer("0.1", 1785441209.0), "flights", limits)
    assert "days old" in old.reason
    assert scored(tmp_path, "prometheus", answer("NaN"), "flights", limits).state == "not_offered"


@pytest.mark.parametrize(
    ("kind", "limits", "message"),
    [
        ("locust", "", "Locust measures and does not judge; write limits = {p95_ms = 200, failures = 0.01}"),
        ("locust", "limits = {p95 = 200}", "'p95' is no limit for Locust; write limits as in {p95_ms"),
        ("k6", "limits = {most = 1}", "k6 judges by itself: remove limits"),
    ],
)
def test_limits_that_do_not_fit_are_refused(tmp_path, kind, limits, message):
    with pytest.raises(ConfigError) as raised:
        scored(tmp_path, kind, [], "load", limits)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("k6", {"metrics": {"a": {"thresholds": {"p(95)<1": "yes"}}}}, "says neither yes nor no of the threshold"),
        ("k6", [], "is no summary of k6"),
        ("locust", {"a": 1}, "is no list of Locust's statistics"),
        ("locust", [{"response_times": {"fast": 3}}], "whose statistics are not Locust's"),
        ("prometheus", {"status": "error"}, "is no successful answer of Prometheus"),
        ("prometheus", {"status": "success", "data": {"resultType": "vector", "result": [3]}}, "does not write"),
    ],
)
def test_files_of_another_kind_say_why(tmp_path, kind, content, why):
    limits = {"locust": "limits = {failures = 0.1}", "prometheus": "limits = {most = 1}"}.get(kind, "")
    result = scored(tmp_path, kind, content, "load", limits)
    assert result.state == "not_offered"
    assert why in result.reason
