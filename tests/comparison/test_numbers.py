from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mltestscore.comparison.cause import best
from mltestscore.comparison.numbers import UNITS, Facts, candidates

VALUES = np.random.default_rng(1).normal(300, 60, 400)


def facts(computed: np.ndarray, served: np.ndarray, rate: float = 1.0) -> Facts:
    ends = (float(served.min()), float(served.max()), float(computed.min()), float(computed.max()))
    return Facts(rate, *ends, float(computed.mean()), float(np.median(computed)), float(computed.std()))


def named(served: np.ndarray, computed: np.ndarray = VALUES, rate: float = 1.0) -> str:
    cause = best(candidates(served, computed, facts(computed, served, rate)), len(served))
    return "" if cause is None else cause.name


@pytest.mark.parametrize(("unit", "factor", "offset"), UNITS, ids=[one[0] for one in UNITS])
def test_each_unit_is_named(unit: str, factor: float, offset: float) -> None:
    assert unit in named(VALUES * factor + offset)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 100))
def test_any_ratio_is_named_by_its_value(ratio: float) -> None:
    assume(all(abs(ratio / factor - 1) > 1e-2 for _, factor, _ in UNITS))
    name = named(VALUES * ratio)
    assert name.startswith("constant ratio")
    assert float(name.split()[-1]) == pytest.approx(ratio, rel=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_noise_is_never_named(seed: int) -> None:
    assert named(VALUES + np.random.default_rng([seed, 99]).normal(0, 20, len(VALUES))) == ""


@pytest.mark.parametrize("step", [0.5, 5, 10, 50])
@pytest.mark.parametrize(("verb", "whole"), [("rounded", np.round), ("cut", np.floor)])
def test_coarser_steps_are_named_on_the_side_that_has_them(step, verb, whole) -> None:
    coarse = whole(VALUES / step) * step
    assert named(coarse) == f"{verb} to multiples of {step:g} in serving"
    assert named(VALUES, coarse) == f"{verb} to multiples of {step:g} in the training path"


def test_overflowing_transformations_explain_nothing() -> None:
    assert named(VALUES * 1e6 + np.random.default_rng(9).normal(0, 1e7, len(VALUES))) == ""


def test_two_sided_clipping_is_told_from_a_default() -> None:
    beyond = VALUES[np.abs(VALUES - 300) > 50]
    assert "at most 350 and at least 250" in named(np.clip(VALUES, 250, 350)[np.abs(VALUES - 300) > 50], beyond)
    assert "default-filled: -1" in named(np.full(400, -1.0))


def test_a_clock_that_wraps_is_a_time_zone_and_a_count_is_not() -> None:
    hours = np.tile(np.arange(24.0), 20)
    assert "time zone: -4 h" in named((hours - 4) % 24, hours)
    assert "off by one" in named(hours + 1, hours)
