"""A lost sign fails, by windows and without; seasons, growth, rare refunds, devices and batches of one side do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.battery import measured
from mltestscore.comparison.invariants import Tolerance
from mltestscore.finding import Finding
from mltestscore.inputs.dataset import Roles, open_dataset

NAME = "numbers that lost their sign"
ALLOWED = Tolerance(0.002, 0.002, 0.001, 0.02, 0.005, 0.001, 0.005)
Draw = Callable[[np.random.Generator, Any], Any]
TAILS: dict[str, Draw] = {
    "Student's t": lambda rng, day: rng.standard_t(2, len(day)),
    "difference of log-normals": lambda rng, day: rng.lognormal(2, 2, len(day)) - rng.lognormal(2, 2, len(day)),
    "skewed": lambda rng, day: rng.lognormal(1, 1.5, len(day)) * rng.choice([1, 1, -0.3], len(day)),
    "whole": lambda rng, day: np.round(rng.normal(1, 4, len(day))),
}


def table(draw: Draw, seed: int, start: int = 0, days: int = 140, rows: int = 4_200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    day = np.sort(rng.uniform(start, start + days, rows))
    return pd.DataFrame({"t": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"), "x": draw(rng, day)})


def findings(training: pd.DataFrame, serving: pd.DataFrame, time: str = "t", cluster: str = "") -> tuple[Finding, ...]:
    roles = Roles(time=time, cluster=cluster)
    data = open_dataset("training", training, roles), open_dataset("serving", serving, roles)
    return measured(*data, ALLOWED, 0.001).findings


def failed(training: pd.DataFrame, serving: pd.DataFrame, time: str = "t", cluster: str = "") -> list[str]:
    found = findings(training, serving, time, cluster)
    return [f"{one.name}: {one.cause}" for one in found if one.verdict == "failed" and not one.advisory]


@pytest.mark.parametrize("draw", TAILS.values(), ids=[*TAILS])
def test_absolute_values_fail_and_the_next_week_does_not(draw: Draw) -> None:
    past, now = table(draw, 0), table(draw, 1, start=140, days=7, rows=600)
    assert failed(past, now) == []
    (said,) = (one for one in failed(past, now.assign(x=now["x"].abs())) if one.startswith(NAME))
    assert said.startswith(f"{NAME}: absolute values: 0.00% of the numbers are negative, ")
    (said,) = (one for one in failed(past, now.assign(x=-now["x"].abs())) if one.startswith(NAME))
    assert "are positive" in said


def lopsided(rng: np.random.Generator, day: Any) -> Any:
    """Credits are a few large numbers, debits many small ones."""
    credit = rng.random(len(day)) < 0.5
    return np.where(credit, 200, -1) * rng.lognormal(1, 0.5, len(day))


def test_without_windows_it_fails_where_the_sizes_rule_out_a_batch_of_one_sign() -> None:
    past, now = table(lopsided, 0), table(lopsided, 1)
    assert not [said for said in failed(past, now[now["x"] > 0], "") if said.startswith(NAME)]
    assert [said for said in failed(past, now.assign(x=now["x"].abs()), "") if said.startswith(NAME)]


def test_without_windows_one_sign_of_the_same_sizes_is_inconclusive_and_says_what_would_tell() -> None:
    past, now = table(TAILS["Student's t"], 0), table(TAILS["Student's t"], 1)
    (found,) = (one for one in findings(past, now[now["x"] > 0], "") if one.name == NAME)
    assert found.verdict == "inconclusive"
    assert "declare the time" in found.cause


HEALTHY: dict[str, Draw] = {
    "season": lambda rng, day: 12 - 15 * np.cos(day / 365 * 2 * np.pi) + rng.normal(0, 4, len(day)),
    "growth": lambda rng, day: rng.standard_t(3, len(day)) + day / 50,
    "a flag that is not set": lambda rng, day: (rng.random(len(day)) < 0.12) * (day < 147).astype(int),
    "few movements": lambda rng, day: rng.choice([-1, 0, 1], len(day), p=[0.12, 0.8, 0.08]) * (day < 147),
    "rare refunds": lambda rng, day: rng.lognormal(3, 1, len(day)) * np.where((day % 30 < 2) & (day < 140), -1, 1),
    "one side a day": lambda rng, day: rng.lognormal(3, 1, len(day)) * np.where(day // 7 % 2 < 1, -1, 1),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("draw", HEALTHY.values(), ids=[*HEALTHY])
def test_what_the_world_moves_does_not_fail(draw: Draw, seed: int) -> None:
    past, now = table(draw, seed), table(draw, 100 + seed, start=147, days=7, rows=600)
    assert not [said for said in failed(past, now) if said.startswith(NAME)]


def test_a_sign_that_belongs_to_the_device_needs_many_devices() -> None:
    def devices(seed: int, numbers: list[int]) -> pd.DataFrame:
        frame = table(lambda rng, day: rng.lognormal(0, 1, len(day)), seed)
        of = np.random.default_rng(seed).choice(numbers, len(frame))
        return frame.assign(device=of, x=np.where(of % 2, -1, 1) * frame["x"])

    past = devices(0, [*range(60)])
    one_side, all_sides = devices(1, [2, 4, 6]), devices(1, [*range(60)])
    assert not [said for said in failed(past, one_side, "t", "device") if said.startswith(NAME)]
    lost = all_sides.assign(x=all_sides["x"].abs())
    assert [said for said in failed(past, lost, "t", "device") if said.startswith(NAME)]
