"""A leak is what a second run of twice the length shows again; a cache that fills is none, nor a slow second run."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mltestscore.finding import Finding
from mltestscore.performance import leaks
from mltestscore.performance.leaks import KEPT, MEMORY, judge_memory
from mltestscore.serving.blocks import Arm
from mltestscore.serving.load import Load

FRAME = pd.DataFrame({"a": [1.0]})
ALPHA = 0.0002
START = 60_000_000
BLOCKS, SIZE = 14, 100


class Server:
    """What is left of a served model: how much memory it holds after so many requests."""

    def __init__(self, held: Callable[[int], float]) -> None:
        self.held, self.asked = held, 0

    def send(self, frame: pd.DataFrame, intended: np.ndarray) -> Load:
        self.asked += len(intended)
        return Load(np.ones(len(intended)), np.ones(len(intended)), intended, {}, 0.0, 0.0, 0.0, (), "")

    def memory(self) -> int:
        return START + int(self.held(self.asked))


def arm(held: Callable[[int], float]) -> Arm:
    """Return an arm with a first run of 1,400 requests."""
    made = Arm(Server(held))
    made.note_memory()
    for _ in range(BLOCKS):
        made.bursts.append(made.served.send(FRAME, np.zeros(SIZE)))
        made.note_memory()
    return made


def judged(held: Callable[[int], float], before: Callable[[int], float] | None = lambda _: 0.0, **how) -> list[Finding]:
    return list(
        judge_memory(arm(held), arm(before) if before else None, FRAME, how.pop("memory_mb", None), ALPHA, **how)
    )


def test_growth_that_goes_on_is_a_leak_and_says_for_how_long():
    (found,) = judged(lambda asked: 20_000 * asked, site=lambda kept: f"{kept:,.0f} bytes at app.py:7")
    assert (found.name, found.verdict, found.advisory) == (KEPT, "failed", False)
    assert found.interval.value == pytest.approx(20_000)
    assert found.cause == "it goes on over 2,800 requests more, after 1,400; 20,000 bytes at app.py:7"


@pytest.mark.parametrize(
    "held",
    [
        lambda asked: 20_000 * min(asked, 1_500),  # a cache that fills right after the first run
        lambda asked: 20_000 * min(asked, 2_000),
        lambda asked: 60_000_000 * (1 - np.exp(-asked / 1_500)),  # a pool that takes long to warm up
        lambda asked: 20_000 * min(asked, 1_400) + 4_000 * max(0, asked - 1_400),  # mostly that
    ],
)
def test_growth_that_ends_or_slows_down_in_the_second_run_is_no_leak(held):
    (found,) = judged(held)
    assert found.advisory


def test_a_sound_server_is_not_asked_twice():
    current, before = arm(lambda _: 0.0), arm(lambda _: 0.0)
    (found,) = judge_memory(current, before, FRAME, None, ALPHA)
    assert found.advisory
    assert current.served.asked == BLOCKS * SIZE


@pytest.mark.parametrize(("kept", "advisory"), [(5_000, True), (20_000, False)])
def test_without_a_previous_version_only_growth_by_half_over_both_runs_is_a_leak(kept, advisory):
    (found,) = judged(lambda asked: kept * asked, before=None)
    assert found.advisory == advisory


def test_what_the_previous_version_begins_to_keep_in_the_second_run_counts_for_it():
    (found,) = judged(lambda asked: 20_000 * asked, before=lambda asked: 20_000 * max(0, asked - 1_400))
    assert found.advisory


def test_a_second_run_that_takes_too_long_decides_nothing(monkeypatch):
    monkeypatch.setattr(leaks, "SHORT_SECONDS", -1.0)
    (found,) = judged(lambda asked: 20_000 * asked)
    assert (found.verdict, found.advisory) == ("inconclusive", False)


def test_memory_of_the_second_run_counts_against_the_limit():
    limit, _ = judged(lambda asked: 20_000 * asked, memory_mb=100.0)
    assert (limit.name, limit.verdict) == (MEMORY, "failed")
    assert limit.interval.value == pytest.approx((START + 20_000 * 4_200) / 2**20)
