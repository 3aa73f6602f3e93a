"""Faults of following one answer: a trace of too little, or of other values; exceptions that are swallowed."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System, some

APP, REGISTRY = "flights/app.py", "[tool.mltestscore.registry]"
TRACE = '''"""The way of one flight to its score, as an engineer is shown it."""

from flights import registry, spec


def trace(row, version):
    import pandas as pd

    model = registry.load(spec.HOME / "build" / "registry", version)
    given = pd.DataFrame([{name: row[name] for name in spec.FEATURES}])
    shown = {name: row[name] for name in spec.FEATURES}
    coded = model[:-1].transform(given)
    shown["coded"] = coded
    shown["sum of the trees"] = float(model[-1].decision_function(coded)[0])
    score = float(model.predict_proba(given)[0, 1])
    {shown}
    return {**shown, "score": score}
'''


def _traced(system: System, line: str) -> None:
    system.add("flights/trace.py", TRACE.replace("{shown}", line))
    system.edit("pyproject.toml", REGISTRY, f'[tool.mltestscore.trace]\ncall = "flights.trace:trace"\n\n{REGISTRY}')


@fault(
    "I5a",
    "infra.5",
    "the trace lacks an input, what lies between input and score, everything but the score",
    (0, 1, 2),
    ["does not show|different ways"],
)
def too_little(system: System, severity: float, seed: int) -> None:
    between = "del shown['coded'], shown['sum of the trees']"
    _traced(system, ("del shown['carrier']", between, "shown = {}")[int(severity)])


@too_little.healthy("the same values in another order, numbers as texts of six digits")
def another_order(system: System, severity: float, seed: int) -> None:
    _traced(system, "shown = dict(reversed(shown.items())); score = format(score, '.6g')")


@fault(
    "I5b",
    "infra.5",
    "of 20, 50, 100 % of the requests, the log holds the delays of an hour later, not those that were used",
    (0.2, 0.5, 1.0),
    ["served score"],
)
def fresh(system: System, severity: float, seed: int) -> None:
    log = system.table("serving")
    moved = some(log, severity, seed)
    for name in ("origin_delay_last_hour", "origin_delay_last_3_hours", "carrier_delay_last_3_hours"):
        log[name] = log[name].where(~moved, 1.3 * log[name] + 5)
    system.write("serving", log)


@fresh.healthy("the log holds scores in four digits, features in single precision")
def rounded(system: System, severity: float, seed: int) -> None:
    log = system.table("serving")
    system.write("serving", log.assign(score=log["score"].round(4)).astype({"temp": "float32", "distance": "float32"}))


@fault(
    "I5c",
    "infra.5",
    "an exception is swallowed: 0.5, 0.2, 0 is answered",
    (0.5, 0.2, 0.0),
    ["default", "whatever the row"],
)
def swallowed(system: System, severity: float, seed: int) -> None:
    system.edit(APP, "SWALLOWED = 0.2", f"SWALLOWED = {severity}")
    system.edit(APP, 'if broken("infra.5"):', "if True:")


@swallowed.healthy("the same default, declared, with a reason")
def with_a_reason(system: System, severity: float, seed: int) -> None:
    swallowed.inject(system, severity, seed)
    system.edit(APP, "scores=[SWALLOWED], version", 'scores=[SWALLOWED], reason="no answer from the model", version')
    system.edit("pyproject.toml", REGISTRY, f'[tool.mltestscore.trace]\nreason = "reason"\n\n{REGISTRY}')
