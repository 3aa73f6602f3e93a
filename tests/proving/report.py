"""The tables of the proving harness, for a terminal and as a Markdown page from which they can be read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import get_args

from rich.markup import escape
from rich.table import Table

from .cases import Cases
from .runner import Kind, Outcome

KINDS: tuple[Kind, ...] = get_args(Kind)
HEADINGS: dict[Kind, str] = {
    "fault": "Faults of the catalogue",
    "matched control": "As large and harmless: the healthy look-alike of each fault",
    "control": "Healthy systems that discredit a tool which accuses them",
}
COLOURS = {"caught": "green", "quiet": "green", "below reach": "yellow", "not caught": "yellow"}
SECTIONS = "DMIO"


@dataclass(frozen=True)
class Row:
    """What one case came to, in words.

    Attributes:
        items: the items that were asked, with the state of each.
        by: the findings that failed.
        run: the day, and the commit of the checks that were asked.
    """

    case: str
    items: str
    what: str
    severity: str
    seed: str
    verdict: str
    by: str
    says: str
    seconds: str
    run: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What the row is about: the same in two runs."""
        return self.case, self.severity, self.seed


Rows = dict[Kind, list[Row]]
COLUMNS = tuple(field.name for field in fields(Row))


def rows(outcomes: Iterable[Outcome], run: str) -> Rows:
    """Return what the cases came to, by kind."""
    found: Rows = {kind: [] for kind in KINDS}
    for one in outcomes:
        found[one.case.kind].append(_row(one, run))
    return found


def merged(old: Rows, new: Rows, cases: Cases) -> Rows:
    """Return the new rows, and the old ones of cases that there still are and that were not run."""
    known = {"fault": cases.faults, "matched control": cases.faults, "control": cases.controls}
    found: Rows = {}
    for kind in KINDS:
        again = {row.key for row in new[kind]}
        kept = [row for row in old[kind] if row.key not in again and row.case in known[kind]]
        found[kind] = sorted([*kept, *new[kind]], key=_place)
    return found


def read(page: Path) -> Rows:
    """Return the rows of a page that :func:`markdown` made; none of another page, or of none."""
    found: Rows = {kind: [] for kind in KINDS}
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    for kind, heading in HEADINGS.items():
        _, _, part = text.partition(f"## {heading}\n")
        lines = part.partition("\n## ")[0].splitlines()
        cells = [line[2:-2].split(" | ") for line in lines if line.startswith("| ")]
        if cells and tuple(cells[0]) == COLUMNS:
            found[kind] = [Row(*line) for line in cells[2:] if len(line) == len(COLUMNS)]
    return found


def table(found: Rows) -> Table:
    """Return the rows as a table for a terminal."""
    shown = Table(*COLUMNS, title="Faults and healthy controls", show_lines=False)
    for kind, row in _all(found):
        cells = [escape(cell) for cell in astuple(row)]
        cells[0] += "" if kind == "fault" else f" {kind}"
        colour = COLOURS.get(row.verdict, "red")
        cells[5] = f"[{colour}]{cells[5]}[/]"
        shown.add_row(*cells)
    return shown


def totals(found: Rows) -> str:
    """Return the last line: how many faults and controls came out how."""
    faults = Counter(row.verdict for row in found["fault"])
    healthy = [row for kind, row in _all(found) if kind != "fault"]
    states = Counter(state.split(" ", 1)[1] for row in healthy for state in row.items.split(", ") if " " in state)
    return (
        f"{len(found['fault'])} faults: {_counted(faults)}. {len(healthy)} controls: "
        f"{_counted(Counter(row.verdict for row in healthy))} (checks on controls: {_counted(states)})."
    )


def markdown(found: Rows, not_planted: Mapping[str, str], facts: str) -> str:
    """Return the page."""
    lines = ["# What the proving harness found", "", facts, "", totals(found)]
    for kind, heading in HEADINGS.items():
        lines += ["", f"## {heading}", "", f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS)]
        lines += [f"| {' | '.join(astuple(row))} |" for row in sorted(found[kind], key=_place)]
    lines += ["", "## What of the catalogue is not planted", ""]
    lines += [f"- {id}: {why}" for id, why in not_planted.items()] or ["None."]
    return "\n".join(lines) + "\n"


def _row(one: Outcome, run: str) -> Row:
    states = ", ".join(f"{id} {state}" for id, state in sorted(one.states.items()))
    cells = (
        *(one.case.id, states or ", ".join(one.case.items), one.case.what, one.case.severity, str(one.case.seed)),
        *(one.verdict, "; ".join(one.by), one.says, f"{one.seconds:.0f}", run),
    )
    return Row(*(_cell(cell) for cell in cells))


def _cell(text: str) -> str:
    """Return text as the cell of a table; an empty one is a dash, so that no cell of the page is lost."""
    return " ".join(text.replace("|", "/").split()) or "–"


def _place(row: Row) -> tuple[int, str, int, str]:
    section = SECTIONS.find(row.case[0]) if row.case[1:2].isdigit() else len(SECTIONS)
    return section, row.case, "LMH".find(row.severity), row.seed


def _all(found: Rows) -> Iterator[tuple[Kind, Row]]:
    for kind in KINDS:
        yield from ((kind, row) for row in sorted(found[kind], key=_place))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


def wrong(found: Rows) -> Sequence[Row]:
    """Return the rows of which a check did not do what it should."""
    return [row for _, row in _all(found) if row.verdict not in COLOURS]
