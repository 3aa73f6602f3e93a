"""What to do next for the score, and what has changed since the run before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from mltestscore.result import CheckResult, FindingRecord
from mltestscore.rubric import Effort, rubric
from mltestscore.scorecard import Change, ItemResult, NextStep, Scorecard
from mltestscore.words.figures import credit, value_text, with_unit

COST: dict[Effort, int] = {"low": 1, "medium": 2, "high": 4}
"""What the three efforts are taken to cost, for the order of advice only: each step doubles. Judgement."""


def next_steps(
    items: Sequence[ItemResult], limit: int = 3, *, in_ci: bool = False, repeated_runs: int = 3
) -> list[NextStep]:
    """Return the cheapest steps that raise the section that holds the score back, best gain for its effort first.

    ``gain`` is what the step adds to its section, at least half a point: a whole one only where the check that it
    brings to pass counts as repeated at once (``in_ci``, or enough runs on record). Items that are waived as not
    applicable are left alone.
    """
    sums = {
        section.id: sum(item.credit for item in items if item.section == section.id) for section in rubric().sections
    }
    lowest = min(sums.values())
    steps = [
        _step(item, in_ci, repeated_runs)
        for item in items
        if sums[item.section] == lowest and item.credit < 1 and not _not_applicable(item)
    ]
    return sorted(steps, key=lambda step: -step.gain / COST[step.effort])[:limit]


def changes(items: Sequence[ItemResult], previous: Scorecard | None) -> list[Change]:
    """Return what differs from the previous run: broken first, then worse, fixed, better.

    An item is *broken* when it fails or errs now and was seen not to before, *fixed* when it passes now and did fail
    or err; otherwise *worse* or *better* when its credit changed. For any other item, a finding is *worse* or
    *better* when its value moved out of both runs' intervals, towards its limit or away from it. Advisory findings
    and ones without a limit have no worse side.
    """
    if previous is None:
        return []
    before = {item.id: item for item in previous.items}
    found: list[Change] = []
    for item in items:
        if item.id in before:
            turned = _turned(item, before[item.id])
            found += [turned] if turned else _moved(item, before[item.id])
    order = ("broken", "worse", "fixed", "better")
    return sorted(found, key=lambda change: order.index(change.kind))


def _step(item: ItemResult, in_ci: bool, repeated_runs: int) -> NextStep:
    effort, remedy = _cheapest(item)
    runs = max((check.runs_before + 1 for check in item.checks), default=0)
    whole = bool(item.checks) and (in_ci or runs >= repeated_runs)
    gain = max(0.5, (1.0 if whole else 0.5) - item.credit)
    return NextStep(item=item.id, title=item.title, gain=gain, effort=effort, remedy=remedy)


def _cheapest(item: ItemResult) -> tuple[Effort, str]:
    """Return the effort and the words of the next step for an item without full credit."""
    by_state: dict[str, list[CheckResult]] = {}
    for check in item.checks:
        by_state.setdefault(check.state, []).append(check)
    if failed := by_state.get("failed"):
        return item.effort, f"Repair what {failed[0].id} found: {failed[0].reason or item.remedy}"
    if broken := by_state.get("error"):
        return "low", f"Remove the error in {broken[0].id}: {broken[0].reason or 'see its traceback'}"
    if doubtful := by_state.get("inconclusive"):
        return item.effort, f"Settle {doubtful[0].id}: {doubtful[0].reason or 'offer it more data'}"
    if passed := by_state.get("passed"):
        return _complete(passed)
    missing = [check.reason for check in item.checks if check.reason]
    return item.effort, missing[0] if missing else item.remedy


def _complete(passed: list[CheckResult]) -> tuple[Effort, str]:
    """Return the step from a check that passed to its full credit."""
    for check in passed:
        if check.proxy:
            return "medium", f"Offer what {check.id} only estimates now, so that it can be measured: {check.proxy}."
        if check.proof.state == "proven":
            return "low", f"Let CI run `pytest --mltestscore`, so that {check.id} counts as repeated."
    check = passed[0]
    if check.proof.state == "vacuous":
        missed = [f"«{fault.name}»" for fault in check.proof.faults if fault.state != "caught"]
        return "medium", f"Sharpen {check.id} until it catches {' and '.join(missed) or 'what is planted in it'}."
    if check.origin == "marked test":
        return "medium", f'Make {check.id} a check with `@check("{check.item}")` and plant a fault with `@fault(…)`.'
    if check.origin == "existing result":
        return "medium", f"Offer the inputs of {check.item}, so that the built-in check runs and proves itself."
    return "low", f"Plant a fault that {check.id} must catch, with `@fault(…)`."


def _not_applicable(item: ItemResult) -> bool:
    return any(waiver.kind == "not-applicable" for waiver in item.waivers)


def _turned(now: ItemResult, before: ItemResult) -> Change | None:
    """Return the change of an item that broke, was fixed, or earns another credit."""
    bad = ("failed", "error")
    if now.state in bad and before.state not in (*bad, "not_offered"):
        why = next((f": {check.reason}" for check in now.checks if check.state == now.state and check.reason), "")
        return Change(item=now.id, kind="broken", text=f"{now.id} was {before.state} and is {now.state} now{why}")
    if now.state == "passed" and before.state in bad:
        return Change(item=now.id, kind="fixed", text=f"{now.id} was {before.state} and passes now")
    if now.credit != before.credit:
        text = f"{now.id} earns {credit(now.credit)} and no longer {credit(before.credit)}: {now.credit_reason}"
        return Change(item=now.id, kind="better" if now.credit > before.credit else "worse", text=text)
    return None


def _moved(now: ItemResult, before: ItemResult) -> Iterator[Change]:
    old = dict(_findings(before.checks))
    for key, finding in _findings(now.checks):
        if key in old and (shift := _shift(finding, old[key])):
            what = f"{finding.where}: {finding.name}" if finding.where else finding.name
            text = f"{what} {_shown(old[key])} → {_shown(finding)}"
            yield Change(item=now.id, kind="better" if shift > 0 else "worse", text=text)


def _findings(checks: Iterable[CheckResult]) -> Iterator[tuple[tuple[str, str, str], FindingRecord]]:
    for check in checks:
        for finding in check.findings:
            if not finding.advisory:
                yield (check.id, finding.name, finding.where), finding


def _shift(now: FindingRecord, before: FindingRecord) -> int:
    """Return 1 for better, -1 for worse, 0 where the intervals or the printed figures do not tell the two apart."""
    if now.value is None or before.value is None or now.unit != before.unit:
        return 0
    if _holds(now, before.value) or _holds(before, now.value) or _shown(now) == _shown(before):
        return 0
    room, room_before = _room(now, now.value), _room(now, before.value)
    if room is None or room_before is None or math.isclose(room, room_before, rel_tol=1e-9, abs_tol=1e-12):
        return 0
    return 1 if room > room_before else -1


def _holds(finding: FindingRecord, value: float) -> bool:
    above = finding.low is None or finding.low <= value
    return above and (finding.high is None or value <= finding.high)


def _room(finding: FindingRecord, value: float) -> float | None:
    """Return how far a value lies within the finding's limits, negative beyond them; ``None`` without a limit."""
    rooms = [finding.ceiling - value] if finding.ceiling is not None else []
    rooms += [value - finding.floor] if finding.floor is not None else []
    return min(rooms, default=None)


def _shown(finding: FindingRecord) -> str:
    return with_unit(value_text(finding), finding.unit)
