"""The rate from which on a server breaks, found by steps: on simulated servers whose capacity is known.

Real servers are driven in ``tests/checks/monitor/test_monitor_6_saturation.py``.
"""

import math

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.serving.comparison import Levels
from mltestscore.serving.load import Load, schedule
from mltestscore.serving.saturation import RATIO, Budget, Stairs, behind, climb

FRAME = pd.DataFrame({"a": [1.0]})
BUDGET = Budget(behind=0.1, p95_ms=None, errors=0.01)


class Queue:
    """A server that answers ``capacity`` a second, each after ``alone`` seconds at least: a queue, computed.

    ``shared``: not one after the other, but all that are there at once, each the slower for it (threads of one core).
    """

    def __init__(
        self,
        capacity: float,
        *,
        alone: float = 0.005,
        hiccup: float = 0.0,
        fails_from: float = math.inf,
        shared: bool = False,
    ):
        self.shared = shared
        self.capacity, self.alone, self.hiccup, self.fails_from = capacity, alone, hiccup, fails_from
        self.rng, self.asked = np.random.default_rng(5), []
        self.limited_from = math.inf

    def send(self, frame: pd.DataFrame, intended: np.ndarray) -> Load:
        rate = (len(intended) - 1) / float(np.ptp(intended))
        self.asked.append(rate)
        free, latencies = 0.0, np.empty(len(intended))
        pause = float(self.rng.uniform(0, intended[-1])) if self.rng.random() < self.hiccup else math.inf
        for place, start in enumerate(intended):
            free = max(free, start) + 1 / self.capacity
            if start >= pause:
                free, pause = free + 0.3, math.inf
            latencies[place] = (free - start + self.alone) * 1000
        if self.shared:
            latencies = processor_sharing(intended, 1 / self.capacity) + self.alone * 1000
        errors = {"refused": len(intended) // 2} if rate > self.fails_from else {}
        limited = "requests left late" if rate > self.limited_from else ""
        return Load(latencies, latencies, intended, errors, rate, 0.0, 0.1, (), limited)

    def memory(self) -> None:
        return None


def processor_sharing(starts: np.ndarray, work: float) -> np.ndarray:
    """Return milliseconds of latency when one core works at all requests that are there, in equal parts."""
    left: dict[int, float] = {}
    finished, now, place = np.empty(len(starts)), 0.0, 0
    while place < len(starts) or left:
        coming = starts[place] if place < len(starts) else math.inf
        least = min(left, key=left.get) if left else -1
        done = now + left[least] * len(left) if left else math.inf
        until = min(coming, done)
        for one in left:
            left[one] -= (until - now) / len(left)
        now = until
        if done <= coming:
            finished[least] = now
            del left[least]
        else:
            left[place], place = work, place + 1
    return (finished - starts) * 1000


def stairs(server: Queue, budget: Budget = BUDGET, arrivals="poisson") -> Stairs:
    return Stairs(server, FRAME, budget, np.random.default_rng(3), arrivals)


def within(low: float, value: float, high: float) -> bool:
    return low <= value <= high


@pytest.mark.parametrize("capacity", [30.0, 200.0, 1500.0])
@pytest.mark.parametrize("arrivals", ["poisson", "fixed"])
def test_knee_encloses_the_capacity_of_a_queue(capacity, arrivals):
    """It breaks where answers fall behind by a tenth: a little above what it can do, and less exactly at random."""
    knee = climb(stairs(Queue(capacity), arrivals=arrivals), capacity / 2)
    assert within(knee.low, 1.11 * capacity, knee.high) or within(knee.low, capacity, knee.high)
    assert knee.high / knee.low < RATIO**6


def test_knee_of_a_server_whose_threads_share_a_core():
    """What comes later slows what came before: latency hardly grows from request to request, and yet it is too much."""
    knee = climb(stairs(Queue(200.0, shared=True), arrivals="fixed"), 100.0)
    assert within(knee.low, 200, knee.high)


def test_slow_answers_alone_are_no_falling_behind():
    """A second each, as many at once as come."""
    load = Queue(1e9, alone=1.0).send(FRAME, schedule(100.0, 0.5, 1))
    assert behind(load) == pytest.approx(0.0, abs=1e-6)


def test_start_above_the_knee_finds_it_all_the_same():
    knee = climb(stairs(Queue(200.0), arrivals="fixed"), 400.0)
    assert within(knee.low, 222, knee.high)


def test_knee_is_where_the_budget_of_latency_breaks():
    """A queue of one of 100 a second is at 50 ms in its 95th percentile long before it falls behind."""
    tight = climb(stairs(Queue(100.0), Budget(0.1, 50.0, 0.01)), 20.0)
    loose = climb(stairs(Queue(100.0)), 20.0)
    assert tight.high < loose.high
    assert tight.low < 90


def test_knee_is_where_answers_begin_to_fail():
    knee = climb(stairs(Queue(10_000.0, fails_from=300.0)), 100.0)
    assert within(knee.low, 300, knee.high)


def test_hiccups_of_the_machine_do_not_move_the_knee_far():
    """A pause of 0.3 s in every tenth block breaks that block at any rate."""
    knee = climb(stairs(Queue(200.0, hiccup=0.1), arrivals="fixed"), 100.0)
    assert knee.low >= 100 / RATIO**8
    assert knee.high <= 200 * RATIO**6
    assert knee.low <= 222 <= knee.high * RATIO


def test_generator_s_own_limit_is_no_knee():
    server = Queue(400.0)
    server.limited_from = 300.0
    knee = climb(stairs(server, arrivals="fixed"), 100.0)
    assert knee.high == math.inf
    assert 100 <= knee.low <= 450


def test_late_requests_of_a_server_that_keeps_up_count():
    """Lateness only makes a server look worse."""
    server = Queue(400.0)
    server.limited_from = 0.0
    assert stairs(server).decide(100.0, Levels.for_looks(2, 0.05)) == "sustained"


def test_server_that_is_never_quick_enough_has_no_lower_bound():
    knee = climb(stairs(Queue(100.0, alone=1.0), Budget(0.1, 50.0, 0.01)), 50.0)
    assert knee.low == 0.0
    assert knee.high <= 50.0 * RATIO


def test_time_that_is_up_ends_the_climb():
    server = Queue(1e9)
    late = stairs(server)
    late.until = -math.inf
    assert (climb(late, 100.0).low, climb(late, 100.0).high) == (0.0, math.inf)
    assert server.asked == []


def test_a_server_that_ends_under_load_is_told_with_the_rate():
    class Ended(Queue):
        def send(self, *_):
            raise InputError("endpoint: the server ended by itself.")

    with pytest.raises(InputError, match=r"ended by itself.\nIt was being asked 50 times a second"):
        climb(stairs(Ended(100.0)), 50.0)


def test_rates_end_somewhere():
    server = Queue(1e9)
    knee = climb(stairs(server, arrivals="fixed"), 20_000.0)
    assert knee.high == math.inf
    assert max(server.asked) < 60_000


def test_server_at_half_of_its_capacity_never_breaks():
    """With a hiccup in every tenth block, 200 times at the level of the check: none is shown to break."""
    levels = Levels.for_looks(2, 0.0002)
    server = Queue(200.0, hiccup=0.1)
    shown = [stairs(server, arrivals="fixed").decide(100.0, levels, (6, 15)) for _ in range(200)]
    assert shown.count("broken") == 0
    assert shown.count("sustained") > 150


def test_how_far_answers_fall_behind_follows_from_the_growth_of_latency():
    for capacity, expected in [(100.0, 0.5), (150.0, 0.25), (250.0, 0.0)]:
        load = Queue(capacity).send(FRAME, schedule(200.0, 2.0, 1, "fixed"))
        assert behind(load) == pytest.approx(expected, abs=0.02)


def test_one_slow_answer_at_the_end_is_no_falling_behind():
    load = Queue(1000.0).send(FRAME, schedule(200.0, 0.5, 1, "fixed"))
    load.latencies_ms[-1] += 2000
    assert behind(load) == pytest.approx(0.0, abs=1e-6)
