from __future__ import annotations

import pandas as pd
import pytest

from mltestscore import at_most
from mltestscore.comparison.pictures import condensed, two_histograms


def test_failures_stay_and_the_rest_is_told_by_its_nearest() -> None:
    found = [
        at_most("share", value, 0.5, where=name, n=9) for name, value in zip("abcd", (0.9, 0.1, 0.4, 0.8), strict=True)
    ]
    kept = condensed(found)
    assert [(one.where, one.verdict) for one in kept] == [("a", "failed"), ("d", "failed"), ("c", "passed")]
    assert kept[-1].note == "the nearest to its limit of 2"


def test_one_far_outlier_leaves_the_histogram_readable() -> None:
    served = pd.Series([*range(1_000), 10**9], dtype=float)
    picture = two_histograms("x", "number", served, served)
    assert picture is not None
    assert picture.edges[-1] < 10_000
    assert sum(picture.left) == pytest.approx(1)


def test_rare_categories_are_joined_and_nothing_is_lost() -> None:
    served = pd.Series([f"c{place % 40}" for place in range(400)])
    picture = two_histograms("x", "text", served, served.head(100))
    assert picture is not None
    assert (len(picture.categories), picture.categories[-1]) == (13, "others")
    assert (sum(picture.left), sum(picture.right)) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize("kind", ["text", "number"])
def test_a_side_without_values_has_no_picture(kind: str) -> None:
    assert two_histograms("x", kind, pd.Series([None, None]), pd.Series([1.0])) is None
