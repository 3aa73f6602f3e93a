"""The 28 items of the rubric, read from ``rubric.toml``: the only place where their texts stand."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from mltestscore.errors import ConfigError, near

SectionId = Literal["data", "model", "infra", "monitor"]
Effort = Literal["low", "medium", "high"]

SECTION_IDS: tuple[SectionId, ...] = get_args(SectionId)
ITEMS_A_SECTION = 7
MAY_BE_EMPTY = {"in_2016"}

R = TypeVar("R")


@dataclass(frozen=True)
class Item:
    """One rubric test.

    Attributes:
        id: ``"data.1"`` … ``"monitor.7"``, in the order of the paper.
        section: the section whose sum its credit counts in.
        title: the assertion, in our words.
        question: what it answers.
        why: what goes wrong without it.
        evidence: what counts as evidence.
        person: what a person must still judge, however good the automation.
        effort: what it usually takes a team to earn it.
        remedy: the next step, with the config keys that offer the inputs.
        in_2016: how the 2016 version differs; empty where it does not in substance.
        source: paper and section.
    """

    id: str
    section: SectionId
    title: str
    question: str
    why: str
    evidence: str
    person: str
    effort: Effort
    remedy: str
    in_2016: str
    source: str


@dataclass(frozen=True)
class Section:
    """One of the four parts of the rubric; the lowest of their sums is the score."""

    id: SectionId
    title: str
    about: str


@dataclass(frozen=True)
class Rubric:
    """The sections and items, in the order of the paper."""

    version: str
    sections: tuple[Section, ...]
    items: tuple[Item, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the 28 items."""
        return tuple(item.id for item in self.items)

    def item(self, id: str) -> Item:
        """Return the item ``id``; raises :class:`ConfigError` that suggests near names when there is none."""
        for item in self.items:
            if item.id == id:
                return item
        raise ConfigError(f"The rubric has no item {id!r}.{near(id, self.ids)}")

    def section(self, id: str) -> Section:
        """Return the section ``id``; raises :class:`ConfigError` that suggests near names when there is none."""
        for section in self.sections:
            if section.id == id:
                return section
        raise ConfigError(f"The rubric has no section {id!r}.{near(id, SECTION_IDS)}")

    def of(self, section: str) -> tuple[Item, ...]:
        """Return the seven items of a section."""
        return tuple(item for item in self.items if item.section == section)


@cache
def rubric() -> Rubric:
    """Return the rubric that ships with mltestscore, read and validated once a process."""
    return parse((Path(__file__).parent / "rubric.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Rubric:
    """Read a rubric from TOML.

    Raises :class:`ConfigError` unless it holds the four sections and 28 complete items, seven a section, in order.
    """
    data = tomllib.loads(text)
    sections = tuple(_record(Section, entry) for entry in data["section"])
    items = tuple(_record(Item, entry) for entry in data["item"])
    if tuple(section.id for section in sections) != SECTION_IDS:
        raise ConfigError(f"rubric.toml: the sections must be {', '.join(SECTION_IDS)}, in this order")
    expected = [f"{section}.{number}" for section in SECTION_IDS for number in range(1, ITEMS_A_SECTION + 1)]
    _require_ids([item.id for item in items], expected)
    for item in items:
        if item.id.split(".")[0] != item.section:
            raise ConfigError(f"rubric.toml: {item.id} says that it belongs to the section {item.section!r}")
        if item.effort not in get_args(Effort):
            raise ConfigError(f"rubric.toml: {item.id}: effort {item.effort!r} is not one of low, medium, high")
    return Rubric(data["rubric"], sections, items)


def _record(kind: type[R], entry: Mapping[str, Any]) -> R:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    label = f"rubric.toml: {kind.__name__.lower()} {entry.get('id', '?')}"
    for name in entry:
        if name not in names:
            raise ConfigError(f"{label}: unknown key {name!r}.{near(name, names)}")
    for name in names:
        value = entry.get(name)
        if not isinstance(value, str) or (not value.strip() and name not in MAY_BE_EMPTY):
            raise ConfigError(f"{label}: {name} must be a text that is not empty, found {value!r}")
    return kind(**entry)


def _require_ids(found: list[str], expected: list[str]) -> None:
    if found == expected:
        return
    twice = sorted(id for id, count in Counter(found).items() if count > 1)
    missing = [id for id in expected if id not in found]
    unknown = [id for id in found if id not in expected]
    raise ConfigError(
        "rubric.toml must hold the 28 items data.1 … monitor.7, seven a section and in this order; "
        f"missing: {missing}, unknown: {unknown}, twice: {twice}"
    )
