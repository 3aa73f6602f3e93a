"""Paired blocks decide on quiet machines, stay open on noisy ones, and say why."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.finding import Finding, at_most
from mltestscore.serving.blocks import Arm, measure
from mltestscore.serving.comparison import (
    Levels,
    change,
    neighbours,
    own_noise,
    share_above,
    share_failed,
    slower_than_previous,
    unless_limited,
)
from mltestscore.serving.load import Load

LEVELS = Levels.for_looks(1, 0.0002)


def load_of(latencies_ms: Sequence[float], errors: dict[str, int] | None = None, limited: str = "") -> Load:
    values = np.asarray(latencies_ms, dtype=float)
    return Load(values, values, np.arange(len(values)) / 100, errors or {}, 100.0, 0.1, 0.1, ("7",), limited)


def arm_of(*blocks: Sequence[float], limited: str = "") -> Arm:
    return Arm(served=Recorded(), alone=[load_of(block, limited=limited) for block in blocks])


class Recorded:
    """A served model that answers every request after ``latency`` milliseconds, without a network."""

    def __init__(self, latency: float = 5.0, failing: bool = False) -> None:
        self.latency, self.failing = latency, failing
        self.schedules: list[np.ndarray] = []

    def send(self, frame, intended: np.ndarray) -> Load:
        self.schedules.append(intended)
        requests = len(intended)
        return load_of([self.latency] * requests, {"no answer": requests} if self.failing else {})

    def memory(self) -> int | None:
        return None


def blocks(seed: int, count: int, level: float, spread: float) -> list[float]:
    return np.exp(np.random.default_rng(seed).normal(np.log(level), spread, count)).tolist()


def slower(now: list[float], then: list[float]) -> Finding:
    wobble = own_noise(neighbours(now, then))
    return slower_than_previous("p50", "", now, then, wobble=wobble, most=0.1, levels=LEVELS)


def test_clear_slowdown_on_a_quiet_machine_fails():
    found = slower(blocks(1, 13, 6.5, 0.02), blocks(2, 13, 5.0, 0.02))
    assert found.verdict == "failed"


def test_equal_versions_on_a_quiet_machine_pass():
    found = slower(blocks(1, 13, 5.0, 0.02), blocks(2, 13, 5.0, 0.02))
    assert found.verdict == "passed"


def test_noisy_machine_is_inconclusive_and_names_the_blocks_it_needs():
    found = slower(blocks(1, 13, 6.0, 0.5), blocks(2, 13, 5.0, 0.5))
    assert (found.verdict, found.cause) == ("inconclusive", "this machine is too noisy for the tolerance")
    assert found.n_to_settle is not None
    assert found.n_to_settle > 13


def test_change_far_beyond_the_noise_fails_on_a_noisy_machine_too():
    found = slower(blocks(1, 13, 100.0, 0.2), blocks(2, 13, 5.0, 0.2))
    assert found.verdict == "failed"


def test_too_few_blocks_are_inconclusive():
    found = slower([100.0] * 3, [5.0] * 3)
    assert found.verdict == "inconclusive"
    assert found.n_to_settle is not None


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32), st.floats(0.001, 1.0))
def test_equal_versions_never_fail_whatever_the_noise(seed, spread):
    now, then = blocks(seed, 13, 5.0, spread), blocks(seed + 1, 13, 5.0, spread)
    assert slower(now, then).verdict != "failed"


def test_change_is_relative_to_the_previous_version():
    found = change([6.0] * 13, [5.0] * 13, LEVELS)
    assert (found.low, found.value, found.high) == pytest.approx((0.2, 0.2, 0.2))


def test_own_noise_of_steady_blocks_is_none():
    assert own_noise(neighbours([5.0] * 13, [9.0] * 13)) == pytest.approx(0.0)


def test_levels_are_shared_among_the_looks():
    once, twice = LEVELS, Levels.for_looks(2, 0.0002)
    assert (twice.accuse, twice.clear) == (once.accuse / 2, once.clear / 2)
    assert change([6.0, 5.5] * 10, [5.0] * 20, twice).high >= change([6.0, 5.5] * 10, [5.0] * 20, once).high


def test_halves_compare_a_version_with_itself_in_the_same_block():
    arm = Arm(Recorded(), loads=[load_of([1.0, 2.0] * 50), load_of([3.0, 3.0] * 50)])
    assert arm.halves(50) == [(1.0, 2.0), (3.0, 3.0)]


def test_share_above_counts_requests_of_one_block_as_dependent():
    one_bad_block = share_above(arm_of([50.0] * 100, *[[1.0] * 100] * 9), 10.0, LEVELS)
    spread_out = share_above(arm_of(*[[50.0] * 10 + [1.0] * 90] * 10), 10.0, LEVELS)
    assert one_bad_block.value == spread_out.value == pytest.approx(0.1)
    assert one_bad_block.high > 0.2 > spread_out.high
    assert one_bad_block.low < 0.05 < spread_out.low


def test_no_slow_request_among_many_rules_harm_out():
    assert share_above(arm_of(*[[1.0] * 100] * 5), 10.0, LEVELS).high < 0.05


def test_failed_requests_of_bursts_count_too():
    arm = Arm(Recorded(), loads=[load_of([1.0] * 50)], bursts=[load_of([1.0] * 50, {"no answer": 25})])
    assert share_failed(arm, LEVELS).value == 0.25
    assert arm.errors == {"no answer": 25}


def test_doubtful_verdict_is_undecided_where_the_generator_was_the_limit():
    finding = at_most("slow", 0.2, 0.05, n=100)
    assert unless_limited(finding, "failed", arm_of([1.0], limited="requests left late")).verdict == "inconclusive"
    assert unless_limited(finding, "passed", arm_of([1.0], limited="requests left late")) is finding
    assert unless_limited(finding, "failed", arm_of([1.0])) is finding


def test_what_fails_while_other_processes_take_the_machine_is_undecided():
    finding, why = at_most("slow", 0.2, 0.05, n=100), "other processes used 1.9 of 2 cores"
    crowded = [replace(load_of([9.0] * 20), crowded=why) for _ in range(3)]
    arm = Arm(Recorded(), alone=[*crowded, load_of([9.0] * 20)])
    found = unless_limited(finding, "failed", arm)
    assert (found.verdict, found.note) == (
        "inconclusive",
        f"in most blocks {why}; measure on a machine with a free core",
    )
    assert unless_limited(finding, "passed", arm) is finding
    half = Arm(Recorded(), alone=[*crowded, *[load_of([9.0] * 20)] * 3])
    assert unless_limited(finding, "failed", half) is finding


def test_versions_are_asked_in_turn_within_each_slot():
    current, previous = Recorded(), Recorded()
    measure(current, previous, None, pairs=1, seconds=0.32, rate=100.0, seed=1)
    first, second = current.schedules[-1], previous.schedules[-1]
    assert len(first) == len(second) == 32
    assert np.abs(first - second) == pytest.approx(0.005)
    assert (np.floor(first / 0.02) == np.arange(32)).all()
    assert {True, False} == set(first < second)


def test_whole_rate_goes_to_the_current_version_alone_only_where_asked():
    both, asked = (
        measure(Recorded(), Recorded(), None, pairs=3, seconds=0.4, rate=100.0, seed=1, alone=alone)[0]
        for alone in (False, True)
    )
    assert [load.requests for load in both.paced] == [40] * 3
    assert [load.requests for load in asked.paced] == [20] * 2


def test_rate_is_a_share_of_what_the_previous_version_can_do():
    """The fake's answers come 10 ms apart, the last 5 ms after it was due: between 90 and 107 a second."""
    *_, rate = measure(Recorded(), Recorded(), None, pairs=1, seconds=0.01, rate=0.0, seed=1)
    assert 0.5 * 90 < rate < 0.5 * 107


def test_blocks_hold_at_least_sixteen_requests():
    current, *_ = measure(Recorded(), None, None, pairs=1, seconds=0.01, rate=2.0, seed=1)
    assert current.alone[0].requests == 16


def test_server_that_answers_nothing_gets_short_blocks():
    current, _, rate = measure(Recorded(failing=True), None, None, pairs=1, seconds=0.05, rate=0.0, seed=1)
    assert rate == 400.0
    assert current.capacities == [0.001]


def test_measuring_ends_early_when_enough_is_known():
    current, *_ = measure(Recorded(), None, None, pairs=9, seconds=0.01, rate=100.0, seed=1, enough=lambda *_: True)
    assert len(current.alone) == 1
