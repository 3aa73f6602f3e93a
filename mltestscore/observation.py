"""One run of a check's generator: what it yielded, and what that adds up to."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltestscore.declare import Check
from mltestscore.details import Detail, Histograms, Series, Table, Text
from mltestscore.finding import Finding, Verdict


@dataclass(frozen=True)
class Observed:
    """What a check yielded."""

    findings: list[Finding] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)

    def failed(self) -> set[tuple[str, str]]:
        """Return the keys of the findings that failed and count."""
        return {finding.key for finding in self.findings if finding.verdict == "failed" and not finding.advisory}

    def worse_than(self, control: Observed) -> set[tuple[str, str]]:
        """Return the keys of what failed here and in the control, with an interval wholly farther beyond the limit.

        On a system that fails already, a fault of the same kind shows by no new failure but by a larger one.
        """
        before = {finding.key: finding for finding in control.findings}
        both = self.failed() & control.failed()
        return {one.key for one in self.findings if one.key in both and _farther(one, before[one.key])}

    @property
    def verdict(self) -> Verdict:
        """Return what the findings that count add up to: the worst of them."""
        verdicts = {finding.verdict for finding in self.findings if not finding.advisory}
        if "failed" in verdicts:
            return "failed"
        return "inconclusive" if "inconclusive" in verdicts else "passed"


def observe(
    check: Check,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    enough: Callable[[Observed], object] = lambda observed: False,
) -> Observed:
    """Run the check's generator and sort what it yields; refuse what is neither finding nor detail, and silence.

    ``enough`` is asked after each finding that failed whether what was observed so far settles the matter; then the
    check is ended where it stands.
    """
    observed = Observed()
    yielded = check.function(**inputs, **options)
    for thing in yielded:
        if isinstance(thing, Finding):
            observed.findings.append(thing)
            if thing.verdict == "failed" and not thing.advisory and enough(observed):
                break
        elif isinstance(thing, Table | Series | Histograms | Text):
            observed.details.append(thing)
        else:
            raise TypeError(f"{check.id} yielded {thing!r:.80}; yield findings (at_most, …) or details (Table, …)")
    if isinstance(yielded, Generator):
        yielded.close()  # what the check has started, it stops
    if not any(not finding.advisory for finding in observed.findings):
        raise ValueError(f"{check.id} yielded no finding that counts; a check that observes nothing proves nothing")
    return observed


def _farther(finding: Finding, before: Finding) -> bool:
    now, then = finding.interval, before.interval
    if now is None or then is None:
        return False
    above = finding.ceiling is not None and now.low > max(finding.ceiling, then.high)
    below = finding.floor is not None and now.high < min(finding.floor, then.low)
    return above or below
