"""The bands of both published versions, at their exact edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltestscore import bands


@pytest.mark.parametrize(
    ("scores", "band"),
    [
        ((0.0,), bands.UNTESTED),
        ((0.01, 0.5, 1.0), bands.HOLES),
        ((1.01, 1.5, 2.0), bands.FIRST_PASS),
        ((2.01, 2.5, 3.0), bands.REASONABLE),
        ((3.01, 3.5, 4.0, 5.0), bands.STRONG),
        ((5.01, 5.5, 6.0, 7.0), bands.EXCEPTIONAL),
    ],
)
def test_2017_bands_hold_their_upper_edge(scores: tuple[float, ...], band: str):
    """0, (0, 1], (1, 2], (2, 3], (3, 5], above 5."""
    assert {bands.band_2017(score) for score in scores} == {band}


@pytest.mark.parametrize(
    ("points", "band"),
    [
        ((0,), bands.UNTESTED),
        ((1, 2), bands.HOLES),
        ((3, 4), bands.FIRST_PASS),
        ((5, 6), bands.REASONABLE),
        ((7, 8, 9, 10), bands.STRONG),
        ((12, 13, 14), bands.EXCEPTIONAL),
    ],
)
def test_2016_bands_are_whole_points(points: tuple[int, ...], band: str):
    """0, 1–2, 3–4, 5–6, 7–10, 12 and more."""
    assert {bands.band_2016(point) for point in points} == {band}


def test_the_2016_gap_at_11_is_named():
    """The paper says nothing about 11 points, and so do we."""
    assert bands.band_2016(11).startswith("No band was published for 11")


@pytest.mark.parametrize("score", [-0.5, 7.5, float("nan")])
def test_a_score_outside_the_rubric_has_no_2017_band(score: float):
    """Nothing is rounded into a band."""
    with pytest.raises(ValueError, match="between 0 and 7"):
        bands.band_2017(score)


@pytest.mark.parametrize("points", [-1, 15, 2.5])
def test_points_outside_the_rubric_have_no_2016_band(points: float):
    """Half points belong to 2017."""
    with pytest.raises(ValueError, match="whole number of points"):
        bands.band_2016(points)  # type: ignore[arg-type]


@given(st.integers(0, 14).filter(lambda points: points != 11))
def test_both_versions_agree_but_for_the_gap(points: int):
    """Halving the 2016 points gives the 2017 band of the same name."""
    assert bands.band_2016(points) == bands.band_2017(points / 2)
