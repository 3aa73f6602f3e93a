"""Healthy systems whose tables are small, seasonal, clustered, odd in form, or of another week."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.proving.cases import control, left_out
from tests.proving.faults.monitor_4 import aged
from tests.proving.system import PATHS, TABLES, System, generator, some

DATA = ("data.1", "monitor.2", "monitor.3")
LEARNED = ("data.2", "data.3", "model.5", "monitor.5")
SEARCHED = "data.5"
JUDGED = ("model.6", "model.7")
LABELLED = (*JUDGED, "monitor.7")


def _few(rows: int) -> None:
    @control(
        f"{rows} rows",
        "1",
        f"{rows} rows in every table",
        *DATA,
        *LEARNED,
        SEARCHED,
        "infra.1",
        at_length=("data.4", "model.4", *LABELLED),
    )
    def change(system: System, seed: int) -> None:
        keys = system.table("serving")["flight_id"].sample(rows, random_state=seed)
        system.change(PATHS, lambda frame: frame[frame["flight_id"].isin(keys)])
        system.change(("training", "holdout"), lambda frame: frame.sample(rows, random_state=seed))


for _rows in (30, 100, 300):
    _few(_rows)


AGAIN = "from flights import spec; from flights.parts import Parts; made = Parts(spec.HOME / 'build'); "
AGAIN += "made.served(); made.outcomes()"


def _another_week(id: str, number: str, what: str, first: str, stored: str, end: str) -> None:
    @control(id, number, what, *DATA, "monitor.4", "monitor.5", at_length=("data.5", "infra.5", "monitor.7"))
    def change(system: System, seed: int) -> None:
        system.edit("flights/spec.py", 'SERVED = ("2013-11-11", "2013-11-18")', f'SERVED = ("{first}", "{end}")')
        system.edit("flights/spec.py", '"2013-11-09",\n    "2013-11-18",', f'"{stored}",\n    "{end}",')
        system.script(AGAIN)
        system.edit("pyproject.toml", "2013-11-18T13:00:00Z", f"{end}T13:00:00Z")
        system.option("monitor.4", "max_age_days", 120)
        system.option("monitor.7", "max_unlabelled", 0.15)  # snow: one flight in thirteen was cancelled


_another_week("next month", "3", "the week from 9 December, same model", "2013-12-09", "2013-12-07", "2013-12-16")
_another_week("daylight saving", "18", "the week in which the clocks change", "2013-10-30", "2013-10-28", "2013-11-06")


left_out(
    "healthy control 4, a census year on year",
    "the example has one year and no people in it; another month (control 3) is the later period that it has",
)


@control("weekend", "5", "only Saturday and Sunday were served", *DATA, at_length=("monitor.5", "monitor.7", "infra.5"))
def weekend(system: System, seed: int) -> None:
    system.change(PATHS, lambda frame: frame[frame["weekday"] >= 5])


@control(
    "clusters",
    "6",
    "all flights of forty airport hours, and no other",
    *DATA,
    at_length=("monitor.5", "monitor.7", "infra.5"),
)
def clusters(system: System, seed: int) -> None:
    hours = sorted(system.table("serving")["departure_hour"].unique())
    chosen = generator(seed, "clusters").choice(hours, 40, replace=False)
    system.change(PATHS, lambda frame: frame[frame["departure_hour"].isin(chosen)])


def _with_columns(system: System, make: Any) -> None:
    """Add columns that no model reads; ``make`` gets a table and whether it is of the served week."""
    for name in TABLES:
        system.change((name,), lambda frame, name=name: frame.assign(**make(frame, name in PATHS)))  # type: ignore[misc]


@control("names", "7", "identifiers, times, counters and free text beside the features", *DATA, SEARCHED, "monitor.5")
def names(system: System, seed: int) -> None:
    def make(frame: pd.DataFrame, served: bool) -> dict[str, Any]:
        number = pd.Series(np.arange(len(frame)) + (10**7 if served else 0), index=frame.index)
        return {
            "request_id": frame["flight_id"].map(lambda key: f"{hash(key) & 0xFFFFFFFF:08x}-{key[::-1]}"),
            "counter": number,
            "logged_at": frame["scheduled_departure"] + pd.Timedelta(minutes=3),
            "remark": frame["carrier"] + " from " + frame["origin"] + ", number " + number.astype(str),
        }

    _with_columns(system, make)


@control("flat columns", "8", "constant, empty and one-category columns everywhere", *DATA, SEARCHED, "monitor.5")
def flat(system: System, seed: int) -> None:
    _with_columns(system, lambda frame, _: {"one": 1.0, "nothing": np.nan, "country": "US"})


@control(
    "ties and tails",
    "9, 10",
    "counts with 90 % zeros, ratings, a Pareto tail with one genuine outlier",
    *DATA,
    SEARCHED,
)
def tails(system: System, seed: int) -> None:
    def make(frame: pd.DataFrame, served: bool) -> dict[str, Any]:
        rng = generator(seed, "served" if served else "training")  # both paths draw alike: same rows, same order
        ordered = frame.sort_values("flight_id").index
        tail = rng.pareto(1.5, len(frame)) * 100
        if served:
            tail[len(frame) // 2] = 10 * tail.max()
        drawn = {
            "bags": np.where(rng.random(len(frame)) < 0.9, 0.0, rng.poisson(3, len(frame))),
            "rating": rng.integers(1, 6, len(frame)).astype(float),
            "fare": tail,
        }
        return {name: pd.Series(values, index=ordered) for name, values in drawn.items()}

    _with_columns(system, make)


@control("twin", "22", "a feature and its exact twin in another unit", *DATA)
def twin(system: System, seed: int) -> None:
    _with_columns(system, lambda frame, _: {"celsius": (frame["temp"] - 32) / 1.8})


FOLLOWED = ("monitor.7", "infra.5")


def _typed(id: str, what: str, change: Any, *items: str) -> None:
    asked = items or DATA
    rest = tuple(item for item in (*DATA, "monitor.5", *FOLLOWED) if item not in asked)

    @control(id, "11", what, *asked, at_length=rest)
    def typed(system: System, seed: int) -> None:
        system.write("serving", change(system.table("serving")))


def _float32(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(frame.select_dtypes("float64").columns, "float32"))


def _none(frame: pd.DataFrame) -> pd.DataFrame:
    column = "carrier_delay_prev_day"
    return frame.assign(**{column: frame[column].astype(object).where(frame[column].notna(), None)})


_typed("float32", "features are logged as 32-bit numbers", _float32)
_typed(
    "integers",
    "whole numbers are logged as integers",
    lambda frame: frame.astype({"weekday": "int64", "departure_minute": "int32", "distance": "int64"}),
    "monitor.3",
    "monitor.5",
)
_typed(
    "categories",
    "texts are logged as a categorical type",
    lambda frame: frame.astype({"carrier": "category", "origin": "category"}),
)
_typed("None", "gaps are logged as None, not as NaN", _none)


@control("CSV", "11", "the log makes a round trip through CSV", *DATA, SEARCHED, "monitor.5", at_length=FOLLOWED)
def csv(system: System, seed: int) -> None:
    system.table("serving").to_csv(system.home / "build" / "serving.csv", index=False)
    system.edit("pyproject.toml", "/serving.parquet", "/serving.csv")


@control(
    "order",
    "12",
    "columns and rows of every table in another order",
    *DATA,
    *LEARNED,
    SEARCHED,
    "infra.1",
    at_length=("data.4", "model.4", "infra.5", *LABELLED),
)
def order(system: System, seed: int) -> None:
    for name in TABLES:
        frame = system.table(name)
        columns = generator(seed, name).permutation(frame.columns)
        system.write(name, frame[columns].sample(frac=1, random_state=seed))


@control(
    "new destination",
    "13",
    "a new destination with 0.3 % of the flights, announced in the schema",
    *DATA,
    "monitor.5",
    at_length=FOLLOWED,
)
def destination(system: System, seed: int) -> None:
    def announced(rule: dict[str, Any]) -> dict[str, Any]:
        kwargs = rule["kwargs"]
        if kwargs.get("column") != "dest" or "value_set" not in kwargs:
            return rule
        return rule | {"kwargs": kwargs | {"value_set": [*kwargs["value_set"], "XWA"]}}

    system.rules(lambda rules: [announced(rule) for rule in rules])
    system.change(PATHS, lambda frame: frame.assign(dest=frame["dest"].mask(some(frame, 0.003, seed), "XWA")))


@control(
    "asked twice",
    "14",
    "a tenth of the flights is asked for again, under a key of its own",
    *DATA,
    SEARCHED,
    "monitor.5",
)
def asked_twice(system: System, seed: int) -> None:
    def again(frame: pd.DataFrame) -> pd.DataFrame:
        repeated = frame[some(frame, 0.1, seed)]
        return pd.concat([frame, repeated.assign(flight_id=repeated["flight_id"] + "-2")], ignore_index=True)

    system.change(PATHS, again)


@control("unjoinable", "20", "3 % of the served keys have no recomputed row, 3 % the other way round", "monitor.3")
def unjoinable(system: System, seed: int) -> None:
    system.change(("recomputed",), lambda frame: frame[~some(frame, 0.03, seed)])
    system.change(("serving",), lambda frame: frame[~some(frame, 0.03, seed + 1)])


@control("holiday", "24", "60 % fewer flights", *DATA, at_length=("monitor.5", "monitor.7", "infra.5"))
def holiday(system: System, seed: int) -> None:
    system.change(PATHS, lambda frame: frame[some(frame, 0.4, seed)])


@control("backfill", "24", "three more weeks are served at once", *DATA, "monitor.5")
def backfill(system: System, seed: int) -> None:
    earlier = system.table("holdout")
    earlier = earlier[earlier["scheduled_departure"] >= "2013-10-21"].drop(columns="late")

    def filled(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([frame, earlier.assign(version="v2", score=0.5)[frame.columns]], ignore_index=True)

    system.change(("recomputed",), lambda frame: pd.concat([frame, earlier[frame.columns]], ignore_index=True))
    system.change(("serving",), filled)


@control(
    "declared age", "23", "a model of 250 days, where 400 are declared to be fine", "monitor.4", at_length=("model.4",)
)
def declared_age(system: System, seed: int) -> None:
    aged(system, 250)
    system.option("monitor.4", "max_age_days", 400)


@control("nothing changed", "", "the example as it is")
def unchanged(system: System, seed: int) -> None:
    pass
