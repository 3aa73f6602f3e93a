import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.result import FindingRecord
from mltestscore.words import figures


def finding(**fields: object) -> FindingRecord:
    return FindingRecord(**{"name": "x", "verdict": "passed", **fields})


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.0490, 0.0430, 0.0550, "4.9"),
        (0.00123, 0.00101, 0.00145, "0.123"),
        (0.5, 0.3, 0.7, "50"),
        (0.0, 0.0, 0.0, "0"),
    ],
)
def test_a_share_is_per_cent_with_the_digits_that_its_interval_supports(
    value: float, low: float, high: float, shown: str
) -> None:
    assert figures.value_text(finding(value=value, low=low, high=high, unit="share")) == shown


def test_a_wide_interval_rounds_before_the_decimal_point() -> None:
    record = finding(value=41_237.0, low=37_000.0, high=46_000.0)
    assert figures.value_text(record) == "41,000"
    assert figures.interval_text(record) == "37,000 to 46,000"


def test_an_open_end_is_said_in_words() -> None:
    assert figures.interval_text(finding(value=0.3, low=None, high=1.1)) == "up to 1.1"
    assert figures.interval_text(finding(value=0.3, low=0.1, high=None)) == "0.10 or more"
    assert figures.interval_text(finding(value=0.3, low=None, high=None)) == "unbounded"


def test_an_exact_count_has_no_interval() -> None:
    assert figures.interval_text(finding(value=3.0, low=3.0, high=3.0)) == ""


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ({"ceiling": 0.001, "unit": "share"}, "at most 0.1"),
        ({"floor": 0.8}, "at least 0.8"),
        ({"floor": 0.0, "ceiling": 1.0}, "0 to 1"),
        ({}, ""),
    ],
)
def test_a_limit_says_its_direction(limits: dict[str, object], shown: str) -> None:
    assert figures.limit_text(finding(value=0.0, **limits)) == shown


def test_no_value_is_a_dash_without_a_unit() -> None:
    assert figures.with_unit(figures.value_text(finding(unit="ms")), "ms") == "–"


@given(st.floats(allow_nan=True, allow_infinity=True), st.none() | st.integers(-6, 9))
@settings(deadline=None)
def test_any_number_is_shown_without_hyphen_or_needless_length(value: float, decimals: int | None) -> None:
    text = figures.number(value, decimals)
    assert "-" not in text
    assert 0 < len(text) <= 24


@given(st.floats(-1e8, 1e8).filter(lambda value: value == 0 or abs(value) >= 1e-4))
@settings(deadline=None)
def test_an_exact_number_reads_back_within_four_digits(value: float) -> None:
    text = figures.number(value).replace(",", "").replace("−", "-")
    assert math.isclose(float(text), value, rel_tol=6e-4, abs_tol=1e-12)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
@settings(deadline=None)
def test_rounding_moves_a_value_by_less_than_a_fifth_of_its_interval(middle: float, half: float) -> None:
    decimals = figures.places(middle - half, middle + half)
    if decimals is not None:
        assert 10.0**-decimals <= 2 * half
        assert abs(round(middle, decimals) - middle) <= 0.51 * 10.0**-decimals


def test_a_moment_is_told_to_the_minute_and_other_text_is_left_alone() -> None:
    assert figures.moment("2026-11-22T14:03:11Z") == "2026-11-22 14:03 UTC"
    assert figures.moment("<b>") == "<b>"
