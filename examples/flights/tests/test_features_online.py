"""The serving path: the same features by hand, looked up in a store of a few flights."""

from __future__ import annotations

import pytest
from flights import spec
from flights.features_online import RELEASED, OnlineFeatures
from flights.store import build_store

EVENING = "2013-06-04T18:30"
CALM = {"2013-06-04T22:00": 70.0}
NAMES = ("origin_delay_last_hour", "origin_delay_last_3_hours", "carrier_delay_last_3_hours")


@pytest.fixture
def of(flights_of, weather_of, store):
    """Return a function that gives the features of a request after departures."""

    def make(*history, asked=EVENING, weather=CALM, **other):
        known = flights_of(*history) if history else flights_of(("2013-01-01T12:00", {}))
        build_store(store, known, weather_of(weather))
        request = {spec.KEY: "x", "scheduled_local": asked, "carrier": "B6", "origin": "JFK", "dest": "BUF"} | other
        return OnlineFeatures(store).features(request)

    return make


@pytest.mark.parametrize(
    ("time", "minute", "weekday"),
    [(EVENING, 1110, 1), ("2013-06-05T00:00", 0, 2), ("2013-06-09T23:59", 1439, 6), ("2012-02-29T12:01", 721, 2)],
)
def test_clock_and_weekday_are_those_of_new_york(of, same, time, minute, weekday):
    found = of(asked=time)
    same((found["departure_minute"], found["weekday"]), (minute, weekday))


def test_every_feature_is_given_and_what_is_not_known_is_none(of, same):
    found = of(asked="2013-08-01T12:00", dest="XXX", carrier="ZZ")
    same(tuple(found) == spec.FEATURES, True)
    same([name for name in spec.FEATURES if found[name] is not None] == [*spec.CATEGORICAL, *spec.NUMERIC[:2]], True)


def test_the_distance_is_that_of_the_route(of, same):
    history = (("2013-01-01T12:00", {}), ("2013-01-01T13:00", {"dest": "LAX", "distance": 2475}))
    same(of(*history, dest="LAX")["distance"], 2475)


@pytest.mark.parametrize(("taken", "temp"), [("22:00", 70), ("21:00", 70), ("19:00", 70), ("18:00", None)])
def test_a_reading_counts_for_three_hours(of, same, taken, temp):
    same(of(weather={f"2013-06-04T{taken}": 70.0, "2013-06-04T23:00": 99.0})["temp"], temp)


def test_a_missing_reading_is_filled_by_the_last_one_of_its_own(of, same):
    found = of(weather={"2013-06-04T20:00": 60.0, "2013-06-04T21:00": None, "2013-06-04T22:00": None})
    same((found["temp"], found["dewp"]), (60, 1))


@pytest.mark.parametrize(
    ("left", "last_hour", "last_3_hours"),
    [
        ("17:00", 0, 0),
        ("17:59", 0, 0),
        ("18:00", None, None),
        ("16:59", None, 0),
        ("15:00", None, 0),
        ("14:59", None, None),
    ],
)
def test_only_full_hours_before_this_one_count(of, same, left, last_hour, last_3_hours):
    found = of((f"2013-06-04T{left}", {}))
    same([found[name] for name in NAMES], [last_hour, last_3_hours, last_3_hours])


def test_a_flight_counts_from_when_it_left(of, same):
    found = of(("2013-06-04T16:50", {"dep_delay": 12}))
    same(found["origin_delay_last_hour"], 12)


def test_delays_are_means_over_the_origin_and_over_the_carrier_there(of, same):
    found = of(
        ("2013-06-04T17:10", {"dep_delay": 10}),
        ("2013-06-04T17:20", {"dep_delay": 20, "carrier": "UA"}),
        ("2013-06-04T16:10", {"dep_delay": 30}),
        ("2013-06-04T17:30", {"dep_delay": 500, "origin": "LGA"}),
        ("2013-06-04T17:40", {"dep_delay": None}),  # cancelled
    )
    same([found[name] for name in NAMES], [15, 20, 20])


def test_the_day_before_counts_by_the_day_on_which_flights_left(of, same):
    found = of(
        ("2013-06-03T10:00", {"dep_delay": 15}),
        ("2013-06-03T11:00", {"dep_delay": 16}),
        ("2013-06-03T12:00", {"dep_delay": 17, "carrier": "UA"}),
        ("2013-06-03T23:50", {"dep_delay": 20}),  # left on the 4th
        ("2013-06-02T23:50", {"dep_delay": 32}),  # left on the 3rd
        ("2013-06-03T12:00", {"dep_delay": 300, "carrier": "DL", "origin": "LGA"}),
    )
    same(found["carrier_delay_prev_day"], (15 + 16 + 32) / 3)
    same(found["origin_late_rate_prev_day"], 3 / 4)


def test_a_request_in_the_hour_that_comes_twice_means_its_first_time(of, same):
    history = (("2013-11-03T00:10", {"dep_delay": 9}),)
    same(of(*history, asked="2013-11-03T01:30")["origin_delay_last_hour"], 9)


def test_a_time_that_is_none_is_refused(of):
    with pytest.raises(ValueError, match="isoformat"):
        of(asked="yesterday")


def test_one_object_serves_several_requests(flights_of, weather_of, store, same):
    build_store(store, flights_of(("2013-06-04T17:10", {"dep_delay": 10})), weather_of(CALM))
    online = OnlineFeatures(store)
    request = {spec.KEY: "x", "scheduled_local": EVENING, "carrier": "B6", "origin": "JFK", "dest": "BUF"}
    found = [online.features(request)["origin_delay_last_hour"] for _ in range(2)]
    same(found, [10, 10])


def test_the_switch_of_the_demonstration_counts_all_features(same):
    same(RELEASED, len(spec.FEATURES))
