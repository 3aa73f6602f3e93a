"""Dates and digests of a lineage, as pure values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.inputs.lineage_dates import days, impossible_dates, returned_data, returned_weights, times
from mltestscore.inputs.registry import Lineage, Registry

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SOUND = Lineage("2", NOW - 10 * DAY, NOW - 400 * DAY, NOW - 11 * DAY, NOW - 9 * DAY, "d", "w")


def registry(*earlier: Lineage) -> Registry:
    return Registry("here", SOUND, (*earlier, SOUND))


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(-12, 14))
def test_days_do_not_depend_on_the_time_zone(minutes, zone):
    later = (NOW + timedelta(minutes=minutes)).astimezone(timezone(timedelta(hours=zone)))
    assert days(NOW, later) == pytest.approx(minutes / 1440)
    assert days(later, NOW) == -days(NOW, later)


def test_every_date_is_listed_by_its_key():
    lineage = replace(SOUND, published_at=None, stages={"extract": NOW}, tables={"weather": NOW})
    assert list(times(lineage)) == ["trained_at", "data_from", "data_until", "stages.extract", "tables.weather"]


def test_sound_dates_are_in_order():
    assert impossible_dates(SOUND, NOW, timedelta(0)) == []


@pytest.mark.parametrize(("skew", "odd"), [(4, 1), (5, 0), (6, 0)])
def test_the_clock_skew_is_inclusive(skew, odd):
    lineage = replace(SOUND, trained_at=NOW + timedelta(minutes=5), published_at=None)
    assert len(impossible_dates(lineage, NOW, timedelta(minutes=skew))) == odd


def test_a_partition_may_be_named_by_its_end_but_not_later():
    ends = (SOUND.trained_at + DAY, SOUND.trained_at + DAY + timedelta(seconds=1))
    assert [len(impossible_dates(replace(SOUND, data_until=end), NOW, timedelta(0))) for end in ends] == [0, 1]


def test_only_versions_trained_earlier_can_return():
    before, after = (replace(SOUND, version=str(day), trained_at=SOUND.trained_at + day * DAY) for day in (-5, 5))
    assert returned_weights(registry(before, after)) == ["-5"]


def test_an_unknown_digest_never_returns():
    unknown = replace(SOUND, weights_digest="", data_digest="")
    before = replace(unknown, version="1", trained_at=NOW - 50 * DAY, data_until=NOW - 51 * DAY)
    found = Registry("here", unknown, (before, unknown))
    assert (returned_weights(found), returned_data(found)) == ([], [])


@pytest.mark.parametrize(("data_until", "returned"), [(NOW - 51 * DAY, ["1"]), (SOUND.data_until, []), (None, [])])
def test_the_same_data_return_only_under_a_newer_date(data_until, returned):
    before = replace(SOUND, version="1", trained_at=NOW - 50 * DAY, data_until=data_until)
    assert returned_data(registry(before)) == returned
