"""States, groups and verdicts in words that somebody who never saw the code understands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mltestscore.result import CheckResult, FindingRecord
from mltestscore.scorecard import ItemResult, ItemState, Scorecard, Section
from mltestscore.words.figures import limit_text, plural, points, sign, value_text, with_unit


@dataclass(frozen=True)
class Wording:
    """How a state is called.

    Attributes:
        heading: of the group of items in this state.
        word: beside the mark of one item.
        lead: the first words of the answer to the item's question.
        open: whether the group's items are shown unfolded.
    """

    heading: str
    word: str
    lead: str
    open: bool = False


STATES: dict[ItemState, Wording] = {
    "failed": Wording("Failing", "failing", "Does not hold.", open=True),
    "error": Wording("Error", "error", "Could not be checked.", open=True),
    "inconclusive": Wording("Inconclusive", "inconclusive", "Cannot be told yet.", open=True),
    "not_offered": Wording("Not offered", "not offered", "Not looked at."),
    "attested": Wording("Attested", "attested", "Vouched for by a person, not checked by a machine."),
    "passed": Wording("Passed", "passed", "Holds."),
}
"""In the order in which a reader needs them."""

SECTIONS: dict[Section, str] = {
    "data": "Data",
    "model": "Model",
    "infra": "Infrastructure",
    "monitor": "Monitoring",
}

ANSWERS_BY = {"failed": ("failed",), "error": ("error",), "inconclusive": ("inconclusive",), "passed": ("passed",)}
"""Which of an item's checks explain its state."""


def grouped(items: Iterable[ItemResult]) -> list[tuple[ItemState, list[ItemResult]]]:
    """Return the items by state, worst first, each group in rubric order; states without an item are left out."""
    order = list(SECTIONS)
    known = sorted(items, key=lambda item: order.index(item.section))  # stable: within a section the order is kept
    groups = [(state, [item for item in known if item.state == state]) for state in STATES]
    return [(state, members) for state, members in groups if members]


def verdict(item: ItemResult) -> str:
    """Return the item's verdict in a sentence or two: the answer first, then why."""
    reasons = [reason(check) for check in item.checks if check.state in ANSWERS_BY.get(item.state, ())]
    reasons += [_worthless(check) for check in item.checks]
    if item.state == "attested":
        reasons = [f"By {said.by} on {said.date}." for said in item.attestations]
    elif item.state == "not_offered":
        reasons = [reason(check) for check in item.checks]
    return " ".join([STATES[item.state].lead, *dict.fromkeys(part for part in map(sentence, reasons) if part)])


def _worthless(check: CheckResult) -> str:
    """Return why a check that passed shows nothing; ``""`` for one that does, or did not pass."""
    if check.state != "passed" or check.proof.state == "proven":
        return ""
    if proves_nothing(check):
        return f"{check.id} passed, but it proves nothing: it did not notice what was planted to test it"
    return f"{check.id} passed, but no fault was planted, so nothing shows that it can fail"


def reason(check: CheckResult) -> str:
    """Return why a check came out as it did, from its own reason or, where it gives none, from its findings."""
    if check.reason:
        return check.reason
    decisive = [finding for finding in check.findings if finding.verdict == check.state and not finding.advisory]
    if check.state == "passed":
        return f"{plural(len(decisive), 'finding')} within the limit" if decisive else ""
    return "; ".join(said(finding) for finding in decisive[:2]) + (
        f"; and {plural(len(decisive) - 2, 'more finding')}" if len(decisive) > 2 else ""
    )


def said(finding: FindingRecord) -> str:
    """Return a finding as one phrase: where, what, how much, which limit, and the cause if it is known."""
    subject = f"{finding.where}: {finding.name}" if finding.where else finding.name
    if finding.value is None:
        return f"{subject} – {finding.note or 'could not be measured'}"
    limit = limit_text(finding)
    text = f"{subject} {with_unit(value_text(finding), finding.unit)}"
    text += f" (limit: {limit}{f' {sign(finding.unit)}' if finding.unit else ''})" if limit else ""
    if finding.verdict == "inconclusive" and finding.n_to_settle:
        text += f"; n is {finding.n:,}, {finding.n_to_settle:,} would settle it"
    return f"{text}: {finding.cause}" if finding.cause else text


def proof(checks: Iterable[CheckResult]) -> str:
    """Return how many planted faults an item's checks caught; ``""`` where none was planted."""
    faults = [fault for check in checks for fault in check.proof.faults]
    if not faults:
        return ""
    caught = sum(fault.state == "caught" for fault in faults)
    return f"caught {caught} of {plural(len(faults), 'planted fault')}"


def renewed(scorecard: Scorecard) -> str:
    """Return how many checks that had run before were proven again in this run; ``""`` for none.

    A proof on record is taken again while code, options and inputs are the same; it is renewed when one of them is not,
    or when an input has no digest. The first proof of a new check renews none.
    """
    checks = [check for item in scorecard.items for check in item.checks]
    made_now = [check for check in checks if check.proof.state == "proven" and not check.proof.cached_from]
    count = sum(check.runs_before > 0 for check in made_now)
    return f"{plural(count, 'proof')} renewed" if count else ""


def proves_nothing(check: CheckResult) -> bool:
    """Return whether the check came to a verdict and missed a fault, or was not quiet on the unbroken copy.

    What could not tell sound from broken here and says so itself, for lack of rows for instance, feigns nothing.
    """
    return check.proof.state == "vacuous" and check.state != "inconclusive"


def sentence(text: str) -> str:
    """Return text that ends with a full stop and begins with a capital, unless it begins with a name such as an id.

    >>> sentence("it expired"), sentence("monitor.3 failed"), sentence("temp: rows differ")
    ('It expired.', 'monitor.3 failed.', 'temp: rows differ.')
    """
    text = text.strip()
    if not text:
        return ""
    first = text.split(maxsplit=1)[0]
    return (text[0].upper() + text[1:] if first.rstrip(",;").isalpha() else text) + ("" if text[-1] in ".!?…" else ".")


def counts(scorecard: Scorecard) -> list[str]:
    """Return how many items are in each state, worst first: ``["1 failing", "17 passed"]``."""
    return [f"{len(items)} {STATES[state].word}" for state, items in grouped(scorecard.items)]


def trend(scorecard: Scorecard) -> str:
    """Return the first score on record and this one: ``"0.5 → 2.5 over 6 runs"``; ``""`` on the first run."""
    before = scorecard.trend
    if not before:
        return ""
    return f"{points(before[0].value)} → {points(scorecard.score.value)} over {plural(len(before) + 1, 'run')}"


def holding_back(scorecard: Scorecard) -> str:
    """Return which sections hold the score, by name."""
    return " and ".join(SECTIONS[section] for section in scorecard.score.holds_back)
