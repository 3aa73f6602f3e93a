"""Whose answer a request got, and from when on a version was back."""

from __future__ import annotations

import numpy as np
import pytest

from mltestscore.rollback.record import Answers, Drill
from mltestscore.rollback.traffic import Request

NEW, OLD = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.5])


def answers(named: str = "v2", old: np.ndarray | None = OLD) -> Answers:
    return Answers("v2", "v1", named, NEW, old, 1e-6)


def request(score: float | None, version: str, row: int = 1, at: float = 0.0, seconds: float = 0.01) -> Request:
    return Request(at, seconds, row, None if score is None else np.array(score), version)


@pytest.mark.parametrize(
    ("score", "version", "kind"),
    [
        (2.0, "v2", "new"),
        (2.5, "v1", "old"),
        (2.0, "v1", "mixed"),
        (2.5, "v2", "mixed"),
        (2.25, "v1", "neither"),
        (2.25, "v2", "neither"),
        (2.5, "", "mixed"),
        (2.5 + 1e-7, "v1", "old"),
        (None, "", "failed"),
    ],
)
def test_an_answer_is_the_old_versions_in_name_and_value(score, version, kind):
    assert answers().kind(request(score, version)) == kind


def test_without_names_values_decide_and_a_row_that_shows_nothing_is_not_the_old_versions():
    assert answers("").kind(request(2.5, "")) == "old"
    assert answers("").kind(request(1.0, "", row=0)) == "new"


def test_where_the_server_names_versions_in_its_own_way_another_name_is_the_old_versions():
    assert answers("model-7").kind(request(2.5, "model-6")) == "old"
    assert answers("model-7", None).kind(request(9.0, "model-6")) == "old"
    assert answers("model-7", None).kind(request(9.0, "model-7")) == "neither"


def test_the_pinned_set_is_what_differs_the_largest_first():
    assert answers().differing.tolist() == [1, 2]
    assert answers(old=np.array([4.0, 2.0, 3.5])).differing.tolist() == [0, 2]
    assert answers(old=None).differing.tolist() == []


def test_it_is_back_from_the_first_answer_after_which_no_other_came_and_never_where_it_did_not_hold():
    seen = [(2.0, "v2", 1.0), (2.5, "v1", 2.0), (2.0, "v2", 3.0), (2.5, "v1", 4.0), (2.5, "v1", 5.0), (2.0, "v2", 7.0)]
    requests = [request(score, version, at=at) for score, version, at in seen]
    drill = Drill("v2", "v1", answers=answers(), requests=requests, began=1.5, restoring=6.0, held=True)
    assert drill.back_after == pytest.approx(2.51)
    assert drill.restored_after == pytest.approx(1.01)
    assert Drill("v2", "v1", answers=answers(), requests=requests, began=1.5, restoring=6.0).back_after is None


def test_a_request_that_the_next_step_cuts_off_belongs_to_that_step():
    late = request(None, "", at=5.9, seconds=0.3)
    drill = Drill("v2", "v1", answers=answers(), requests=[late], began=1.0, restoring=6.0)
    assert (drill.going_back, [kind for _, kind in drill.putting_back]) == ([], ["failed"])
