"""Budgets: what is declared adds up, what is unknown is not excused, what is measured is held to both."""

from __future__ import annotations

import numpy as np
import pytest

from mltestscore.codetests.online_cost import OnlineCost
from mltestscore.features.costs import Unit
from mltestscore.features.spending import COST, MEASURED, measured, spent, upstream
from mltestscore.finding import Finding
from mltestscore.inputs.catalogue import Cost


def unit(name: str, late: float | None = None, sources: tuple[str, ...] = (), **cost: float) -> Unit:
    return Unit(name, (name,), Cost(**cost), sources, late)


def verdicts(findings: object) -> dict[tuple[str, str], str]:
    return {one.key: one.verdict for one in findings if isinstance(one, Finding)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [([3, 4], "passed"), ([5, 5], "passed"), ([5, 5.1], "failed"), ([4, None], "inconclusive"), ([11, None], "failed")],
)
def test_costs_add_up_and_what_is_unknown_is_not_excused(costs, verdict):
    every = [unit(str(n), **({} if cost is None else {"compute_ms": cost})) for n, cost in enumerate(costs)]
    assert verdicts(spent(every, {"compute_ms": 10})) == {(COST, "compute time"): verdict}


def test_the_dearest_are_named():
    (found,) = spent([unit("a", store_calls=1), unit("b", store_calls=30)], {"store_calls": 25})
    assert found.cause == "most: b 30 calls, a 1 calls"


def test_no_budget_decides_nothing():
    (found,) = spent([unit("a", compute_ms=1)], {})
    assert (found.verdict, "set budget_ms" in found.note) == ("inconclusive", True)


def test_upstream_limits_are_held_where_there_are_any():
    every = [unit("a", 0.02, ("x", "y")), unit("b")]
    assert list(upstream(every, None, None)) == []
    assert verdicts(upstream(every, 0.01, 1)) == {
        ("requests with a late source", "a"): "failed",
        ("upstream sources", "a"): "failed",
        ("upstream sources", "b"): "passed",
    }


TIME, CALLS = (MEASURED, "compute time"), (MEASURED, "store calls")


@pytest.mark.parametrize(
    ("milliseconds", "calls", "expected"),
    [
        ((0.5, 0.6) * 30, (7,) * 60, {TIME: "passed", CALLS: "passed"}),
        ((1.05, 1.06) * 30, (7,) * 60, {TIME: "passed", CALLS: "passed"}),
        ((1.5, 1.6) * 30, (7,) * 60, {TIME: "failed", CALLS: "passed"}),
        ((0.1, 9.0, 0.1), (7,) * 3, {TIME: "inconclusive", CALLS: "passed"}),
        ((0.5, 0.6) * 30, (7, 7, 8) * 20, {TIME: "passed", CALLS: "passed"}),
        ((0.5, 0.6) * 30, (8,) * 60, {TIME: "passed", CALLS: "failed"}),
        ((0.5, 0.6) * 30, (7, 300) * 30, {TIME: "passed", CALLS: "failed"}),
        ((0.5,), (7,), {TIME: "passed", CALLS: "passed"}),
    ],
    ids=["less", "a twentieth more", "slow", "three rows", "a retry", "one more", "a call a row", "one row"],
)
def test_what_is_measured_is_held_to_the_budget_and_the_declared_calls(milliseconds, calls, expected):
    cost = OnlineCost(tuple(milliseconds), tuple(calls))
    every = [unit("a", store_calls=4), unit("b", store_calls=3)]
    assert verdicts(measured(cost, every, {"compute_ms": 1.0}, 0.1, 0.0002)) == expected


def test_no_calls_declared_and_none_made_passes_exactly():
    cost = OnlineCost((1.0,) * 9, (0,) * 9)
    assert verdicts(measured(cost, [unit("a", store_calls=0)], {}, 0.1, 0.0002)) == {CALLS: "passed"}


def test_without_a_budget_or_declared_calls_there_is_nothing_to_hold_it_to():
    cost = OnlineCost((1.0,) * 9, (3,) * 9)
    assert list(measured(cost, [unit("a")], {"memory_mb": 1}, 0.1, 0.0002)) == []


def test_noise_of_a_sound_path_accuses_in_no_run_of_two_hundred():
    rng = np.random.default_rng(0)
    for _ in range(200):
        cost = OnlineCost(tuple(rng.lognormal(0.0, 0.3, 100)), (1,) * 100)
        (found,) = measured(cost, [unit("a")], {"compute_ms": 1.0}, 0.1, 0.0002)
        assert found.verdict != "failed"
