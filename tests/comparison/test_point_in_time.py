"""A training value must have been known when its row was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.point_in_time import FUTURE, future_values
from mltestscore.errors import InputError
from mltestscore.finding import Finding
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.offered import roles
from mltestscore.settings import DataConfig

ROWS = 5_000
ROLES = Roles(time="at", feature_times=(("x", "x_at"), ("y", "y_at")))


def table(ahead: int = 0, **seconds: float) -> pd.DataFrame:
    """``ahead`` rows have a value of x from so many seconds after the row; all others know it as long before."""
    at = pd.Series(pd.date_range("2020-01-01", periods=ROWS, freq="min"))
    lead = pd.to_timedelta(np.where(np.arange(ROWS) < ahead, 1, -1) * seconds.get("seconds", 3600.0), unit="s")
    return pd.DataFrame({"at": at, "x": 1.0, "y": 2.0, "x_at": at + lead, "y_at": at})


def found(frame: pd.DataFrame, roles: Roles = ROLES, **options: Any) -> list[Finding]:
    data = open_dataset("recomputed", frame, roles)
    return [*future_values(data, 0.001, **({"clock_skew": 1.0, "alpha": 2e-4} | options))]


def test_values_as_old_as_the_row_or_older_pass() -> None:
    (one,) = found(table())
    assert (one.name, one.verdict) == (FUTURE, "passed")
    assert one.interval is not None
    assert (one.interval.value, one.interval.n) == (0, ROWS)


def test_values_from_after_the_row_fail_and_are_named_with_how_far_they_look_ahead() -> None:
    failed, passed = found(table(ahead=100))
    assert (failed.where, failed.verdict, failed.cause) == ("x", "failed", "known up to 1 h after the row")
    assert failed.interval is not None
    assert failed.interval.value == 0.02
    assert (passed.where, passed.verdict) == ("y", "passed")


def test_doubt_is_left_where_few_values_are_from_after_the_row() -> None:
    assert {one.where: one.verdict for one in found(table(ahead=6))} == {"x": "inconclusive", "y": "passed"}


@pytest.mark.parametrize(("seconds", "verdict"), [(0.9, "passed"), (1.1, "failed")])
def test_clocks_may_differ_by_the_tolerance(seconds: float, verdict: str) -> None:
    assert found(table(ahead=ROWS, seconds=seconds))[0].verdict == verdict


def test_times_may_be_texts_and_in_any_zone() -> None:
    frame = table(ahead=100)
    zoned = frame.assign(x_at=frame["x_at"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    for other in (zoned, frame.assign(x_at=frame["x_at"].astype(str), at=frame["at"].astype(str))):
        assert [one.verdict for one in found(other)] == ["failed", "passed"]


def test_values_without_a_time_are_counted_and_missing_values_have_none() -> None:
    frame = table()
    frame.loc[:999, "x_at"] = pd.NaT
    frame.loc[4_000:, "x"] = np.nan
    one = next(one for one in found(frame, Roles(time="at", feature_times=(("x", "x_at"),))))
    assert one.interval is not None
    assert one.interval.n == 3_000
    assert "1,000 of 4,000 values have no time" in one.note


def test_without_any_time_nothing_is_judged() -> None:
    frame = table().assign(x_at=pd.Series(pd.NaT, index=range(ROWS), dtype="datetime64[ns]"))
    assert {one.where: one.verdict for one in found(frame)} == {"x": "inconclusive", "y": "passed"}
    (undated,) = found(table(), Roles(feature_times=(("x", "x_at"),)))
    assert (undated.verdict, "name its time column" in undated.note) == ("inconclusive", True)
    assert found(table(), Roles(time="at")) == []


def test_a_time_column_is_no_feature_and_must_be_there() -> None:
    assert open_dataset("recomputed", table(), ROLES).features == ("x", "y")
    with pytest.raises(InputError, match=r"'feature_times' names the column 'x_att'.*x_at"):
        open_dataset("recomputed", table(), Roles(feature_times=(("x", "x_att"),)))


def test_the_configuration_names_the_times() -> None:
    offered = roles(DataConfig(time="at", feature_times={"x": "x_at", "y": "y_at"}))
    assert [one.verdict for one in found(table(ahead=100), offered)] == ["failed", "passed"]
