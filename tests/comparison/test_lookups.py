"""Which row a served value comes from, by the order of the keys and by the time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.attribution import explain, sample
from mltestscore.comparison.join import join
from mltestscore.inputs.dataset import Roles, open_dataset

DAYS = pd.date_range("2013-03-01", periods=40, freq="D")
RANDOM = np.random.default_rng(3).permutation(30 * len(DAYS))


@pytest.mark.parametrize(
    ("moments", "named"),
    [
        ([day + pd.Timedelta(minutes=number) for number in range(30) for day in DAYS], "stale, or off by one"),
        ([DAYS[0] + pd.Timedelta(hours=int(hour)) for hour in RANDOM], "off by one"),
    ],
)
def test_the_row_before_may_be_a_stale_one_where_it_is_the_same_time_earlier(moments, named):
    """In the order of keys that end in the date, the row before is the same flight a day earlier."""
    keys = [f"B6{100 + number}-{day:%F}" for number in range(30) for day in DAYS]
    temp = np.random.default_rng(4).normal(12, 8, len(keys))
    frame = pd.DataFrame({"flight": keys, "at": moments, "temp": temp})
    roles = Roles(key=("flight",), time="at")
    served = open_dataset("serving", frame.assign(temp=frame["temp"].shift(1)).iloc[1:], roles)
    joined = join(served, open_dataset("recomputed", frame, roles), ("temp",), 1e-6)
    found = explain(joined, joined.features[0], sample(joined, joined.features[0], 1e-6))
    assert found is not None
    assert found.name.startswith(named)
