"""The scorecard in at most twelve lines, for the end of a pytest run."""

from __future__ import annotations

from pathlib import Path

from mltestscore.scorecard import ItemResult, Scorecard
from mltestscore.words import states
from mltestscore.words.figures import number, plural, points
from mltestscore.words.tame import one_line, tame

MOST_LINES = 12
WIDTH = 120
"""Characters: a terminal of a CI log."""


def render(scorecard: Scorecard, path: Path | None) -> list[str]:
    """Return at most twelve lines without colour; the last is the path of the HTML, if one was written."""
    card = tame(scorecard)
    head = [_headline(card), _sections(card), *_gate(card), *_step(card), *_since(card)]
    counts, trend = ", ".join(states.counts(card)), states.trend(card)
    tail = [f"  {counts}{f' · trend {trend}' if trend else ''}"] + ([str(path)] if path else [])
    room = MOST_LINES - len(head) - len(tail)
    return [_cut(line) for line in [*head, *_failing(card, room)]] + [_cut(line) for line in tail[:1]] + tail[1:]


def _headline(card: Scorecard) -> str:
    missing = f": {plural(len(card.not_run), 'check')} not run" if card.not_run else ""
    incomplete = f" (incomplete run{missing})" if card.run.incomplete else ""
    value = f"{points(card.score.value)} of {number(card.score.maximum)}"
    return f"{_cut(card.system, 40)}: {value}{incomplete} – {card.score.band}"


def _sections(card: Scorecard) -> str:
    parts = [
        f"{states.SECTIONS[section.id]} {points(section.value)}"
        f"{' ← holds the score' if section.id in card.score.holds_back else ''}"
        for section in card.score.sections
    ]
    return "  " + " · ".join(parts)


def _gate(card: Scorecard) -> list[str]:
    if card.gate is None:
        return []
    if card.gate.met:
        return [f"  gate {card.gate.name}: met"]
    return [f"  gate {card.gate.name}: NOT MET: {'; '.join(card.gate.reasons)}"]


def _step(card: Scorecard) -> list[str]:
    return [
        f"  next best step: {step.item} {step.title} (+{points(step.gain)}, effort {step.effort})"
        for step in card.next_steps[:1]
    ]


def _since(card: Scorecard) -> list[str]:
    changes = [*(f"{change.kind} {change.item}" for change in card.changes), *filter(None, [states.renewed(card)])]
    return [f"  since last run: {', '.join(changes)}"] if changes else []


def _failing(card: Scorecard, room: int) -> list[str]:
    items = [item for state, members in states.grouped(card.items) if state in ("failed", "error") for item in members]
    shown = items if len(items) <= room else items[: room - 1]
    lines = [_line(item) for item in shown]
    if len(items) > len(shown):
        lines.append(f"  and {plural(len(items) - len(shown), 'more item')} that failed or ended in an error")
    return lines


def _line(item: ItemResult) -> str:
    because = [states.reason(check) for check in item.checks if check.state == item.state]
    return f"  {'✖' if item.state == 'failed' else '⚠'} {item.id} {'; '.join(filter(None, because)) or item.title}"


def _cut(line: str, width: int = WIDTH) -> str:
    indent = line[: len(line) - len(line.lstrip(" "))]
    line = indent + one_line(line.lstrip(" "))
    return line if len(line) <= width else line[: width - 1] + "…"
