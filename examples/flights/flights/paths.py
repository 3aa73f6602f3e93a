"""Both feature paths over the same requests and the same small, invented history: what ``data.7`` holds them to.

The history lies around the two changes of the clock of 2013. The paths run as they were committed: a switch of the
demonstration stands for what went wrong after that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from flights import spec
from flights.features_batch import features
from flights.features_online import NEW_YORK, OnlineFeatures
from flights.raw import UTC, text
from flights.store import build_store
from flights.switches import switched

ROUTES = {"BUF": 301, "LAX": 2475, "MIA": 1089}
CARRIERS, ORIGINS = ("B6", "UA", "DL"), ("JFK", "LGA")
DAYS = (("2013-03-09", "2013-03-12"), ("2013-11-02", "2013-11-05"))
EVERY = "37min"


def requests() -> pd.DataFrame:
    """Return requests as the server gets them: key, wall clock time in New York, carrier, origin and destination."""
    return departures()[[spec.KEY, "scheduled_local", *spec.CATEGORICAL]].iloc[::3].reset_index(drop=True)


def batch(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the features of requests by the training path, one row each."""
    flights = rows.assign(
        scheduled_local=rows["scheduled_local"].astype("datetime64[us]"),
        distance=rows["dest"].map(ROUTES).astype("float64"),
    )
    flights[spec.TIME] = _instants(flights["scheduled_local"])
    with switched(""):
        return features(flights, departures(), weather())[list(spec.FEATURES)]


def online(row: Mapping[str, object]) -> dict[str, object]:
    """Return the features of one request by the serving path."""
    asked = {name: str(value) for name, value in row.items()}
    asked["scheduled_local"] = pd.Timestamp(row["scheduled_local"]).isoformat()
    with switched(""):
        return _online().features(asked)


@cache
def departures() -> pd.DataFrame:
    """Return invented departures in the form of :func:`flights.raw.departures`; some late, one in nine cancelled."""
    local = pd.Series(np.concatenate([pd.date_range(*days, freq=EVERY).to_numpy() for days in DAYS]))
    number = np.arange(len(local))
    delay = pd.Series(np.where(number % 9 == 4, np.nan, (number * 7) % 50 - 10))
    flights = pd.DataFrame({"scheduled_local": local.astype("datetime64[us]"), "dep_delay": delay, "arr_delay": delay})
    flights["carrier"] = np.take(CARRIERS, number % 3)
    flights["origin"] = np.take(ORIGINS, number // 2 % 2)
    flights["dest"] = np.take(list(ROUTES), number // 3 % 3)
    flights["distance"] = flights["dest"].map(ROUTES)
    flights[spec.KEY] = flights["carrier"] + number.astype(str) + "-" + text(flights["scheduled_local"], "%F")
    flights[spec.TIME] = _instants(flights["scheduled_local"])
    return flights


@cache
def weather() -> pd.DataFrame:
    """Return invented hourly observations in the form of :func:`flights.raw.weather`, with gaps of up to five hours."""
    hours = pd.Series(np.concatenate([pd.date_range(*days, freq="h").to_numpy() for days in DAYS])).dt.tz_localize(
        "UTC"
    )
    number = np.arange(len(hours))
    table = pd.concat([pd.DataFrame({"hour": hours.astype(UTC), "origin": origin}) for origin in ORIGINS])
    for place, name in enumerate(spec.WEATHER):
        values = np.where(number % (11 + place) < 5 - place % 3, np.nan, 10.0 * place + number % 24)
        table[name] = np.concatenate([values, values + 1])
    return table.reset_index(drop=True)


@cache
def _online() -> OnlineFeatures:
    folder = tempfile.TemporaryDirectory(prefix="flights-")
    store = Path(folder.name) / "store.sqlite"
    build_store(store, departures(), weather())
    found = OnlineFeatures(store)
    found.folder = folder  # removed with the object
    return found


def _instants(local: pd.Series) -> pd.Series:
    """Return wall clock times as instants; an hour that comes twice means its first time, as in the serving path."""
    first = np.ones(len(local), dtype=bool)
    return local.dt.tz_localize(NEW_YORK, ambiguous=first, nonexistent="shift_forward").astype(UTC)
