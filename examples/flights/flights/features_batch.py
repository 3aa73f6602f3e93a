"""The training path: features of many flights at once, from history, with pandas.

Everything is known before the flight's scheduled hour begins or at its start: the weather reading of that hour (or
the last one before it), what left in the hours before, what left the day before.
"""

from __future__ import annotations

import pandas as pd

from flights import spec
from flights.raw import text


def features(flights: pd.DataFrame, history: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Return one row a flight: key, time, cluster and the columns of ``spec.FEATURES``, in the order of ``flights``.

    Args:
        flights: the flights to describe, as :func:`flights.raw.departures` gives them.
        history: departures that reach back at least one day before the first of ``flights``.
        weather: hourly observations, as :func:`flights.raw.weather` gives them.
    """
    hour = flights[spec.TIME].dt.floor("h")
    day = flights["scheduled_local"].dt.normalize()
    table = flights[[spec.KEY, spec.TIME, *spec.CATEGORICAL, "distance"]].assign(
        departure_hour=flights["origin"] + " " + text(hour, "%Y-%m-%dT%H"),
        departure_minute=flights["scheduled_local"].dt.hour * 60 + flights["scheduled_local"].dt.minute,
        weekday=flights["scheduled_local"].dt.weekday,
        hour=hour,
        day_before=day - pd.Timedelta(days=1),
    )
    gone = _gone(history)
    table = table.merge(_hourly(weather), how="left", on=["origin", "hour"])
    table = table.merge(_recent(gone, ["origin"], 1, "origin_delay_last_hour"), how="left", on=["origin", "hour"])
    table = table.merge(_recent(gone, ["origin"], 3, "origin_delay_last_3_hours"), how="left", on=["origin", "hour"])
    carrier_here = ["origin", "carrier"]
    recent = _recent(gone, carrier_here, 3, "carrier_delay_last_3_hours")
    table = table.merge(recent, how="left", on=[*carrier_here, "hour"])
    table = table.merge(_delay_by_carrier(gone), how="left", on=["carrier", "day_before"])
    table = table.merge(_late_rate_by_origin(gone), how="left", on=["origin", "day_before"])
    columns = [spec.KEY, spec.TIME, spec.CLUSTER, *spec.FEATURES]
    return table[columns].astype(dict.fromkeys(spec.NUMERIC, "float64"))


def labels(flights: pd.DataFrame) -> pd.DataFrame:
    """Return key, time, label and ``known_at`` of the flights that arrived; labels come at noon UTC of the next day."""
    arrived = flights[flights["arr_delay"].notna()]
    return arrived[[spec.KEY, spec.TIME]].assign(
        late=(arrived["arr_delay"] > spec.LATE_MINUTES).astype("int64"),
        known_at=arrived[spec.TIME].dt.normalize() + pd.Timedelta(days=1, hours=12),
    )


def _gone(history: pd.DataFrame) -> pd.DataFrame:
    left = history[history["dep_delay"].notna()]
    delay = pd.to_timedelta(left["dep_delay"], unit="min")
    return left[["carrier", "origin", "dep_delay"]].assign(
        hour=(left[spec.TIME] + delay).dt.floor("h"),
        day_before=(left["scheduled_local"] + delay).dt.normalize(),
    )


def _hourly(weather: pd.DataFrame) -> pd.DataFrame:
    until = weather["hour"].max() + pd.Timedelta(hours=spec.WEATHER_HOURS)
    hours = pd.date_range(weather["hour"].min(), until, freq="h", unit="us")
    grid = pd.MultiIndex.from_product([sorted(weather["origin"].unique()), hours], names=["origin", "hour"])
    complete = weather.set_index(["origin", "hour"]).reindex(grid)
    return complete.groupby(level="origin").ffill(limit=spec.WEATHER_HOURS).reset_index()


def _recent(gone: pd.DataFrame, by: list[str], hours: int, name: str) -> pd.DataFrame:
    """Return the mean delay of what left in the ``hours`` full hours before each hour."""
    ahead = [gone.assign(hour=gone["hour"] + pd.Timedelta(hours=shift)) for shift in range(1, hours + 1)]
    return pd.concat(ahead).groupby([*by, "hour"])["dep_delay"].mean().rename(name).reset_index()


def _delay_by_carrier(gone: pd.DataFrame) -> pd.DataFrame:
    delay = gone.groupby(["carrier", "day_before"])["dep_delay"].mean()
    return delay.rename("carrier_delay_prev_day").reset_index()


def _late_rate_by_origin(gone: pd.DataFrame) -> pd.DataFrame:
    late = gone.assign(late=gone["dep_delay"] > spec.LATE_MINUTES).groupby(["origin", "day_before"])["late"].mean()
    return late.rename("origin_late_rate_prev_day").reset_index()
