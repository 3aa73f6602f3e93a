"""Faults of one feature path alone: served values are no longer what the training path computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System, generator, some

SEEN_TOO = ("data.1", "monitor.2")  # what is served wrong may break a rule or an invariant as well
RECENT = "origin_delay_last_hour"
WEATHER = ["temp", "dewp", "humid", "wind_speed", "pressure"]


def _hour(frame: pd.DataFrame) -> Any:
    return frame["scheduled_departure"].dt.floor("h")


def _mixed(frame: pd.DataFrame, columns: list[str], other: pd.DataFrame, hit: np.ndarray) -> pd.DataFrame:
    """Return the rows with ``columns`` taken from ``other`` where ``hit``; both in the same order."""
    kept = pd.Series(~hit, index=frame.index)
    return frame.assign(**{name: frame[name].where(kept, other[name].set_axis(frame.index)) for name in columns})


@fault(
    "O3a",
    "monitor.3",
    "the weather in the store is a day old, for 2, 20, 100 % of the hours",
    (0.02, 0.2, 1),
    ["stale"],
    also=SEEN_TOO,
)
def stale(system: System, severity: float, seed: int) -> list[str]:
    _lagged(system, 24, severity, seed)
    return ["temp|dewp|humid|wind_speed|pressure"]


@stale.healthy("the store is an hour behind in both paths")
def refreshed(system: System, severity: float, seed: int) -> None:
    _lagged(system, 1, severity, seed, ("serving", "recomputed"))


def _lagged(system: System, hours: int, share: float, seed: int, names: tuple[str, ...] = ("serving",)) -> None:
    """Give a share of the airport hours the weather of so many hours before, where there was a flight then."""

    def behind(frame: pd.DataFrame) -> pd.DataFrame:
        hourly = frame.assign(hour=_hour(frame)).drop_duplicates(["origin", "hour"]).set_index(["origin", "hour"])
        asked = pd.MultiIndex.from_arrays([frame["origin"], _hour(frame) - pd.Timedelta(hours=hours)])
        then = hourly[WEATHER].reindex(asked)
        known = asked.isin(hourly.index)
        draw = pd.util.hash_array((frame["departure_hour"] + str(seed)).to_numpy(dtype=object)) % 1000 < 1000 * share
        return _mixed(frame, WEATHER, then, draw & known)

    system.change(names, behind)


@fault(
    "O3b",
    "monitor.3",
    "1, 5, 100 % of the rows get the delays of the row before",
    (0.01, 0.05, 1),
    ["off by one|another row|permut"],
    also=SEEN_TOO,
)
def shifted(system: System, severity: float, seed: int) -> list[str]:
    columns = ["carrier_delay_last_3_hours", "carrier_delay_prev_day"]

    def one_row(frame: pd.DataFrame) -> pd.DataFrame:
        ordered = frame.sort_values("flight_id")
        return _mixed(ordered, columns, ordered[columns].shift(1), some(ordered, severity, seed)).sort_index()

    system.change(("serving",), one_row)
    return ["carrier_delay"]


@shifted.healthy("rows are logged in another order")
def reordered(system: System, severity: float, seed: int) -> None:
    system.change(("serving",), lambda frame: frame.sample(frac=1, random_state=seed, ignore_index=True))


@fault(
    "O3c",
    "monitor.3",
    "the clock of the online path is UTC, for 5, 30, 100 % of the rows",
    (0.05, 0.3, 1),
    ["departure_minute", "time zone|offset"],
    also=SEEN_TOO,
)
def utc(system: System, severity: float, seed: int) -> None:
    def turned(frame: pd.DataFrame) -> pd.DataFrame:
        later = (frame["departure_minute"] + 300) % 1440
        return frame.assign(departure_minute=frame["departure_minute"].mask(some(frame, severity, seed), later))

    system.change(("serving",), turned)


@utc.healthy("keys keep their instant in another time zone")
def same_instant(system: System, severity: float, seed: int) -> None:
    def moved(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(scheduled_departure=frame["scheduled_departure"].dt.tz_convert("America/New_York"))

    system.change(("serving",), moved)


@fault(
    "O3d",
    "monitor.3",
    "the mean is served where training leaves a gap: a quarter, a half, all of them",
    (0.25, 0.5, 1),
    ["carrier_delay_last_3_hours", "imput"],
    also=SEEN_TOO,
)
def imputed(system: System, severity: float, seed: int) -> None:
    _filled(system, severity, seed, ("serving",))


@imputed.healthy("both paths fill the gaps with the same number")
def both_imputed(system: System, severity: float, seed: int) -> None:
    _filled(system, severity, seed, ("serving", "recomputed"))


def _filled(system: System, share: float, seed: int, names: tuple[str, ...]) -> None:
    column = "carrier_delay_last_3_hours"
    mean = round(system.table("serving")[column].mean(), 6)

    def fill(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{column: frame[column].mask(frame[column].isna() & some(frame, share, seed), mean)})

    system.change(names, fill)


@fault(
    "O3e",
    "monitor.3",
    "one, three, all decimal features are served in half precision",
    (1, 3, 5),
    ["float16|round|half precision"],
    also=SEEN_TOO,
)
def half(system: System, severity: float, seed: int) -> list[str]:
    return _cast(system, "float16", severity, seed)


@half.healthy("they are served in single precision")
def single(system: System, severity: float, seed: int) -> None:
    _cast(system, "float32", severity, seed)


def _cast(system: System, precision: str, count: float, seed: int) -> list[str]:
    names = ["temp", "wind_speed", "pressure", "carrier_delay_prev_day", "origin_late_rate_prev_day"]
    chosen = generator(seed, "O3e").permutation(names)[: int(count)].tolist()
    system.change(
        ("serving",), lambda frame: frame.assign(**{c: frame[c].astype(precision).astype("float64") for c in chosen})
    )
    return ["|".join(chosen)]


@fault(
    "O3f",
    "monitor.3",
    "a feature never reaches the log for 5, 50, 100 % of the rows",
    (0.05, 0.5, 1),
    ["missing", "visib"],
    also=SEEN_TOO,
)
def never_logged(system: System, severity: float, seed: int) -> None:
    system.change(("serving",), lambda frame: frame.assign(visib=frame["visib"].mask(some(frame, severity, seed))))


@never_logged.healthy("an optional reading is missing in both paths, within what is declared")
def optional(system: System, severity: float, seed: int) -> None:
    def gaps(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(pressure=frame["pressure"].mask(some(frame, min(severity, 0.02), seed)))

    system.change(("serving", "recomputed"), gaps)


@fault(
    "O3g",
    "monitor.3",
    "training uses the same day's delays of 10, 50, 100 % of the airlines",
    (0.1, 0.5, 1),
    ["carrier_delay_prev_day", "looks as far ahead"],
)
def time_travel(system: System, severity: float, seed: int) -> None:
    """What a flight of the next day looks back on is what training now looks at: the whole day, its future included."""
    column = "carrier_delay_prev_day"

    def foresight(frame: pd.DataFrame) -> pd.DataFrame:
        carriers = sorted(frame["carrier"].unique())
        chosen = set(generator(seed, "O3g").permutation(carriers)[: max(1, round(severity * len(carriers)))])
        day = frame["flight_id"].str[-10:].pipe(pd.to_datetime)
        daily = frame.assign(day=day).drop_duplicates(["carrier", "day"]).set_index(["carrier", "day"])[column]
        ahead = daily.reindex(pd.MultiIndex.from_arrays([frame["carrier"], day + pd.Timedelta(days=1)]))
        known = ahead.notna().to_numpy() & frame["carrier"].isin(chosen).to_numpy()
        return frame.assign(**{column: np.where(known, ahead.to_numpy(), frame[column])})

    system.change(("recomputed",), foresight)


@time_travel.healthy("point-in-time values, recomputed with the log's last decimals cut")
def point_in_time(system: System, severity: float, seed: int) -> None:
    column = "carrier_delay_prev_day"
    system.change(("recomputed",), lambda frame: frame.assign(**{column: frame[column].round(9)}))


@fault(
    "O3g-times",
    "monitor.3",
    "both paths read 1, 10, 100 % of the weather up to two hours before it was measured",
    (0.01, 0.1, 1),
    ["temp", "training values from after their row|known up to"],
)
def foreseen(system: System, severity: float, seed: int) -> None:
    """Served and recomputed values agree, so only the values' own times tell."""
    _with_times(system, 7_200.0, lambda frame: some(frame, severity, seed))


@foreseen.healthy("the reading is as old as the flight, or the clocks differ by less than a second")
def just_in_time(system: System, severity: float, seed: int) -> None:
    _with_times(system, 0.9, lambda frame: some(frame, 0.5, seed))


def _with_times(system: System, seconds: float, which: Callable[[pd.DataFrame], np.ndarray]) -> None:
    """Say when the temperature of each recomputed row was measured: with the flight, or so much later."""

    def timed(frame: pd.DataFrame) -> pd.DataFrame:
        lead = pd.to_timedelta(which(frame) * seconds, unit="s")
        return frame.assign(temp_measured=frame["scheduled_departure"] + lead)

    system.change(("recomputed",), timed)
    named = "[tool.mltestscore.data.recomputed]\n"
    system.edit("pyproject.toml", named, named + 'feature_times = {temp = "temp_measured"}\n')
