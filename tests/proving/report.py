"""The table of the proving harness, for a terminal and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from .runner import Outcome

COLUMNS = ("case", "severity", "seed", "what", "states", "verdict", "says", "seconds")
COLOURS = {"caught": "green", "quiet": "green", "below reach": "yellow"}
SAID = 160


def ordered(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return faults by item and severity, then matched controls, then controls."""
    kinds = ("fault", "matched control", "control")

    def place(one: Outcome) -> tuple[int, str, str, int, int]:
        severity = "LMH".find(one.case.severity)
        return (
            kinds.index(one.case.kind),
            one.case.items[0] if severity >= 0 else "",
            one.case.id,
            severity,
            one.case.seed,
        )

    return sorted(outcomes, key=place)


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return the outcomes as a table for a terminal."""
    shown = Table(*COLUMNS[:-1], "s", title="Faults and healthy controls", show_lines=False)
    for one in ordered(outcomes):
        cells = [escape(cell) for cell in _cells(one)]
        colour = COLOURS.get(one.verdict, "red")
        cells[5] = f"[{colour}]{cells[5]}[/]"
        shown.add_row(*cells)
    return shown


def totals(outcomes: Sequence[Outcome]) -> str:
    """Return the last line: how many faults and controls came out how."""
    faults = Counter(one.verdict for one in outcomes if one.case.kind == "fault")
    controls = Counter(one.verdict for one in outcomes if one.case.kind != "fault")
    states = Counter(state for one in outcomes if one.case.kind != "fault" for state in one.states.values())
    return (
        f"{sum(faults.values())} faults: {_counted(faults)}. {sum(controls.values())} controls: {_counted(controls)} "
        f"(checks on controls: {_counted(states)})."
    )


def markdown(outcomes: Sequence[Outcome], left_out: Mapping[str, str], facts: str) -> str:
    """Return the report as a Markdown page."""
    lines = ["# What the proving harness found", "", facts, "", totals(outcomes), ""]
    lines += [f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS)]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in _cells(one))} |" for one in ordered(outcomes)]
    lines += ["", "## Faults of the catalogue that are not injected", ""]
    lines += [f"- {id}: {why}" for id, why in left_out.items()]
    return "\n".join(lines) + "\n"


def _cells(one: Outcome) -> list[str]:
    case = one.case
    name = f"{case.id} {case.kind}" if case.kind == "matched control" else case.id
    states = ", ".join(f"{id} {state}" for id, state in sorted(one.states.items()))
    says = " ".join(one.says.split())[:SAID]
    return [name, case.severity, str(case.seed), case.what, states, one.verdict, says, f"{one.seconds:.0f}"]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"
