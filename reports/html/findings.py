"""A check's findings, ready to print: one group a measure, its failing rows first, rows that agree folded away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mltestscore.result import CheckResult, FindingRecord
from mltestscore.words.figures import (
    interval_text,
    limit_text,
    number,
    share_scale,
    sign,
    value_text,
    with_unit,
)
from mltestscore.words.states import sentence

from .pictures import finding_picture, finding_scale, scale_ends
from .svg import Scale

FEW = 4
"""As many rows that agree are shown unfolded where nothing fails; where something does, they are all folded."""

_WORST_FIRST = {"failed": 0, "inconclusive": 1, "passed": 2}


@dataclass(frozen=True)
class Row:
    """One finding: every text without its unit, which stands once at the head of the group."""

    where: str
    verdict: str
    picture: Markup
    value: str
    interval: str
    limit: str
    n: str
    remarks: Sequence[str]


@dataclass(frozen=True)
class Group:
    """The findings of one name. ``hidden`` rows agree too but are only counted."""

    name: str
    unit: str
    left: str
    right: str
    shown: Sequence[Row]
    folded: Sequence[Row]
    hidden: int
    worst: str

    @property
    def is_single(self) -> bool:
        """Whether the group is one finding on the whole system, which needs no line of its own for the name."""
        return len(self.shown) == 1 and not self.shown[0].where and not self.folded and not self.hidden


def finding_groups(check: CheckResult, most: int) -> list[Group]:
    """Return the findings by name, groups with a failing one first; ``most`` limits the rows shown and those folded."""
    by_name: dict[str, list[FindingRecord]] = {}
    for finding in check.findings:
        by_name.setdefault(finding.name, []).append(finding)
    groups = [_group(name, findings, most) for name, findings in by_name.items()]
    return sorted(groups, key=lambda group: _WORST_FIRST[group.worst])


def _group(name: str, findings: Sequence[FindingRecord], most: int) -> Group:
    ordered = sorted(findings, key=lambda finding: (_WORST_FIRST[finding.verdict], -_nearness(finding)))
    shared = finding_scale(findings)
    open_rows = [finding for finding in ordered if finding.verdict != "passed"]
    agreeing = [finding for finding in ordered if finding.verdict == "passed"]
    if not open_rows and len(agreeing) <= FEW:
        open_rows, agreeing = agreeing, []
    elif not open_rows:
        open_rows, agreeing = agreeing[:1], agreeing[1:]
    shown, folded = open_rows[:most], agreeing[:most]
    left, right = scale_ends(shared, findings[0].unit)
    return Group(
        name=name,
        unit=sign(findings[0].unit),
        left=left,
        right=right,
        shown=[_row(finding, shared) for finding in shown],
        folded=[_row(finding, shared) for finding in folded],
        hidden=len(findings) - len(shown) - len(folded),
        worst=ordered[0].verdict,
    )


def _row(finding: FindingRecord, shared: Scale) -> Row:
    return Row(
        where=finding.where,
        verdict=finding.verdict,
        picture=finding_picture(finding, shared) if finding.value is not None else Markup(""),
        value=value_text(finding),
        interval=interval_text(finding),
        limit=limit_text(finding),
        n=number(finding.n) if finding.n else "",
        remarks=[sentence(remark) for remark in _remarks(finding) if remark],
    )


def _remarks(finding: FindingRecord) -> list[str]:
    """Return what the numbers alone do not say: the cause, the explanation, what more rows would settle."""
    remarks = [finding.cause, finding.note]
    if finding.advisory:
        remarks.append("for information: not part of the verdict")
    if finding.verdict == "inconclusive":
        if finding.smallest_visible is not None and finding.smallest_visible not in (finding.floor, finding.ceiling):
            least = with_unit(number(_three_digits(finding.smallest_visible * share_scale(finding.unit))), finding.unit)
            remarks.append(f"with this n, harm would show only from {least} on")
        if finding.n_to_settle is not None:
            remarks.append(f"an n of about {number(_two_digits(finding.n_to_settle))} would settle it")
    return remarks


def _nearness(finding: FindingRecord) -> float:
    """Return how near a finding comes to its limit, larger is nearer, so that the tightest of many is the one shown."""
    gaps = []
    if finding.ceiling is not None and finding.high is not None:
        gaps.append(finding.ceiling - finding.high)
    if finding.floor is not None and finding.low is not None:
        gaps.append(finding.low - finding.floor)
    return -min(gaps) if gaps else 0.0


def _two_digits(count: int) -> int:
    return int(float(f"{count:.1e}")) if count >= 100 else count


def _three_digits(value: float) -> float:
    return float(f"{value:.3g}")
