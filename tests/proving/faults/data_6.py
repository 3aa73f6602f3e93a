"""Faults that a new feature meets on its way through the pipeline, in the pipeline's own code."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System

APP, SCORER, REHEARSAL = "flights/app.py", "flights/scorer.py", "flights/new_feature.py"


@fault(
    "D6a",
    "data.6",
    "a count of columns is written out: in the server, in training, in both",
    (0, 1, 2),
    ["fail|reach"],
)
def hard_coded(system: System, severity: float, seed: int) -> None:
    if severity in (0, 2):
        system.edit(SCORER, "columns[name] for name in spec.NUMERIC", "columns[name] for name in spec.NUMERIC[:15]")
    if severity in (1, 2):
        system.edit("flights/train.py", "frame[list(spec.FEATURES)]", "frame[list(spec.FEATURES)[:18]]")


@hard_coded.healthy("columns are taken by name from one list, in another order of work")
def by_name(system: System, severity: float, seed: int) -> None:
    inputs = "columns[name] for name in [*spec.FEATURES][len(spec.CATEGORICAL):]"
    system.edit(SCORER, "columns[name] for name in spec.NUMERIC", inputs)


@fault(
    "D6b",
    "data.6",
    "the online path drops what it does not know: the new feature, with one, with six others",
    (18, 17, 12),
    ["reach"],
)
def dropped(system: System, severity: float, seed: int) -> None:
    system.edit("flights/features_online.py", 'if broken("data.6"):', "if True:")
    system.edit("flights/features_online.py", "spec.FEATURES[RELEASED:]", f"spec.FEATURES[{int(severity)}:]")


@dropped.healthy("requests carry a field that no feature needs")
def unknown_field(system: System, severity: float, seed: int) -> None:
    asked = 'asked = raw.between(flights, SERVED).tail(REQUESTS)[[spec.KEY, "scheduled_local", *spec.CATEGORICAL]]'
    system.edit(REHEARSAL, asked, asked + f'.assign(agent="{"x" * int(severity)}")')


@fault("D6c", "data.6", "adding a feature takes 1.5, 2, 2.5 times as long as declared", (1.5, 2, 2.5), ["seconds|fail"])
def slow(system: System, severity: float, seed: int) -> None:
    _waits(system, severity * 16)
    system.edit("pyproject.toml", "max_seconds = 60", "max_seconds = 16")


@slow.healthy("slow, but within the declared time")
def within(system: System, severity: float, seed: int) -> None:
    _waits(system, 2 * severity)


def _waits(system: System, seconds: float) -> None:
    added = "    if options.feature:\n        add(options.feature)\n"
    system.edit(REHEARSAL, added, added + f"        time.sleep({seconds})\n")
    system.edit(REHEARSAL, "import sys\n", "import sys\nimport time\n")
