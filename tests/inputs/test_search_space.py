"""Spaces of a search: what lies in them, on their edges, and what is drawn from them."""

from __future__ import annotations

import numpy as np
import pytest

from mltestscore.errors import ConfigError
from mltestscore.inputs.search_space import Choices, Numbers, declared_space, observed_space

RATE = Numbers(0.01, 1.0, log=True)


@pytest.mark.parametrize(
    ("value", "holds"), [(0.01, True), (1.0 + 1e-12, True), (1.01, False), ("0.1", False), (True, False)]
)
def test_numbers_hold_what_lies_between_their_ends(value, holds):
    assert RATE.holds(value) is holds


@pytest.mark.parametrize(("value", "edge"), [(0.0101, "low"), (0.0107, ""), (0.99, "high"), (0.9, ""), (7.0, "")])
def test_an_edge_is_a_hundredth_of_the_range(value, edge):
    assert RATE.edge(value) == edge


def test_whole_numbers_have_their_last_one_as_an_edge_and_natural_ends_are_none():
    depth = Numbers(1, 8, integer=True, natural=("low",))
    assert [depth.edge(value) for value in (1, 2, 7, 8)] == ["", "", "", "high"]


def test_choices_know_one_from_true_and_hold_what_a_table_writes():
    assert Choices((True, "a")).holds(True)
    assert not Choices((True, "a")).holds(1)
    assert Choices((5, None)).holds(5.0)
    assert Choices((5, None)).holds(None)


def test_draws_lie_in_the_space_and_near_what_they_are_drawn_around():
    rng = np.random.default_rng(1)
    drawn = [RATE.draw(rng, 0.1) for _ in range(200)]
    assert 0.025 <= min(drawn) < 0.03
    assert 0.35 < max(drawn) <= 0.4
    wide = [RATE.draw(rng) for _ in range(200)]
    assert (min(wide) < 0.012, max(wide) > 0.9) == (True, True)
    assert all(RATE.holds(RATE.draw(rng, 1e6)) for _ in range(50))


def test_whole_numbers_are_drawn_whole_and_a_zero_end_is_no_obstacle():
    rng = np.random.default_rng(2)
    drawn = [Numbers(0, 10, integer=True).draw(rng, around) for around in (None, 0, 3) for _ in range(50)]
    assert all(isinstance(value, int) and 0 <= value <= 10 for value in drawn)
    assert {Choices(("a", "b")).draw(rng, "a") for _ in range(50)} == {"a", "b"}


def test_what_trials_have_covered_is_a_space():
    found = observed_space(
        [{"rate": 0.001, "depth": 2, "loss": "a", "still": 1}, {"rate": 1.0, "depth": 5, "loss": "b", "still": 1}]
    )
    assert found == {
        "rate": Numbers(0.001, 1.0, log=True),
        "depth": Numbers(2, 5, integer=True),
        "loss": Choices(("a", "b")),
    }


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (3, "write {low = 0.01"),
        ([], "has 0 choices"),
        ({"low": 1, "hihg": 2}, "Did you mean 'high'"),
        ({"low": 1}, "high is None; write a finite number"),
        ({"low": 2, "high": 1}, "low must be at most high"),
        ({"low": 0, "high": 1, "log": True}, "above 0"),
        ({"low": 0, "high": 1, "natural": "top"}, "an end is low or high"),
    ],
)
def test_a_space_that_is_none_is_refused_and_named(written, says):
    with pytest.raises(ConfigError) as error:
        declared_space({"depth": written}, "[tool.mltestscore.tuning.space]")
    assert says in str(error.value)
    assert "depth" in str(error.value)
