"""The training path: each feature by hand on a few flights. 18:30 in New York in June is 22:30 UTC."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from flights import spec
from flights.features_batch import features, labels

EVENING = "2013-06-04T18:30"  # a Tuesday
CALM = {"2013-06-04T22:00": 70.0}
GAP = math.nan


@pytest.fixture
def of(flights_of, weather_of):
    """Return a function that gives the features of a flight after other departures."""

    def make(*history, asked=(EVENING, {}), weather=CALM):
        known = flights_of(*history) if history else flights_of(("2013-01-01T12:00", {}))
        return features(flights_of(asked), known, weather_of(weather)).iloc[0].to_dict()

    return make


@pytest.mark.parametrize(
    ("time", "minute", "weekday"),
    [(EVENING, 1110, 1), ("2013-06-05T00:00", 0, 2), ("2013-06-09T23:59", 1439, 6), ("2012-02-29T12:01", 721, 2)],
)
def test_clock_and_weekday_are_those_of_new_york(of, same, time, minute, weekday):
    found = of(asked=(time, {}))
    same((found["departure_minute"], found["weekday"]), (minute, weekday))


def test_the_cluster_is_origin_and_hour_in_utc(of, same):
    same(of()["departure_hour"] == "JFK 2013-06-04T22", True)


def test_what_the_flight_itself_says_is_kept(of, same):
    found = of(asked=(EVENING, {"carrier": "UA", "dest": "LAX", "distance": 2475}))
    same([found[name] for name in ("distance",)], [2475])
    same([found[name] for name in spec.CATEGORICAL] == ["UA", "JFK", "LAX"], True)


@pytest.mark.parametrize(("taken", "temp"), [("22:00", 70), ("21:00", 70), ("19:00", 70), ("18:00", GAP)])
def test_a_reading_counts_for_three_hours(of, same, taken, temp):
    weather = {f"2013-06-04T{taken}": 70.0, "2013-06-04T23:00": 99.0}
    same(of(weather=weather)["temp"], temp)


def test_the_last_reading_of_all_counts_for_three_hours_too(of, same):
    same([of(weather={f"2013-06-04T{taken}": 70.0})["temp"] for taken in ("19:00", "18:00")], [70, GAP])


def test_a_missing_reading_is_filled_by_the_last_one_of_its_own(of, same):
    found = of(weather={"2013-06-04T20:00": 60.0, "2013-06-04T21:00": None, "2013-06-04T22:00": None})
    same((found["temp"], found["dewp"]), (60, 1))


@pytest.mark.parametrize(
    ("left", "last_hour", "last_3_hours"),
    [("17:00", 8, 8), ("17:51", 8, 8), ("18:00", GAP, GAP), ("16:51", GAP, 8), ("15:00", GAP, 8), ("14:51", GAP, GAP)],
)
def test_only_full_hours_before_this_one_count(of, same, left, last_hour, last_3_hours):
    scheduled = pd.Timestamp(f"2013-06-04T{left}") - pd.Timedelta(minutes=8)  # what counts is when it left
    found = of((scheduled, {"dep_delay": 8}))
    names = ("origin_delay_last_hour", "origin_delay_last_3_hours", "carrier_delay_last_3_hours")
    same([found[name] for name in names], [last_hour, last_3_hours, last_3_hours])


def test_delays_are_means_over_the_origin_and_over_the_carrier_there(of, same):
    found = of(
        ("2013-06-04T17:10", {"dep_delay": 10}),
        ("2013-06-04T17:20", {"dep_delay": 20, "carrier": "UA"}),
        ("2013-06-04T16:10", {"dep_delay": 30}),
        ("2013-06-04T17:30", {"dep_delay": 500, "origin": "LGA"}),
        ("2013-06-04T17:40", {"dep_delay": None}),  # cancelled
    )
    same(found["origin_delay_last_hour"], 15)
    same(found["origin_delay_last_3_hours"], 20)
    same(found["carrier_delay_last_3_hours"], 20)


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
    same(found["origin_late_rate_prev_day"], 3 / 4)  # late is more than 15 minutes


def test_rows_and_columns_are_as_agreed(flights_of, weather_of, same):
    asked = flights_of(("2013-06-04T20:00", {}), (EVENING, {"carrier": "UA"}), ("2013-06-04T19:00", {}))
    found = features(asked, flights_of(("2013-01-01T12:00", {})), weather_of(CALM))
    same(list(found.columns) == [spec.KEY, spec.TIME, spec.CLUSTER, *spec.FEATURES], True)
    same(found[spec.KEY].tolist() == asked[spec.KEY].tolist(), True)
    same(set(found[list(spec.NUMERIC)].dtypes.astype(str)) == {"float64"}, True)


def test_labels_are_late_from_sixteen_minutes_on_and_known_at_noon_of_the_next_day(flights_of, same):
    flights = flights_of((EVENING, {"arr_delay": 15}), (EVENING, {"arr_delay": 16}), (EVENING, {"arr_delay": None}))
    found = labels(flights)
    same(found["late"].tolist(), [0, 1])
    same(found["known_at"].tolist() == [pd.Timestamp("2013-06-05T12:00", tz="UTC")] * 2, True)
    same(found[spec.KEY].tolist() == ["flight 0", "flight 1"], True)
