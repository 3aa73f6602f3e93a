"""Runs one case through the plugin and judges what the scorecard says of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mltestscore.result import CheckResult, FindingRecord
from mltestscore.scorecard import Scorecard

from .cases import Control, Fault
from .system import ITEMS, System, copied

SAID = 160
UNSEEN = ("below reach", "not caught")
TIMED = "monitor.6"  # its cases run one at a time: what else this machine does would be in their numbers

Kind = Literal["fault", "matched control", "control"]


@dataclass(frozen=True)
class Case:
    """A fault at a severity and seed, its matched control, or a control of its own."""

    kind: Kind
    id: str
    what: str
    severity: str
    seed: int
    items: tuple[str, ...]
    apply: Callable[[System], Iterable[str] | None]
    fault: Fault | None = None


@dataclass(frozen=True)
class Outcome:
    """What a case came to.

    Attributes:
        verdict: ``caught``, ``below reach`` (rightly not seen), ``not caught`` (no check of a system can), ``quiet``,
            or what is wrong: ``missed``, ``misattributed``, ``cause not named``, ``false alarm``, ``broke``.
        states: the state of every check that ran.
        by: the findings that failed, each name once.
        says: the reason of the failed check, or why the case broke.
    """

    case: Case
    verdict: str
    states: dict[str, str]
    by: tuple[str, ...]
    says: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the checks did what they should."""
        return self.verdict in ("caught", "below reach", "not caught", "quiet")


def fault_case(fault: Fault, severity: str, seed: int) -> Case:
    """Return the case that injects a fault."""
    inject, value = fault.inject, fault.severities[severity]
    return Case("fault", fault.id, fault.what, severity, seed, (fault.item,), lambda s: inject(s, value, seed), fault)


def matched_case(fault: Fault, severity: str, seed: int) -> Case:
    """Return the case that does an equally large harmless edit."""
    harmless, value = fault.control, fault.severities[severity]
    if harmless is None:
        raise LookupError(f"{fault.id} has no matched control; register one with @<fault>.healthy(…)")
    items = (fault.item,)
    return Case("matched control", fault.id, fault.harmless, severity, seed, items, lambda s: harmless(s, value, seed))


def control_case(control: Control, seed: int, *, at_length: bool = False) -> Case:
    """Return the case of a healthy control; ``at_length``: asking the items too that take long."""
    change, items = control.change, control.items + (control.at_length if at_length else ())
    what = f"({control.number}) {control.what}" if control.number else control.what
    return Case("control", control.id, what, "", seed, items, lambda s: change(s, seed))


def run_all(cases: list[Case], sound: Path, *, every_item: bool, prove: bool, workers: int) -> Iterator[Outcome]:
    """Run the cases, so many at a time, and yield what they came to as they end."""
    alone = [case for case in cases if TIMED in case.items or every_item]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        running: list[Future[Outcome]] = [
            pool.submit(run_case, case, sound, every_item=every_item, prove=prove)
            for case in cases
            if case not in alone
        ]
        for done in as_completed(running):
            yield done.result()
    for case in alone:
        yield run_case(case, sound, every_item=every_item, prove=prove)


def run_case(case: Case, sound: Path, *, every_item: bool = False, prove: bool = False) -> Outcome:
    """Apply a case to a copy of the sound system, score the copy, and judge what came out."""
    began = time.monotonic()
    try:
        with copied(sound) as system:
            chosen = tuple(case.apply(system) or ())
            scorecard = system.run(ITEMS if every_item else case.items, prove=prove)
    except Exception as error:  # one case that cannot be applied must not cost the others
        return Outcome(case, "broke", {}, (), f"{type(error).__name__}: {error}", time.monotonic() - began)
    results = {result.id: result for item in scorecard.items for result in item.checks}
    judged = judge_fault(case, results, chosen) if case.fault else judge_control(results)
    states: dict[str, str] = {id: result.state for id, result in results.items()}
    by = tuple(dict.fromkeys(finding.name for result in results.values() for finding in failed(result)))
    reason = f"{case.fault.below}; " if case.fault and judged in UNSEEN else ""
    return Outcome(case, judged, states, by, reason + _says(scorecard), time.monotonic() - began)


def judge_fault(case: Case, results: dict[str, CheckResult], chosen: tuple[str, ...]) -> str:
    assert case.fault is not None
    wrong = [id for id, result in results.items() if result.state in ("failed", "error")]
    if case.fault.turns != "failed" and not wrong:
        return _turned(case.fault, results[case.fault.item])
    if case.fault.item not in wrong:
        accused = bool(set(wrong) - set(case.fault.also))
        unseen = "below reach" if case.fault.reach else "not caught"
        seen = "missed" if case.fault.must_be_seen(case.severity) else unseen
        return "misattributed" if accused else seen
    if results[case.fault.item].state == "error" or set(wrong) - {case.fault.item, *case.fault.also}:
        return "misattributed"
    said = spoken(results[case.fault.item])
    named = all(any(one.casefold() in said for one in words.split("|")) for words in (*case.fault.cause, *chosen))
    return "caught" if named else "cause not named"


def _turned(fault: Fault, result: CheckResult) -> str:
    """Judge a fault after which a check cannot be made at all, and has to say what it lacks."""
    if result.state != fault.turns:
        return "missed"
    return "caught" if all(word.casefold() in result.reason.casefold() for word in fault.cause) else "cause not named"


def judge_control(results: dict[str, CheckResult]) -> str:
    return "false alarm" if any(result.state in ("failed", "error") for result in results.values()) else "quiet"


def spoken(result: CheckResult) -> str:
    """Return all that the failed findings of a check say, in lower case."""
    parts = [result.reason, *(" ".join((one.name, one.where, one.cause, one.note)) for one in failed(result))]
    return " ".join(parts).casefold()


def failed(result: CheckResult) -> list[FindingRecord]:
    """Return the findings for which a check failed."""
    return [finding for finding in result.findings if finding.verdict == "failed" and not finding.advisory]


def _says(scorecard: Scorecard) -> str:
    results = [result for item in scorecard.items for result in item.checks]
    worst = [result for result in results if result.state in ("failed", "error")] or results
    return "; ".join(f"{result.id} {result.state}: {_short(result.reason)}" for result in worst)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SAID else line[: SAID - 1] + "…"
