"""The declared peak against servers whose capacity is known, and what is said of the steps."""

from types import SimpleNamespace

import pytest

from mltestscore.details import Series, Table
from mltestscore.finding import Finding
from mltestscore.performance.peak import PEAK, judge_peak
from mltestscore.serving.saturation import Budget
from mltestscore.settings_serving import LoadConfig
from tests.serving.test_saturation import FRAME, Queue

BUDGET = Budget(behind=0.1, p95_ms=None, errors=0.01)


def judged(
    server: Queue, *, seconds: float = 0.0, budget: Budget = BUDGET, **loading
) -> tuple[list[Finding], list[Table | Series]]:
    endpoint = SimpleNamespace(send=server.send, memory=server.memory, loading=LoadConfig(**loading))
    found = list(judge_peak(endpoint, FRAME, budget, start=50.0, seconds=seconds, alpha=0.0002, seed=1))
    return [one for one in found if isinstance(one, Finding)], [one for one in found if not isinstance(one, Finding)]


@pytest.mark.parametrize("arrivals", ["poisson", "fixed"])
@pytest.mark.parametrize(("capacity", "verdict"), [(400.0, "passed"), (100.0, "failed")])
def test_peak_is_held_against_what_the_server_carries(capacity, verdict, arrivals):
    (found,), _ = judged(Queue(capacity), saturate=True, peak_rate=200.0, arrivals=arrivals)
    assert (found.name, found.where, found.verdict) == (PEAK, "200 a second", verdict)
    assert found.cause == ("falls behind" if verdict == "failed" else "")


def test_six_blocks_are_enough_for_a_server_that_carries_it():
    server = Queue(400.0)
    judged(server, saturate=True, peak_rate=200.0)
    assert len(server.asked) == 6


def test_harm_is_shown_at_the_level_of_the_check():
    (found,), _ = judged(Queue(100.0), saturate=True, peak_rate=200.0)
    assert found.interval.n == 15  # all of them broken: one in 2¹⁵ if the knee were there, under one in 10,000
    assert found.interval.low > 0.5


def test_peak_at_the_knee_is_left_open():
    (found,), _ = judged(Queue(200.0), saturate=True, peak_rate=215.0)
    assert found.verdict == "inconclusive"


def test_budget_of_latency_holds_at_the_peak_too():
    slow = Budget(0.1, 50.0, 0.01)
    (found,), _ = judged(Queue(400.0, alone=0.2), budget=slow, saturate=True, peak_rate=200.0)
    assert (found.verdict, found.cause) == ("failed", "slower than declared")


def test_answers_that_fail_at_the_peak_are_its_cause():
    (found,), _ = judged(Queue(1e6, fails_from=150.0), saturate=True, peak_rate=200.0)
    assert (found.verdict, found.cause) == ("failed", "answers fail")


def test_generator_s_limit_is_not_the_server_s():
    server = Queue(100.0)
    server.limited_from = 0.0
    (found,), _ = judged(server, saturate=True, peak_rate=200.0)
    assert (found.verdict, "left late" in found.note) == ("inconclusive", True)


@pytest.mark.parametrize("peak", [0.0, 200.0])
def test_without_permission_nothing_is_sent(peak):
    server = Queue(400.0)
    found, shown = judged(server, seconds=20.0, peak_rate=peak)
    assert (server.asked, shown) == ([], [])
    assert [one.verdict for one in found] == ["inconclusive"] * bool(peak)
    assert all("saturate = true under [tool.mltestscore.endpoint.load]" in one.note for one in found)


@pytest.mark.parametrize(
    ("server", "p95_ms", "words"),
    [
        (Queue(200.0), None, "begins to break between"),
        (Queue(200.0, alone=0.1), 50.0, "no lower rate was shown to be sustained"),
        (Queue(1e9), None, "where it breaks was not found"),
    ],
)
def test_steps_say_between_which_rates_the_server_breaks(server, p95_ms, words):
    budget = Budget(0.1, p95_ms, 0.01)
    found, (table, picture) = judged(server, seconds=5.0, budget=budget, saturate=True, arrivals="fixed")
    assert found == []
    assert words in table.title
    assert picture.x == tuple(row[0] for row in table.rows)
    assert list(picture.x) == sorted(picture.x)


def test_time_that_is_up_is_said():
    _, (table, _) = judged(Queue(200.0), seconds=1e-9, saturate=True)
    assert table.title.endswith("where the server breaks was not found: the time was up (climb_seconds)")


def test_peak_stands_in_the_picture():
    _, (_, picture) = judged(Queue(200.0), seconds=5.0, saturate=True, peak_rate=150.0)
    assert set(picture.lines) == {"answered", "offered", "declared peak"}
    assert set(picture.lines["declared peak"]) == {150.0}
