"""From what the checks and people said to credits, sections, score and bands. Pure arithmetic under published rules.

The paper credits half a point for a test done by hand and documented, a whole one for a test that runs automatically
and repeatedly; a section is the sum of its seven items; the score is the lowest section (Breck et al. 2017, section
on computing the score). It says nothing of tests that fail or cannot fail, so our house rules, in CONTRIBUTING.md
under "Score", are stricter: what failed earns nothing, nor what is in doubt, nor a check that missed a planted fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from mltestscore.advice import changes, next_steps
from mltestscore.bands import band_2016, band_2017
from mltestscore.evidence import Statements
from mltestscore.result import CheckResult, Proof
from mltestscore.rubric import Item, rubric
from mltestscore.scorecard import Attestation, ItemResult, ItemState, Readings, Score, SectionScore

__all__ = ["assemble", "changes", "is_repeated", "next_steps", "score"]

RULE = "The minimum of the four section sums (2017 rule)"
RAN = ("passed", "failed", "inconclusive")
"""States of a check that came to an observation."""


@dataclass(frozen=True)
class Worth:
    """What one piece of evidence is worth by itself, and why it is not worth more."""

    credit: float
    reason: str


def assemble(
    results: Sequence[CheckResult], statements: Statements, *, in_ci: bool, repeated_runs: int = 3
) -> list[ItemResult]:
    """Return the 28 items in rubric order, each with its checks, statements, state, credit and the reason for it.

    Raises :class:`ConfigError` with near names when a result speaks for an item that the rubric has not.
    """
    for result in results:
        rubric().item(result.item)
    return [
        _item(item, [result for result in results if result.item == item.id], statements, in_ci, repeated_runs)
        for item in rubric().items
    ]


def score(items: Sequence[ItemResult], *, in_ci: bool = False, repeated_runs: int = 3) -> Score:
    """Return the score of the 28 items under both published rules, with its other readings.

    ``in_ci`` and ``repeated_runs`` only matter to the reading *letter*, which also counts checks that failed and must
    know whether those are repeated.
    """
    sections = [
        SectionScore(id=section.id, title=section.title, value=_sum(items, section.id, lambda item: item.credit))
        for section in rubric().sections
    ]
    value = min(section.value for section in sections)
    points = min(int(_sum(items, section.id, lambda item: 2 * item.credit)) for section in sections)
    return Score(
        value=value,
        band=band_2017(value),
        rule=RULE,
        sections=sections,
        holds_back=[section.id for section in sections if section.value == value < section.maximum],
        readings=Readings(
            letter=_lowest(items, lambda item: _letter(item, in_ci, repeated_runs)),
            proven=_lowest(items, _proven),
            applicable=_applicable(items),
        ),
        points_2016=points,
        band_2016=band_2016(points),
    )


def is_repeated(check: CheckResult, *, in_ci: bool, repeated_runs: int) -> bool:
    """Return whether a check is run repeatedly: in CI, or this run completes enough runs within the window."""
    return in_ci or check.runs_before + 1 >= repeated_runs


def _item(item: Item, checks: list[CheckResult], statements: Statements, in_ci: bool, repeated_runs: int) -> ItemResult:
    attested = [entry for entry in statements.attestations if entry.item == item.id]
    worths = [_worth(check, in_ci, repeated_runs) for check in checks if check.state == "passed"]
    worths += [_worth_of_attestation(entry) for entry in attested]
    best = max((worth.credit for worth in worths), default=0.0)
    verdict = _credit(checks, worths, best)
    texts = {name: text for name, text in asdict(item).items() if name in ItemResult.model_fields}
    return ItemResult(
        **texts,
        state=_state(checks, attested, in_ci, repeated_runs),
        credit=verdict.credit,
        credit_reason=verdict.reason,
        checks=checks,
        attestations=attested,
        waivers=[entry for entry in statements.waivers if entry.item == item.id],
        rejected=[entry for entry in statements.rejected if entry.item == item.id],
    )


def _state(checks: list[CheckResult], attested: list[Attestation], in_ci: bool, repeated_runs: int) -> ItemState:
    """Return the item's state: the worst of its checks; a check that passed without credit has shown nothing."""
    states = {check.state for check in checks}
    if "failed" in states:
        return "failed"
    if "error" in states:
        return "error"
    if "inconclusive" in states:
        return "inconclusive"
    if any(check.state == "passed" and _worth(check, in_ci, repeated_runs).credit > 0 for check in checks):
        return "passed"
    if attested:
        return "attested"
    return "inconclusive" if "passed" in states else "not_offered"


