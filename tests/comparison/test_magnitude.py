"""Amounts with a long tail in another unit fail; growth, seasons and what is often zero do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.battery import measured
from mltestscore.comparison.invariants import Tolerance
from mltestscore.inputs.dataset import Roles, open_dataset

NAME = "values of another magnitude"
ALLOWED = Tolerance(0.002, 0.002, 0.001, 0.02, 0.005, 0.001, 0.005)
DAYS, ROWS = 140, 4_200


def amounts(seed: int, days: int = DAYS, rows: int = ROWS, start: str = "2024-01-01") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    times = pd.Timestamp(start) + pd.to_timedelta(np.sort(rng.uniform(0, days, rows)), unit="D")
    amount = 30 * np.exp(1.5 * rng.standard_t(4, rows))
    return pd.DataFrame({"t": times, "x": amount.round(2)})


def failed(training: pd.DataFrame, serving: pd.DataFrame) -> list[str]:
    roles = Roles(time="t")
    found = measured(open_dataset("training", training, roles), open_dataset("serving", serving, roles), ALLOWED, 0.001)
    return [f"{one.name}: {one.cause}" for one in found.findings if one.verdict == "failed" and not one.advisory]


def served(seed: int = 1) -> pd.DataFrame:
    return amounts(seed, days=7, rows=600, start="2024-05-20")


@pytest.mark.parametrize(("factor", "words"), [(100, "more than 10 times"), (0.01, "less than 1/10 of")])
def test_cents_for_euros_fail_though_the_range_holds_them(factor: float, words: str) -> None:
    now = served()
    (said,) = failed(amounts(0), now.assign(x=(now["x"] * factor).round(3)))
    assert said.startswith(f"{NAME}: a unit: most are {words} the past's usual 2")  # 29 or so


def test_cents_of_a_feature_that_is_zero_in_most_rows_fail() -> None:
    past, now = (one.assign(x=one["x"].where(one.index % 3 == 0, 0.0)) for one in (amounts(0), served()))
    assert failed(past, now) == []
    assert any(said.startswith(NAME) for said in failed(past, now.assign(x=now["x"] * 100)))


@pytest.mark.parametrize("seed", range(3))
def test_the_next_week_does_not_fail(seed: int) -> None:
    assert failed(amounts(seed), served(100 + seed)) == []


def test_what_tripled_does_not_fail() -> None:
    now = served()
    assert failed(amounts(0), now.assign(x=now["x"] * 3)) == []


def test_what_grew_as_fast_before_does_not_fail() -> None:
    def launched(frame: pd.DataFrame) -> pd.DataFrame:
        weeks = (frame["t"] - pd.Timestamp("2024-01-01")).dt.days // 7
        return frame.assign(x=frame["x"] * np.where(weeks >= 19, 40.0, 1.0))

    assert not [said for said in failed(launched(amounts(0)), launched(served())) if said.startswith(NAME)]


@pytest.mark.parametrize("change", [lambda x: x - 40, lambda x: -x])
def test_what_may_be_negative_is_not_judged(change: Any) -> None:
    past, now = (one.assign(x=change(one["x"])) for one in (amounts(0), served()))
    assert not [said for said in failed(past, now.assign(x=now["x"] * 100)) if said.startswith(NAME)]
