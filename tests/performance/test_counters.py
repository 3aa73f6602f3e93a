"""Counters of a request: exact ones accuse by themselves, varying ones only when chance could not order them so."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.finding import Finding
from mltestscore.performance.counters import COUNTED, judge_counters
from mltestscore.serving.counting import BYTES, metric
from mltestscore.settings_serving import CountersConfig

ROWS = pd.DataFrame({"a": np.arange(50.0)})
CALLS = CountersConfig(places={"calls": "header:x-calls"})


class Served:
    """An endpoint of which only the counters are asked."""

    def __init__(self, counted: Callable[[], dict[str, float]], declared: CountersConfig = CALLS) -> None:
        self.counted, self.passes, self.counting = counted, 0, self
        self.declared = declared

    def wait_until_ready(self, frame: pd.DataFrame) -> None:
        assert len(frame)

    def count(self, frame: pd.DataFrame) -> dict[str, float]:
        self.passes += 1
        return self.counted()


def exact(calls: float, size: float = 200.0, **more: float) -> Served:
    return Served(lambda: {"calls": calls, BYTES: size, **more})


def noisy(calls: float, spread: float, seed: int) -> Served:
    rng = np.random.default_rng(seed)
    return Served(lambda: {"calls": calls * (1 + rng.uniform(-spread, spread)), BYTES: 200.0})


def judged(now: Served, before: Served | None, limits: dict[str, float] | None = None) -> dict[str, Finding]:
    found = judge_counters(now, before, ROWS, limits or {}, 0.1, 0.0002)
    return {one.where: one for one in found if isinstance(one, Finding)}


def test_one_call_more_fails_by_two_passes():
    now = exact(8.0)
    found = judged(now, exact(7.0))
    assert (found["calls"].name, found["calls"].verdict, found[BYTES].verdict) == (COUNTED, "failed", "passed")
    assert now.passes == 4  # two of them to warm up


def test_fewer_calls_and_some_bytes_more_pass():
    found = judged(exact(1.0, size=1_500.0), exact(7.0, size=200.0))
    assert {one.verdict for one in found.values()} == {"passed"}


def test_answer_that_grew_by_more_than_tolerance_and_a_packet_fails():
    assert judged(exact(7.0, size=12_600.0), exact(7.0, size=10_000.0))[BYTES].verdict == "failed"
    assert judged(exact(7.0, size=12_400.0), exact(7.0, size=10_000.0))[BYTES].verdict == "passed"


@pytest.mark.parametrize("seed", range(20))
def test_calls_that_vary_never_accuse_a_version_like_the_one_before(seed):
    assert judged(noisy(7.0, 0.9, seed), noisy(7.0, 0.9, 100 + seed))["calls"].verdict != "failed"


def test_calls_that_vary_and_doubled_fail_all_the_same():
    now = noisy(14.0, 0.05, 1)
    assert judged(now, noisy(7.0, 0.05, 2))["calls"].verdict == "failed"
    assert now.passes == 2 + 8


def test_declared_limit_goes_before_the_comparison():
    assert judged(exact(20.0), exact(7.0), {"calls": 25.0})["calls"].verdict == "passed"
    assert judged(exact(26.0), exact(26.0), {"calls": 25.0})["calls"].verdict == "failed"
    assert judged(exact(26.0), None, {"calls": 25.0})["calls"].verdict == "failed"


def test_what_the_system_counts_is_judged_only_against_a_limit():
    now, before = exact(7.0, reads=40.0), exact(7.0, reads=4.0)
    assert "reads" not in judged(now, before)
    assert judged(now, before, {"reads": 10.0})["reads"].verdict == "failed"


def test_without_previous_version_and_limit_nothing_is_asked():
    now = exact(7.0)
    assert judged(now, None) == {}
    assert now.passes == 0


def test_declared_counter_that_no_answer_holds_is_undecided_and_says_where_it_is_declared():
    found = judged(Served(lambda: {BYTES: 200.0}), exact(7.0))
    assert found["calls"].verdict == "inconclusive"
    assert "[tool.mltestscore.endpoint.counters]" in found["calls"].note


def test_limit_on_an_unknown_counter_is_refused_with_the_near_name():
    with pytest.raises(InputError, match="Did you mean 'calls'"):
        judged(exact(7.0), exact(7.0), {"cals": 3.0})


def test_server_without_a_usable_answer_is_left_to_whoever_judges_errors():
    assert judged(Served(dict, CountersConfig()), exact(7.0)) == {}


@pytest.mark.parametrize(
    ("text", "selector", "expected"),
    [
        ("", "calls", None),
        ("calls_total 3\ncalls 4", "calls", 4.0),
        ('calls{a="1",b="x } y"} 3\ncalls{a="2"} 4\ncalls nothing', 'calls{a="1"}', 3.0),
        ("calls NaN", "other", None),
    ],
)
def test_metric_is_the_sum_of_its_samples(text, selector, expected):
    assert metric(text, selector) == expected


def test_counters_of_a_real_server_come_from_headers_bodies_metrics_and_its_processes(opened, stub):
    places = {
        "calls": "header:X-Store-Calls",
        "looked up": "body:work.rows",
        "queries": 'metric:queries_total{to="store"}',
        "missing": "header:nowhere",
    }
    endpoint = opened(stub("counts"), counters=CountersConfig(places=places))
    found = endpoint.count(ROWS.head(5))
    assert {name: found.get(name) for name in places} == {"calls": 7, "looked up": 3, "queries": 7, "missing": None}
    assert found[BYTES] > 20
    assert found["reads"] >= 0
    assert endpoint.padded(1_000).count(ROWS.head(5))[BYTES] == found[BYTES] + 1_000


@pytest.mark.parametrize(
    ("now", "before", "verdict"),
    [
        ("debugs", "sound", "failed"),
        ("debugs", "request ids", "failed"),
        ("full digits", "sound", "passed"),
        ("many classes", "many classes", "passed"),
        ("sound", "debugs", "passed"),
        ("request ids", "request ids", "not failed"),
    ],
)
def test_bytes_of_answers_of_two_real_servers(opened, stub, now, before, verdict):
    endpoint = opened([*stub(now), "10"], previous_command=[*stub(before), "9"])
    found = next(judge_counters(endpoint, endpoint.previous, ROWS, {}, 0.1, 0.0002))
    assert (found.name, found.where) == (COUNTED, BYTES)
    assert found.verdict == verdict or (verdict == "not failed" and found.verdict != "failed"), found
