"""What was served against the end of a trace: rounding logs, classes by name, traces of one number for several."""

from __future__ import annotations

from mltestscore.tracing.judged import answers, ends_in
from mltestscore.tracing.trace import Trace, scored

THREE = Trace((scored([0.2, 0.5, 0.3]),))
TOP = Trace((scored([0.5]),))


def test_a_log_that_rounds_allows_half_of_its_last_decimal_and_no_share_of_the_number():
    assert ends_in(Trace((scored([1000.004]),)), 1000.0, 1e-6, 0.005)
    assert not ends_in(Trace((scored([1004.0]),)), 1000.0, 1e-6, 0.005)


def test_a_class_that_was_served_is_compared_by_name_or_place():
    own = [0.2, 0.5, 0.3]
    assert answers(THREE, "b", own, ("a", "b", "c"), 1e-5)
    assert not answers(THREE, "c", own, ("a", "b", "c"), 1e-5)
    assert answers(THREE, 1.0, own, (0, 1, 2), 1e-5)
    assert answers(THREE, 1, own, (), 1e-5)
    assert answers(TOP, "b", own, ("a", "b", "c"), 1e-5)


def test_a_score_that_is_no_number_is_no_answer():
    assert not answers(TOP, "late", 0.5, ("in time", "late"), 1e-5)
    assert answers(TOP, "0.5", 0.5, (0, 1), 1e-5)
