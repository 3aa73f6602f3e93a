"""What the templates print: the records with the texts, pictures and folds they need; nothing is decided in HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup, escape

from mltestscore.result import CheckResult
from mltestscore.scorecard import ItemResult, ItemState, NextStep, Scorecard, SectionScore
from mltestscore.words import states, tame
from mltestscore.words.figures import plural, seconds

from .details import PICTURES, Caps, Figure, figure
from .findings import Group, finding_groups
from .pictures import gauge, sparkline


@dataclass(frozen=True)
class Fullness:
    """How much a page carries; see :data:`mltestscore.reports.html.render.FULLNESS`."""

    findings: int
    caps: Caps
    groups: int = 40
    about: bool = True
    about_passed: bool = True
    figures: int = 12
    figures_of_passed: int = 12
    longest: int = tame.LONGEST
    note: str = ""


@dataclass(frozen=True)
class CheckView:
    """One check under its item."""

    record: CheckResult
    fullness: Fullness
    decided: ItemState

    @cached_property
    def groups(self) -> Sequence[Group]:
        """The findings, by name."""
        return finding_groups(self.record, self.fullness.findings)[: self.fullness.groups]

    @property
    def hidden_groups(self) -> int:
        """How many measures are not on the page."""
        return len({finding.name for finding in self.record.findings}) - len(self.groups)

    @property
    def folded_words(self) -> str:
        """The line that unfolds the findings that agree; empty when none is folded."""
        count = sum(len(group.folded) for group in self.groups)
        return f"{plural(count, 'more finding')} within the limit" if count else ""

    @property
    def hidden_findings(self) -> int:
        """How many findings that agree are not on the page."""
        return sum(group.hidden for group in self.groups)

    @cached_property
    def figures(self) -> Sequence[Figure]:
        """The typed details, drawn."""
        passed = self.record.state == "passed"
        most = self.fullness.figures_of_passed if passed else self.fullness.figures
        # Where not all find room, a reader would rather look at a picture than at a table.
        first = sorted(self.record.details, key=lambda detail: detail.kind not in PICTURES)[:most]
        return [figure(detail, self.fullness.caps) for detail in self.record.details if detail in first]

    @property
    def hidden_figures(self) -> int:
        """How many details are not on the page."""
        return len(self.record.details) - len(self.figures)

    @property
    def unsaid(self) -> str:
        """Why the check has nothing to show, where its item's verdict does not say so: another check decided it."""
        silent = self.record.state in ("not_offered", "error") and self.record.state != self.decided
        return self.record.reason if silent else ""

    @property
    def vacuous(self) -> bool:
        """Whether the check proved nothing."""
        return states.proves_nothing(self.record)

    @property
    def repeated(self) -> str:
        """How often the check has run, in words."""
        before = self.record.runs_before
        return "first run on record" if before == 0 else f"{plural(before, 'earlier run')} on record"

    @property
    def took(self) -> str:
        """Seconds of check and planted faults."""
        spent = self.record.seconds
        faults = f", faults {seconds(spent.faults)}" if spent.faults else ""
        return f"check {seconds(spent.check)}{faults}"


@dataclass(frozen=True)
class ItemView:
    """One rubric item."""

    record: ItemResult
    fullness: Fullness

    @cached_property
    def checks(self) -> Sequence[CheckView]:
        """The item's checks, those that explain its state first."""
        explains = states.ANSWERS_BY.get(self.record.state, ())
        ordered = sorted(self.record.checks, key=lambda check: check.state not in explains)
        return [CheckView(check, self.fullness, self.record.state) for check in ordered]

    @property
    def about(self) -> bool:
        """Whether the rubric's own words on the item are on the page."""
        return self.fullness.about and (self.fullness.about_passed or self.record.state != "passed")

    @property
    def verdict(self) -> str:
        """The answer to the item's question."""
        return states.verdict(self.record)

    @property
    def proof(self) -> str:
        """How many planted faults were caught."""
        return states.proof(self.record.checks)

    @property
    def vacuous(self) -> bool:
        """Whether one of the checks proved nothing."""
        return any(check.vacuous for check in self.checks)


@dataclass(frozen=True)
class GroupView:
    """The items in one state."""

    state: ItemState
    wording: states.Wording
    open: bool
    items: Sequence[ItemView]


@dataclass(frozen=True)
class SectionView:
    """One of the four gauges."""

    record: SectionScore
    picture: Markup
    holds: bool
    items: Sequence[ItemResult]


@dataclass(frozen=True)
class Page:
    """The whole page."""

    card: Scorecard
    fullness: Fullness

    @cached_property
    def groups(self) -> Sequence[GroupView]:
        """The items by state, worst first."""
        return [
            GroupView(
                state,
                states.STATES[state],
                states.STATES[state].open or (number == 0 and state != "passed"),  # a page is never all folded
                [ItemView(item, self.fullness) for item in items],
            )
            for number, (state, items) in enumerate(states.grouped(self.card.items))
        ]

    @property
    def sections(self) -> Sequence[SectionView]:
        """The four sections with their items in rubric order."""
        score = self.card.score
        return [
            SectionView(
                section,
                gauge(section, score.value),
                section.id in score.holds_back,
                [item for item in self.card.items if item.section == section.id],
            )
            for section in score.sections
        ]

    @property
    def next_steps(self) -> Sequence[NextStep]:
        """The cheapest steps, best first."""
        return self.card.next_steps

    @property
    def trend(self) -> Markup:
        """The sparkline; empty on the first run."""
        score = self.card.score
        return sparkline(self.card.trend, score.value, score.maximum) if self.card.trend else Markup("")

    @property
    def changed_options(self) -> Sequence[tuple[str, str, str]]:
        """Options that differ from their defaults: check, option, value."""
        checks = {check.id: check for item in self.card.items for check in item.checks}
        return [
            (check.id, option, str(check.options.get(option)))
            for check in checks.values()
            for option in check.options_changed
        ]


def web_address(link: str) -> bool:
    """Return whether a link from a statement may be followed: plain ``http`` or ``https``, nothing odd inside."""
    return re.fullmatch(r"https?://[^\s<>\"'`\\]{1,500}", link, re.ASCII) is not None and link.isascii()


def beside(file: str) -> bool:
    """Return whether a link leads to a page that a run writes beside this one, and nowhere else."""
    return re.fullmatch(r"drilldown-[0-9a-f]{16}\.html", file, re.ASCII) is not None


def coded(text: str) -> Markup:
    """Return text with what stands between backticks set as code, as the rubric's texts name config keys.

    >>> str(coded("set `a<b` there"))
    'set <span class="code">a&lt;b</span> there'
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner
        return escape(text)
    frames = (Markup('<span class="code">{}</span>') if index % 2 else Markup("{}") for index in range(len(parts)))
    return Markup("").join(frame.format(part) for frame, part in zip(frames, parts, strict=True))
