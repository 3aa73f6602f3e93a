"""Faults upstream of both feature paths: what was served and what is recomputed are wrong alike."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import PATHS, TABLES, System, generator, some

DECLARED = ("data.1",)


@fault(
    "O2a",
    "monitor.2",
    "a feed leaves out readings of LaGuardia: 3, 10, 30 % of them",
    (0.03, 0.1, 0.3),
    ["null|missing"],
    also=DECLARED,
)
def missing(system: System, severity: float, seed: int) -> list[str]:
    column = str(generator(seed, "O2a").choice(["temp", "humid", "wind_speed", "visib"]))

    def nulled(frame: pd.DataFrame) -> pd.DataFrame:
        hit = (frame["origin"] == "LGA") & some(frame, severity, seed)
        return frame.assign(**{column: frame[column].mask(hit)})

    system.change(PATHS, nulled)
    return [column]


@missing.healthy("2.5 % more gaps in a feature that always had gaps")
def quiet_hours(system: System, severity: float, seed: int) -> None:
    column = "carrier_delay_last_3_hours"
    system.change(PATHS, lambda frame: frame.assign(**{column: frame[column].mask(some(frame, 0.025, seed))}))


@fault(
    "O2b",
    "monitor.2",
    "a failed call gives -1 minutes, which is a likely delay, in 2, 5, 10 % of the rows",
    (0.02, 0.05, 0.1),
    ["origin_delay_last_hour", "-1"],
    reach="H",
    below="-1 is a usual delay, and for weather to move its share by 5 % would be no wonder; the join by key sees it",
)
def minus_one(system: System, severity: float, seed: int) -> None:
    column = "origin_delay_last_hour"
    system.change(PATHS, lambda frame: frame.assign(**{column: frame[column].mask(some(frame, severity, seed), -1.0)}))


@minus_one.healthy("as many flights a minute early, each with decimals of its own")
def early(system: System, severity: float, seed: int) -> None:
    column = "origin_delay_last_hour"

    def hastened(frame: pd.DataFrame) -> pd.DataFrame:
        near = -1 + frame[column].fillna(0) / 1000
        return frame.assign(**{column: frame[column].mask(some(frame, severity, seed), near)})

    system.change(PATHS, hastened)


@fault(
    "O2c", "monitor.2", "1, 5, 100 % of the pressures come in kilopascal", (0.01, 0.05, 1), ["pressure"], also=DECLARED
)
def kilopascal(system: System, severity: float, seed: int) -> None:
    def converted(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(pressure=frame["pressure"].mask(some(frame, severity, seed), frame["pressure"] / 10))

    system.change(PATHS, converted)


@kilopascal.healthy("a storm: the strongest winds that were ever declared possible, for one morning in Newark")
def storm(system: System, severity: float, seed: int) -> None:
    def blown(frame: pd.DataFrame) -> pd.DataFrame:
        hours = (frame["origin"] == "EWR") & (frame["weekday"] == 2) & frame["departure_minute"].between(480, 599)
        return frame.assign(wind_speed=frame["wind_speed"].mask(hours, 41.4 + frame["distance"] % 7))

    system.change(PATHS, blown)


@fault(
    "O2d",
    "monitor.2",
    "carriers in lower case, with a blank, or as UTF-8 read twice: 1, 10, 100 %",
    (0.01, 0.1, 1),
    ["carrier"],
    also=DECLARED,
)
def recoded(system: System, severity: float, seed: int) -> None:
    form = [str.lower, lambda text: text + " ", lambda text: text + "\u00a0"][seed % 3]

    def written(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(carrier=frame["carrier"].mask(some(frame, severity, seed), frame["carrier"].map(form)))

    system.change(PATHS, written)


@recoded.healthy("one new airline with 0.3 % of the flights, announced in the schema")
def new_airline(system: System, severity: float, seed: int) -> None:
    system.rules(lambda rules: [_with(rule, "carrier", "VV") for rule in rules])
    system.change(PATHS, lambda frame: frame.assign(carrier=frame["carrier"].mask(some(frame, 0.003, seed), "VV")))


def _with(rule: dict[str, Any], column: str, value: str) -> dict[str, Any]:
    kwargs = rule["kwargs"]
    if kwargs.get("column") != column or "value_set" not in kwargs:
        return rule
    return rule | {"kwargs": kwargs | {"value_set": [*kwargs["value_set"], value]}}


@fault(
    "O2e",
    "monitor.2",
    "5, 30, 100 % of yesterday's batch is served again",
    (0.05, 0.3, 1),
    ["flight_id|key|twice"],
    also=(*DECLARED, "monitor.3"),
)
def replayed(system: System, severity: float, seed: int) -> None:
    def twice(frame: pd.DataFrame) -> pd.DataFrame:
        again = frame[(frame["weekday"] == 5) & some(frame, severity, seed)]
        return pd.concat([frame, again], ignore_index=True)

    system.change(("serving",), twice)


@replayed.healthy("the same flights on the same schedule the week after")
def scheduled(system: System, severity: float, seed: int) -> None:
    def next_week(frame: pd.DataFrame) -> pd.DataFrame:
        again = frame[(frame["weekday"] == 5) & some(frame, severity, seed)]
        day = again["flight_id"].str.replace("2013-11-16", "2013-11-23")
        later = again.assign(flight_id=day, scheduled_departure=again["scheduled_departure"] + pd.Timedelta(days=7))
        hour = later["origin"] + " " + later["scheduled_departure"].dt.strftime("%Y-%m-%dT%H")
        return pd.concat([frame, later.assign(departure_hour=hour)], ignore_index=True)

    system.change(PATHS, next_week)


@fault(
    "O2f",
    "monitor.2",
    "delays cut to whole minutes in 10, 50, 100 % of the rows",
    (0.1, 0.5, 1),
    ["whole|0 holds", "carrier_delay_prev_day"],
    reach="M",
    below="means of few flights are whole by nature, so only the pile at zero shows; the join by key sees it",
)
def whole_minutes(system: System, severity: float, seed: int) -> None:
    column = "carrier_delay_prev_day"

    def cut(frame: pd.DataFrame) -> pd.DataFrame:
        whole = (frame[column] // 1).where(frame[column] >= 0, -(-frame[column] // 1))
        return frame.assign(**{column: frame[column].mask(some(frame, severity, seed), whole)})

    system.change(PATHS, cut)


@whole_minutes.healthy("single precision")
def single(system: System, severity: float, seed: int) -> None:
    column = "carrier_delay_prev_day"
    system.change(PATHS, lambda frame: frame.assign(**{column: frame[column].astype("float32").astype("float64")}))


@fault(
    "O2f-clip",
    "monitor.2",
    "delays clipped where 1, 5, 10 % of them lie beyond",
    (0.01, 0.05, 0.1),
    ["origin_delay_last_3_hours"],
    reach="H",
    below="few hours hold these rows, and values of a past hour have been as frequent; the join by key sees it",
)
def clipped(system: System, severity: float, seed: int) -> None:
    column = "origin_delay_last_3_hours"

    def cut(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{column: frame[column].clip(upper=float(frame[column].quantile(1 - severity)))})

    system.change(PATHS, cut)


@clipped.healthy("the same clipping in training and serving, as documented")
def documented(system: System, severity: float, seed: int) -> None:
    column = "origin_delay_last_3_hours"
    most = float(system.table("serving")[column].quantile(1 - severity))
    system.change(TABLES, lambda frame: frame.assign(**{column: frame[column].clip(upper=most)}))
