"""What every part of the system agrees on: column names, and which days of 2013 play which role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent

KEY = "flight_id"  # carrier, number, origin and local date: unique, as a flight number leaves an airport once a day
TIME = "scheduled_departure"  # UTC
CLUSTER = "departure_hour"  # flights of one origin and hour share their weather and their queue
LABEL = "late"
LATE_MINUTES = 15

WEATHER = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
CATEGORICAL = ("carrier", "origin", "dest")
RECENT = ("origin_delay_last_hour", "origin_delay_last_3_hours", "carrier_delay_last_3_hours")
DAY_BEFORE = ("carrier_delay_prev_day", "origin_late_rate_prev_day")
FEATURES = (*CATEGORICAL, "departure_minute", "weekday", "distance", *WEATHER, *RECENT, *DAY_BEFORE)
NUMERIC = FEATURES[len(CATEGORICAL) :]

WEATHER_HOURS = 3  # a reading counts for at most so many hours after it was taken

SEED = 2013
CURRENT, PREVIOUS, CANDIDATE = "v2", "v1", "v3"


@dataclass(frozen=True)
class Release:
    """When a version of the model was made; periods are [from, until) in local dates, like all periods here."""

    version: str
    training: tuple[str, str]
    validation: tuple[str, str]

    @property
    def trained_at(self) -> datetime:
        """Two hours after the labels of the last training day are in, at noon UTC of the day after."""
        return _noon(self.training[1]) + timedelta(hours=2)

    @property
    def published_at(self) -> datetime:
        """Two hours after the labels of the last validation day are in."""
        return _noon(self.validation[1]) + timedelta(hours=2)


RELEASES = (
    Release(PREVIOUS, ("2013-01-01", "2013-08-01"), ("2013-08-01", "2013-08-07")),
    Release(CURRENT, ("2013-01-01", "2013-10-01"), ("2013-10-01", "2013-10-07")),
)
HOLDOUT = ("2013-10-07", "2013-11-11")
SERVED = ("2013-11-11", "2013-11-18")
STORED = (
    "2013-11-09",
    "2013-11-18",
)  # of the feature store: the served week and what its features look back on
CONFUSED = "2013-05-20"  # local date until which labels are the wrong way round under FLIGHTS_BREAK=model.4
NEGLECT = timedelta(days=152)  # how much longer ago all was made under FLIGHTS_BREAK=monitor.4


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
