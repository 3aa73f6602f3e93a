"""The scorecard as a pull request's comment: the first block of the page and what fails, in at most 60 lines."""

from __future__ import annotations

from mltestscore.scorecard import ItemResult, Scorecard
from mltestscore.words import states
from mltestscore.words.figures import credit, moment, plural, points
from mltestscore.words.tame import tame

from .escape import code, escape

MOST_LINES = 60
SHOWN = ("failed", "error")
MOST_ITEMS = 12
MOST_REASONS = 6
MOST_CHANGES = 8


def render(scorecard: Scorecard) -> str:
    """Return Markdown for GitHub and GitLab; every value is escaped, so that it mentions nobody and links nowhere."""
    card = tame(scorecard)
    blocks = [_headline(card), _gate(card), _sections(card), _steps(card), _changes(card), _failing(card), _facts(card)]
    lines = "\n\n".join("\n".join(block) for block in blocks if block).split("\n")
    assert len(lines) <= MOST_LINES, "the blocks are cut so that they fit together"
    return "\n".join(lines) + "\n"


def _headline(card: Scorecard) -> list[str]:
    value = f"{points(card.score.value)} of {points(card.score.maximum).removesuffix('.0')}"
    lines = [f"## ML Test Score: {value} – {escape(card.system, 100)}", "", f"{escape(card.score.band)}. "]
    lines[-1] += f"{escape(states.sentence(card.score.rule))} {', '.join(states.counts(card))}."
    lines[-1] += f" Trend: {trend}." if (trend := states.trend(card)) else ""
    if card.run.incomplete:
        lines += ["", "**Incomplete:** the run was cut short; checks without a result did not run."]
    return lines


def _gate(card: Scorecard) -> list[str]:
    if card.gate is None:
        return []
    if card.gate.met:
        return [f"✅ Gate **{escape(card.gate.name, 60)}** is met."]
    reasons = card.gate.reasons[:MOST_REASONS]
    more = len(card.gate.reasons) - len(reasons)
    lines = [f"❌ Gate **{escape(card.gate.name, 60)}** is not met:", ""]
    lines += [f"- {escape(states.sentence(reason), 200)}" for reason in reasons]
    return [*lines, f"- and {plural(more, 'more reason')}"] if more else lines


def _sections(card: Scorecard) -> list[str]:
    lines = ["| section | points | |", "|---|--:|---|"]
    for section in card.score.sections[:4]:
        holds = "holds the score" if section.id in card.score.holds_back else ""
        lines.append(f"| {escape(section.title, 60)} | {points(section.value)} of {section.maximum:g} | {holds} |")
    return lines


def _steps(card: Scorecard) -> list[str]:
    if not card.next_steps:
        return []
    step = card.next_steps[0]
    what = f"{escape(step.item, 40)} {escape(step.title, 120)}: {escape(states.sentence(step.remedy), 300)}"
    return [f"**Next best step** (+{points(step.gain)}, effort {step.effort}): {what}"]


def _changes(card: Scorecard) -> list[str]:
    """Return what differs from the last run: items, and how many proofs were made again."""
    shown = card.changes[:MOST_CHANGES]
    lines = [
        f"- {'▲' if change.kind in ('fixed', 'better') else '▼'} {change.kind}: "
        f"{escape(change.item, 40)} {escape(change.text, 160)}"
        for change in shown
    ]
    more = len(card.changes) - len(shown)
    lines += [f"- and {plural(more, 'more change')}"] if more else []
    lines += [f"- {proofs}"] if (proofs := states.renewed(card)) else []
    return ["**Since last run**", "", *lines] if lines else []


def _failing(card: Scorecard) -> list[str]:
    items = [item for state, members in states.grouped(card.items) if state in SHOWN for item in members]
    lines = ["| | item | what was found | credit |", "|---|---|---|--:|"] + [_row(item) for item in items[:MOST_ITEMS]]
    more = len(items) - MOST_ITEMS
    if more > 0:
        lines.append(f"| | | and {plural(more, 'more item')} | |")
    return lines if items else []


def _row(item: ItemResult) -> str:
    mark = "❌" if item.state == "failed" else "⚠️"
    found = escape(states.verdict(item), 320)
    proof = states.proof(item.checks)
    return (
        f"| {mark} {states.STATES[item.state].word} | {escape(item.id, 40)} {escape(item.title, 120)} | "
        f"{found}{f' ({proof})' if proof else ''} | {credit(item.credit)} of 1 |"
    )


def _facts(card: Scorecard) -> list[str]:
    run = card.run
    parts = [escape(moment(run.started), 40), "CI" if run.by == "CI" else "by hand"]
    parts += [f"commit {code(run.commit[:10])}{' with uncommitted changes' if run.dirty else ''}"] if run.commit else []
    warnings = [escape(states.sentence(warning), 200) for warning in card.warnings[:2]]
    return [*(f"> {warning}" for warning in warnings), *([""] if warnings else []), f"<sub>{' · '.join(parts)}</sub>"]
