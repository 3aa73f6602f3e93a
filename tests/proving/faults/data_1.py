"""Faults of the schema, in the suite's own file, and of data that it no longer describes."""

from __future__ import annotations

from typing import Any

from tests.proving.cases import fault
from tests.proving.system import System, generator, some

TABLES = ("training", "holdout", "serving", "recomputed")
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
KEY = "flight_id"


@fault(
    "D1a",
    "data.1",
    "rules are dropped for some inputs; only their existence is expected",
    (1, 3, 7),
    ["without a rule"],
)
def only_existence(system: System, severity: float, seed: int) -> list[str]:
    chosen = [str(name) for name in generator(seed, "D1a").permutation(WEATHER)[: int(severity)]]

    def dropped(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [rule for rule in rules if rule["kwargs"].get("column") not in chosen]
        return kept + [{"type": "expect_column_to_exist", "kwargs": {"column": name}} for name in chosen]

    system.rules(dropped)
    return chosen


@only_existence.healthy("rules for some optional, deprecated features that no data have")
def deprecated(system: System, severity: float, seed: int) -> None:
    rule = {"type": "expect_column_values_to_be_between", "meta": {"notes": "deprecated, optional"}}
    extra = [rule | {"kwargs": {"column": f"gust_{n}", "min_value": 0, "max_value": 200}} for n in range(int(severity))]
    system.rules(lambda rules: [*rules, *extra])


@fault("D1b", "data.1", "rules of a share of the inputs are too wide to reject anything", (0.5, 0.75, 1), ["reject"])
def wide(system: System, severity: float, seed: int) -> None:
    def loosened(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = sorted({rule["kwargs"].get("column", KEY) for rule in rules} - {KEY})
        chosen = set(generator(seed, "D1b").permutation(names)[: round(severity * len(names))])
        return [_anything(rule) if rule["kwargs"].get("column") in chosen else rule for rule in rules]

    system.rules(loosened)


def _anything(rule: dict[str, Any]) -> dict[str, Any]:
    """Keep the rule and let it say nothing: so wide that no value is outside, or at least once in a thousand rows."""
    if rule["type"].endswith("be_between"):
        least, most = (0, 10**9) if "unique_value_count" in rule["type"] else (-1e300, 1e300)
        return rule | {"kwargs": {"column": rule["kwargs"]["column"], "min_value": least, "max_value": most}}
    return rule | {"kwargs": rule["kwargs"] | ({"mostly": 0.001} if "_values_" in rule["type"] else {})}


@wide.healthy("every range is a fifth of its span wider on both sides")
def slack(system: System, severity: float, seed: int) -> None:
    def widened(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [_slack(rule) if rule["type"] == "expect_column_values_to_be_between" else rule for rule in rules]

    system.rules(widened)


def _slack(rule: dict[str, Any]) -> dict[str, Any]:
    low, high = rule["kwargs"]["min_value"], rule["kwargs"]["max_value"]
    room = (high - low) / 5
    return rule | {"kwargs": rule["kwargs"] | {"min_value": low - room, "max_value": high + room}}


@fault(
    "D1c",
    "data.1",
    "a category that the data hold is not in the schema: OO (29 flights), HA, EWR",
    (0, 1, 2),
    ["be in"],
)
def contradicted(system: System, severity: float, seed: int) -> list[str]:
    column, value = [("carrier", "OO"), ("carrier", "HA"), ("origin", "EWR")][int(severity)]
    system.rules(lambda rules: [_without(rule, column, value) for rule in rules])
    return [column, value]


def _without(rule: dict[str, Any], column: str, value: str) -> dict[str, Any]:
    kwargs = rule["kwargs"]
    if kwargs.get("column") != column or value not in kwargs.get("value_set", ()):
        return rule
    return rule | {"kwargs": kwargs | {"value_set": [one for one in kwargs["value_set"] if one != value]}}


@contradicted.healthy("categories that no data hold yet are in the schema")
def announced(system: System, severity: float, seed: int) -> None:
    def extended(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sets = [rule for rule in rules if rule["kwargs"].get("column") == "dest" and "value_set" in rule["kwargs"]]
        for rule in sets:
            rule["kwargs"]["value_set"] += [f"X{n}Q" for n in range(1 + int(severity))]
        return rules

    system.rules(extended)


@fault(
    "D1d",
    "data.1",
    "the schema says miles, a share of the rows holds kilometres",
    (0.05, 0.3, 1),
    ["distance"],
    also=("monitor.2",),
)
def kilometres(system: System, severity: float, seed: int) -> None:
    def converted(frame: Any) -> Any:
        return frame.assign(distance=frame["distance"].mask(some(frame, severity, seed), frame["distance"] * 1.609344))

    system.change(TABLES, converted)


@kilometres.healthy("data and schema are in kilometres")
def agreed(system: System, severity: float, seed: int) -> None:
    def metric(rule: dict[str, Any]) -> dict[str, Any]:
        kwargs = rule["kwargs"]
        if kwargs.get("column") != "distance" or rule["type"] != "expect_column_values_to_be_between":
            return rule
        return rule | {"kwargs": kwargs | {"min_value": 80 * 1.609344, "max_value": 4983 * 1.609344 + 1e-9}}

    system.change(TABLES, lambda frame: frame.assign(distance=frame["distance"] * 1.609344))
    system.rules(lambda rules: [metric(rule) for rule in rules])
