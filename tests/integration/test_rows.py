"""Keys of rows, whatever file they stand in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from mltestscore.integration.rows import as_text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([7, 8], [7.0, 8.0]),
        ([7], ["007"]),
        ([7], [Decimal("7.00")]),
        ([None, 1.0], ["", "1"]),
        ([date(2024, 2, 29)], ["2024-02-29"]),
        ([pd.Timestamp("2024-02-29")], [date(2024, 2, 29)]),
        ([datetime(2024, 2, 29, 12)], ["2024-02-29 12:00:00"]),
        ([pd.Timestamp("2024-02-29T12:00Z")], ["2024-02-29T13:00:00+01:00"]),
        ([10**30], [str(10**30)]),
    ],
)
def test_the_same_key_is_the_same_text(one, other):
    assert as_text(pd.Series(one)).tolist() == as_text(pd.Series(other)).tolist()


@pytest.mark.parametrize(("one", "other"), [("a", "A"), ("1.5", "1"), ("2024-02-30", "2024-03-01"), (0.1, 0.2)])
def test_other_keys_are_other_texts(one, other):
    assert as_text(pd.Series([one])).tolist() != as_text(pd.Series([other])).tolist()


def test_infinite_numbers_are_texts():
    assert as_text(pd.Series([float("inf")])).tolist() == ["inf"]
