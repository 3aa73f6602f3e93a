"""Faults of what the model may read: ended sources, inherited tags, proxies, and inputs that nobody answers for."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System, generator

CATALOGUE = "catalogue.toml"
MAJOR = ("AA", "B6", "DL", "UA")


def _features(system: System) -> list[str]:
    return re.findall(r"(?m)^\[features\.(\w+)\]$", (system.home / CATALOGUE).read_text(encoding="utf-8"))


@fault(
    "D4a",
    "data.4",
    "a source ended yesterday; what features are made from gets a forbidden tag; an input gets it",
    (0, 1, 2),
    ["deprecated after 2013-11-17|names an aircraft"],
)
def forbidden(system: System, severity: float, seed: int) -> list[str]:
    if severity == 0:
        system.edit(CATALOGUE, "[sources.weather]\n", "[sources.weather]\ndeprecated_after = 2013-11-17\n")
        return ["weather"]
    if severity == 1:
        delay = "[columns.earlier_dep_delay]\n"
        system.edit(CATALOGUE, delay, delay + 'derived_from = ["tailnum"]\n')
        return ["tailnum"]
    system.edit(CATALOGUE, "[features.carrier]\n", '[features.carrier]\ntags = ["Names an Aircraft"]\n')
    return ["carrier"]


@forbidden.healthy("sources end today or feed no input, and forbidden columns are listed that no input is made from")
def unread(system: System, severity: float, seed: int) -> None:
    system.edit(CATALOGUE, "[sources.weather]\n", "[sources.weather]\ndeprecated_after = 2013-11-18\n")
    more = '\n[sources.gauges]\ndeprecated_after = 2012-01-01\n\n[columns.dep_time]\nsource = "gauges"\n'
    more += 'tags = ["names an aircraft"]\nforbidden = "known only afterwards"\n'
    text = (system.home / CATALOGUE).read_text(encoding="utf-8")
    (system.home / CATALOGUE).write_text(text + more, encoding="utf-8")


def _protected(system: System, share: float, seed: int) -> None:
    """Give each training row an attribute that follows from its airline, but for a share of the rows."""

    def assigned(frame: pd.DataFrame) -> pd.DataFrame:
        follows = frame["carrier"].isin(MAJOR).to_numpy()
        other = generator(seed, "D4b").random(len(frame)) < share
        return frame.assign(crew=np.where(follows ^ other, "union", "none"))

    system.change(("training",), assigned)
    system.edit(CATALOGUE, "[columns.tailnum]\n", "[columns.crew]\nprotected = true\n\n[columns.tailnum]\n")


@fault(
    "D4b",
    "data.4",
    "the airline tells a protected attribute, but for 6, 3, 0 % of the rows",
    (0.06, 0.03, 0),
    ["protected", "carrier for crew"],
)
def proxy(system: System, severity: float, seed: int) -> None:
    _protected(system, severity, seed)


@proxy.healthy("the airline is hardly related to a protected attribute")
def ordinary(system: System, severity: float, seed: int) -> None:
    _protected(system, 0.45, seed)


@fault("D4c", "data.4", "1, 3, 9 inputs lose their owner or description", (1, 3, 9), ["without an owner"])
def nobodys(system: System, severity: float, seed: int) -> list[str]:
    chosen = [str(name) for name in generator(seed, "D4c").permutation(_features(system))[: int(severity)]]
    text = (system.home / CATALOGUE).read_text(encoding="utf-8")
    for place, name in enumerate(chosen):
        field = ("owner", "description")[place % 2]
        text = re.sub(rf'(\[features\.{name}\]\n(?:.+\n)*?{field} = )".*"', r'\1"TBD"', text, count=1)
    (system.home / CATALOGUE).write_text(text, encoding="utf-8")
    return chosen


@nobodys.healthy("owners have unusual names, and descriptions are in another script")
def unusual(system: System, severity: float, seed: int) -> None:
    text = (system.home / CATALOGUE).read_text(encoding="utf-8")
    text = text.replace("Model owner of the flights example", "Ng").replace("Weather feed of the flights example", "李")
    text = text.replace("Two-letter code of the airline", "двухбуквенный код")
    (system.home / CATALOGUE).write_text(text, encoding="utf-8")
