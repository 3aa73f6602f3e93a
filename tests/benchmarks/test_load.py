"""The truth that the load generators are held to: the service, and what is left of a pause."""

from __future__ import annotations

import numpy as np
import pytest

from .load.server import SERVICE
from .load.truth import latencies_ms, of_schedule, pauses

PAUSED = np.array([[1.0, 1.2], [3.0, 3.2]])
USUAL = SERVICE * 1000


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0.5, USUAL),
        (1.1, 100 + USUAL),  # read after the pause
        (1.2, USUAL),
        (2.99, 210),  # read before it, due in it
        (4.0, USUAL),
    ],
)
def test_a_request_waits_for_the_service_and_for_what_is_left_of_a_pause(start, expected):
    assert latencies_ms(np.array([start]), PAUSED)[0] == pytest.approx(expected)


def test_percentiles_follow_from_the_share_of_the_time_that_is_paused():
    found = of_schedule(np.arange(0, 4, 0.001), PAUSED)
    assert found[50.0] == pytest.approx(USUAL)
    assert found[99.0] == pytest.approx(205, abs=1)  # what is read just before a pause waits for it and the service


def test_the_log_of_pauses_may_be_empty(tmp_path):
    (tmp_path / "log").write_text("")
    assert pauses(tmp_path / "log").shape == (0, 2)
    (tmp_path / "log").write_text("1.0 1.2\n3.0 3.2\n")
    assert np.array_equal(pauses(tmp_path / "log"), PAUSED)
