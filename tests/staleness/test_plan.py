"""Where a back-test looks, and when: nothing after its date teaches a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.staleness.plan import DAY, SIBLINGS, STEPS, Plan, Timed, TooShort, plan, timed


def rows(n: int = 4_000, span: float = 240.0, **columns) -> Timed:
    """Labelled rows, in no order, over some days."""
    rng = np.random.default_rng(n)
    days = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(rng.random(n) * span, unit="D")
    frame = pd.DataFrame({"day": days, "y": rng.integers(0, 2, n)}).assign(**columns)
    return timed(open_dataset("training", frame, Roles(label="y", time="day")), n)


def laid(found: Plan | TooShort) -> Plan:
    assert isinstance(found, Plan), found.reason
    return found


@pytest.mark.parametrize("span", [160, 240, 2_000])
def test_no_lesson_holds_a_row_after_its_date_and_all_are_of_one_length(span):
    found = laid(plan(rows(span=span), 60, most=10_000, least=100))
    for origin, siblings in zip(found.origins, found.lessons, strict=True):
        assert len(siblings) == SIBLINGS
        assert all(found.rows.times[lesson].max() < origin for lesson in siblings)
        assert all(len(np.unique(lesson)) == len(lesson) for lesson in siblings)
    assert len({len(lesson) for siblings in found.lessons for lesson in siblings}) == 1


def test_every_sibling_leaves_out_rows_of_its_own():
    siblings = laid(plan(rows(), 60, most=10_000, least=100)).lessons[0]
    shared = [len(np.intersect1d(siblings[0], other)) / len(siblings[0]) for other in siblings[1:]]
    assert shared == pytest.approx([(SIBLINGS - 2) / (SIBLINGS - 1)] * (SIBLINGS - 1))
    assert set.intersection(*(set(lesson.tolist()) for lesson in siblings)) == set()


def test_dates_are_steps_of_the_age_apart_and_the_last_block_ends_with_the_rows():
    found = laid(plan(rows(), 60, most=10_000, least=100))
    assert np.diff(found.origins).tolist() == [60 / STEPS * DAY] * 4
    assert found.origins[-1] + found.step == found.rows.times.max() + 1
    assert np.unique(found.block).tolist() == [1, 2, 3, 4]
    assert found.rows.times[found.judged].min() >= found.origins[1]
    assert len(laid(plan(rows(span=155), 60, most=10_000, least=100)).origins) == 4


def test_a_lesson_is_no_larger_than_asked_for_nor_smaller():
    assert {len(one) for siblings in laid(plan(rows(), 60, most=300, least=100)).lessons for one in siblings} == {300}
    few = plan(rows(), 60, most=10_000, least=3_000)
    assert isinstance(few, TooShort)
    assert few.rows_wanted is not None
    assert laid(plan(rows(few.rows_wanted), 60, most=10_000, least=3_000))


def test_the_forgetful_lesson_differs_in_the_labels_of_the_newest_rows_only():
    found = laid(plan(rows(), 60, most=10_000, least=100))
    lesson, labels = found.forgetful("seed")
    before = found.rows.labels.to_numpy()[lesson]
    changed = np.flatnonzero(labels != before)
    assert len(changed) > 50
    assert found.rows.times[lesson[changed]].min() >= found.origins[-1 - STEPS]
    assert sorted(labels) == sorted(before)


def test_rows_without_a_time_or_a_label_are_left_out():
    frame = pd.DataFrame({"day": ["2026-01-01", None, "2026-01-03"], "y": [1, 0, None]})
    found = timed(open_dataset("training", frame, Roles(label="y", time="day")), 10)
    assert len(found.times) == 1
    assert found.times[0] == pd.Timestamp("2026-01-01").value
