"""The feature store: what the online path may look up, in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from flights import spec
from flights.raw import text

TABLES = f"""
PRAGMA synchronous = OFF;
CREATE TABLE weather (origin TEXT, hour INTEGER, {", ".join(f"{name} REAL" for name in spec.WEATHER)});
CREATE TABLE departures (origin TEXT, carrier TEXT, left INTEGER, day TEXT, delay REAL);
CREATE TABLE routes (origin TEXT, dest TEXT, distance INTEGER, PRIMARY KEY (origin, dest)) WITHOUT ROWID;
"""
DERIVED = f"""
CREATE UNIQUE INDEX weather_hour ON weather (origin, hour);
CREATE INDEX departures_left ON departures (origin, left);
CREATE TABLE carrier_day AS
    SELECT carrier, day, avg(delay) AS delay FROM departures GROUP BY carrier, day ORDER BY carrier, day;
CREATE TABLE origin_day AS
    SELECT origin, day, avg(delay > {spec.LATE_MINUTES}) AS late_rate FROM departures
    GROUP BY origin, day ORDER BY origin, day;
CREATE UNIQUE INDEX carrier_day_key ON carrier_day (carrier, day);
CREATE UNIQUE INDEX origin_day_key ON origin_day (origin, day);
"""
EPOCH = pd.Timestamp("1970-01-01", tz="UTC")


def build_store(path: Path, flights: pd.DataFrame, weather: pd.DataFrame) -> None:
    """Write the store: weather by hour since 1970 (UTC), departures by minute since 1970 (UTC) and local day.

    ``flights`` and ``weather`` are those of the days that requests will look back on; ``path`` must not exist.
    """
    gone = flights[flights["dep_delay"].notna()]
    delay = pd.to_timedelta(gone["dep_delay"], unit="min")
    left = (gone[spec.TIME] + delay - EPOCH) // pd.Timedelta(minutes=1)
    day = text(gone["scheduled_local"] + delay, "%F")
    hour = (weather["hour"] - EPOCH) // pd.Timedelta(hours=1)
    routes = flights[["origin", "dest", "distance"]].drop_duplicates(["origin", "dest"]).sort_values(["origin", "dest"])
    readings = weather[list(spec.WEATHER)].astype(object).where(weather[list(spec.WEATHER)].notna(), None)
    connection = sqlite3.connect(path)
    try:
        connection.executescript(TABLES)
        _insert(connection, "weather", weather["origin"], hour, *(readings[name] for name in spec.WEATHER))
        _insert(connection, "departures", gone["origin"], gone["carrier"], left, day, gone["dep_delay"])
        _insert(connection, "routes", *(routes[name] for name in routes))
        connection.executescript(DERIVED)
        connection.commit()
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, table: str, *columns: Iterable[object]) -> None:
    rows = zip(*(list(column) for column in columns), strict=True)
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