def _worth(check: CheckResult, in_ci: bool, repeated_runs: int) -> Worth:
    """Return what a check that passed is worth."""
    if check.proof.state == "vacuous":
        return Worth(0.0, f"{check.id} passed, but it proves nothing: {_what_was_missed(check.proof)}.")
    if check.proof.state == "unproven":
        if check.origin == "marked test":
            why = "no fault is planted in it, so nobody knows whether it can fail"
            return Worth(0.5, f"{check.id} passed, but {why}: a marked test is worth ½ until it has a planted fault.")
        if check.origin == "existing result":
            why = "no fault was planted where it was made, so nobody knows whether it could have failed"
            return Worth(0.5, f"{check.id} passed, but {why}: an existing result is worth ½.")
        return Worth(0.0, f"{check.id} passed, but plants no fault, so nothing shows that it can fail.")
    if check.proxy:
        why = f"on an estimate in place of what it should measure ({check.proxy})"
        return Worth(0.5, f"{check.id} passed and proved itself, but {why}: a proxy is worth ½.")
    if is_repeated(check, in_ci=in_ci, repeated_runs=repeated_runs):
        how = "it runs in CI" if in_ci else f"{check.runs_before + 1} runs are on record"
        return Worth(1.0, f"Full credit: {check.id} passed, caught what was planted, and is repeated ({how}).")
    runs = f"this is run {check.runs_before + 1} of the {repeated_runs} within the window that count as repeated"
    return Worth(0.5, f"{check.id} passed and proved itself, but is not repeated yet: {runs}; in CI it counts at once.")


def _worth_of_attestation(entry: Attestation) -> Worth:
    until = f"{entry.by} vouches for it until {entry.expires}"
    return Worth(0.5, f"{until}; the other half takes a check that passes, proves itself and is repeated.")


def _what_was_missed(proof: Proof) -> str:
    """Return why a proof is vacuous, naming the faults."""
    missed = [f"«{fault.name}»" for fault in proof.faults if fault.state == "missed"]
    broken = [f"«{fault.name}» ({fault.by})" for fault in proof.faults if fault.state == "error"]
    parts = [f"it did not notice the planted fault {' and '.join(missed)}"] if missed else []
    parts += [f"the fault {' and '.join(broken)} could not be planted"] if broken else []
    parts += [f"it was not quiet on the unbroken copy ({proof.control})"] if proof.control else []
    return "; ".join(parts) or "no planted fault was caught"


def _credit(checks: list[CheckResult], worths: list[Worth], best: float) -> Worth:
    """Return the item's credit: the best evidence, cut by whatever failed, erred or stayed in doubt."""
    for state, words in (("failed", "failed"), ("error", "ended in an error")):
        if named := _ids(checks, state):
            return Worth(0.0, f"{named} {words}, which cuts the credit to 0, whatever else speaks for the item.")
    reasons = [worth.reason for worth in worths if worth.credit == best]
    reasons += [worth.reason for worth in worths if worth.credit < best < 1]
    if named := _ids(checks, "inconclusive"):
        if best == 0:
            doubt = [f"{named} came to no conclusion, and doubt earns nothing."]
        elif best == 1:
            doubt, reasons = [f"{named} came to no conclusion, so no more than ½ is given: doubt never passes."], []
        else:
            doubt = [f"{named} came to no conclusion, and doubt earns nothing more."]
        return Worth(min(best, 0.5), " ".join(_first(doubt + reasons)))
    if not worths:
        missing = [check.reason for check in checks if check.reason]
        return Worth(0.0, " ".join(["No evidence was offered.", *_first(missing)]))
    return Worth(best, reasons[0] if best == 1 else " ".join(_first(reasons)))


def _first(sentences: Iterable[str], limit: int = 3) -> list[str]:
    return list(dict.fromkeys(sentences))[:limit]


def _ids(checks: list[CheckResult], state: str) -> str:
    ids = list(dict.fromkeys(check.id for check in checks if check.state == state))
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")


def _sum(items: Iterable[ItemResult], section: str, credit: Callable[[ItemResult], float]) -> float:
    return sum((credit(item) for item in items if item.section == section), 0.0)


def _lowest(items: Sequence[ItemResult], credit: Callable[[ItemResult], float]) -> float:
    return min(_sum(items, section.id, credit) for section in rubric().sections)


def _letter(item: ItemResult, in_ci: bool, repeated_runs: int) -> float:
    """Return the credit that the paper's words allow: a test that runs counts, whatever it says of the system."""
    ran = [check for check in item.checks if check.state in RAN]
    whole = [is_repeated(check, in_ci=in_ci, repeated_runs=repeated_runs) and not check.proxy for check in ran]
    credits = [1.0 if one else 0.5 for one in whole]
    return max([item.credit, *credits, 0.5 if item.attestations else 0.0])


def _proven(item: ItemResult) -> float:
    """Return the credit without people's word and without tests that never showed that they can fail."""
    return item.credit if any(c.state == "passed" and c.proof.state == "proven" for c in item.checks) else 0.0


def _applicable(items: Sequence[ItemResult]) -> float:
    """Return the minimum over sections rescaled to 7 points; a section with no applicable item does not count."""
    rescaled = []
    for section in rubric().sections:
        credits = [item.credit for item in items if item.section == section.id and not _waived_as_not_applicable(item)]
        if credits:
            rescaled.append(7 * sum(credits) / len(credits))
    return round(min(rescaled, default=0.0), 2)


def _waived_as_not_applicable(item: ItemResult) -> bool:
    return any(waiver.kind == "not-applicable" for waiver in item.waivers)
