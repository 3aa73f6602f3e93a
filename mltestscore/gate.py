"""Release gates: whether a scorecard is good enough, with every reason against it in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mltestscore.errors import ConfigError, near
from mltestscore.scorecard import GateResult, ItemResult, Scorecard

if TYPE_CHECKING:
    from mltestscore.settings import GateConfig

INCOMPLETE = "The run was cut short, so it cannot meet a gate; run it again to the end."


def judge(scorecard: Scorecard, name: str, gate: GateConfig) -> GateResult:
    """Hold a scorecard to the gate ``name``; ``reasons`` is empty if and only if the gate is met.

    A required item must be passed or attested. What *inconclusive* and *not offered* mean for it, the gate says; a
    valid waiver of kind ``accepted`` excuses it, but never an error: a check that broke has found nothing to accept.
    A run that was cut short meets no gate.

    Raises :class:`ConfigError` when the gate requires an item that the rubric has not.
    """
    reasons = [
        *_incomplete(scorecard),
        *_below_score(scorecard, gate.min_score),
        *_below_section(scorecard, gate),
        *_required(scorecard, name, gate),
    ]
    return GateResult(name=name, met=not reasons, reasons=reasons)


def fail_under(scorecard: Scorecard, minimum: float) -> GateResult:
    """Hold the score of a complete run to a minimum."""
    reasons = [*_incomplete(scorecard), *_below_score(scorecard, minimum)]
    return GateResult(name=f"fail under {minimum:g}", met=not reasons, reasons=reasons)


def _incomplete(scorecard: Scorecard) -> Iterator[str]:
    if scorecard.run.incomplete:
        yield INCOMPLETE


def _below_score(scorecard: Scorecard, minimum: float | None) -> Iterator[str]:
    score = scorecard.score
    if minimum is not None and score.value < minimum:
        titles = [section.title for section in score.sections if section.id in score.holds_back]
        held = f" (held back by {' and '.join(titles)})" if titles else ""
        yield f"The score is {score.value:g} of {score.maximum:g}{held}; the gate needs at least {minimum:g}."


def _below_section(scorecard: Scorecard, gate: GateConfig) -> Iterator[str]:
    for section in scorecard.score.sections:
        floor = gate.min_section.get(section.id)
        if floor is not None and section.value < floor:
            yield f"{section.title} has {section.value:g} of {section.maximum:g}; the gate needs at least {floor:g}."


def _required(scorecard: Scorecard, name: str, gate: GateConfig) -> Iterator[str]:
    items = {item.id: item for item in scorecard.items}
    for id in dict.fromkeys(gate.require):
        if id not in items:
            known = near(id, items)
            raise ConfigError(f"[tool.mltestscore.gates.{name}] require: the rubric has no item {id!r}.{known}")
        if reason := _blocks(items[id], gate):
            yield reason


def _blocks(item: ItemResult, gate: GateConfig) -> str:
    """Return why a required item blocks the gate, ``""`` when it does not."""
    if any(check.state == "error" for check in item.checks):
        return _sentence(item, "could not be checked")
    if item.state in ("passed", "attested") or any(waiver.kind == "accepted" for waiver in item.waivers):
        return ""
    if item.state == "failed":
        return _sentence(item, "failed")
    if item.state == "inconclusive":
        return "" if gate.inconclusive == "allow" else _sentence(item, "is inconclusive")
    return "" if gate.not_offered == "allow" else _sentence(item, "was not offered")


def _sentence(item: ItemResult, what: str) -> str:
    return f"{item.id} {item.title}: {what} (credit {item.credit:g} of 1). {item.credit_reason}"
