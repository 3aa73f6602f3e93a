"""Faults of a release gate, in the gate's own code, and rows by which it judges that training has seen."""

from __future__ import annotations

import pandas as pd

from tests.proving.cases import fault
from tests.proving.system import System

GATE = "flights/gate.py"
ITSELF = "    if digest(candidate) == digest(baseline):\n"
LOADS = "    import pandas as pd\n    from sklearn.metrics import roc_auc_score\n"
COMPARES = "    worse = ((ours - late) ** 2"
BOTH = "for file in (candidate, baseline))"


@fault("I4a", "infra.4", "the gate accepts all above the floor, all but itself, all", (0, 1, 2), ["ruined"])
def absent(system: System, severity: float, seed: int) -> None:
    place = (COMPARES, LOADS, ITSELF)[int(severity)]
    system.edit(GATE, place, f'    return ""\n{place}')


@absent.healthy("the gate is stricter, and looks at one airline after the other from the end")
def stricter(system: System, severity: float, seed: int) -> None:
    system.edit(GATE, "LEAST_AREA = 0.55", f"LEAST_AREA = {0.56 + severity / 100}")
    system.edit(GATE, 'in worse.groupby(flights["carrier"]):', 'in [*worse.groupby(flights["carrier"])][::-1]:')


@fault(
    "I4b",
    "infra.4",
    "the gate compares each candidate with itself: where it scores, and knows not even that, by its path too",
    (0, 1, 2),
    ["ruined"],
)
def itself(system: System, severity: float, seed: int) -> None:
    system.edit(GATE, BOTH, "for file in (candidate, candidate))")
    if severity >= 1:
        system.edit(GATE, ITSELF, "    if not candidate:\n")
    if severity >= 2:
        system.edit("pyproject.toml", '"--baseline", "{baseline}"]', '"--baseline", "{candidate}"]')


@itself.healthy("the baseline is scored first")
def in_another_order(system: System, severity: float, seed: int) -> None:
    system.edit(
        GATE,
        f"ours, theirs = (_scores(file, flights) {BOTH}",
        "theirs, ours = (_scores(file, flights) for file in (baseline, candidate))",
    )


@fault(
    "I4c", "infra.4", "the gate lets pass a loss of 0.8, 2, 5 times a constant's", (0.8, 2, 5), ["worse by|shuffled"]
)
def loose(system: System, severity: float, seed: int) -> None:
    system.edit(GATE, "LEAST_AREA = 0.55", "LEAST_AREA = 0.3")
    for limit in ("MOST_LOST = 0.02", "MOST_LOST_BY_AIRLINE = 0.08"):
        system.edit(GATE, limit, f"{limit.split(' = ')[0]} = {severity}")


@loose.healthy("a limit of 0.01 on what is shown, so that a drop by chance passes")
def tight(system: System, severity: float, seed: int) -> None:
    system.edit(GATE, "MOST_LOST = 0.02", "MOST_LOST = 0.01")


@fault(
    "I4d", "infra.4", "2, 5, 20 % of the rows by which the gate judges stand in training", (0.02, 0.05, 0.2), ["rows"]
)
def contaminated(system: System, severity: float, seed: int) -> None:
    judged = system.table("validation").sample(frac=severity, random_state=seed)
    copies = judged.assign(flight_id=judged["flight_id"] + "-again")
    system.change(["training"], lambda frame: pd.concat([frame, copies], ignore_index=True))


@contaminated.healthy("training holds some flights of its own twice")
def repeated(system: System, severity: float, seed: int) -> None:
    def doubled(frame: pd.DataFrame) -> pd.DataFrame:
        again = frame.sample(frac=severity / 10, random_state=seed)
        return pd.concat([frame, again.assign(flight_id=again["flight_id"] + "-again")], ignore_index=True)

    system.change(["training"], doubled)
