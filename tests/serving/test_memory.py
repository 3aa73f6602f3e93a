"""A leak is shown only by growth that is steady, above an allocator's steps, and not the previous version's too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.performance.leaks import suspicious
from mltestscore.serving.memory import growth

ALPHA = 0.0002
ASKED = list(range(0, 1400, 100))
START = 60_000_000


def grown(*bytes_by_block: float):
    return growth(ASKED, [START + int(value) for value in bytes_by_block], ALPHA)


def test_steady_growth_is_a_leak_beside_a_flat_previous_version():
    leak, flat = grown(*[20_000 * asked for asked in ASKED]), grown(*[0] * 14)
    assert leak.per_request.value == pytest.approx(20_000)
    assert suspicious(leak, flat)
    assert not suspicious(flat, flat)


def test_growth_that_the_previous_version_has_too_is_no_leak():
    leak = grown(*[20_000 * asked for asked in ASKED])
    assert not suspicious(leak, leak)


def test_cache_that_fills_is_no_leak():
    assert not suspicious(grown(*[min(asked, 500) * 40_000 for asked in ASKED]), grown(*[0] * 14))


def test_curve_that_saturates_is_no_leak():
    curve = [30_000_000 * (1 - np.exp(-asked / 250)) for asked in ASKED]
    assert not suspicious(grown(*curve), grown(*[0] * 14))


def test_one_large_step_is_no_leak():
    assert not suspicious(grown(*[0] * 8, *[50_000_000] * 6), grown(*[0] * 14))


def test_small_steps_of_the_allocator_are_no_leak():
    assert not suspicious(grown(*[asked * 1_000 for asked in ASKED]), grown(*[0] * 14))


def test_saw_tooth_of_the_garbage_collector_is_no_leak():
    assert not suspicious(grown(*[10_000_000 * (number % 4) for number in range(14)]), grown(*[0] * 14))


def test_too_few_blocks_say_nothing():
    assert growth([0, 100, 200], [1, 2, 3], ALPHA) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**10), min_size=8, max_size=30))
def test_any_memory_gives_an_ordered_interval(memory):
    found = growth(list(range(0, 100 * len(memory), 100)), memory, ALPHA)
    assert found.per_request.low <= found.per_request.value <= found.per_request.high
