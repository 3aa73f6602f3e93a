"""What a case of the proving harness is: a fault with its healthy look-alike, or a healthy control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from mltestscore.result import State

from .system import ITEMS, System

SEVERITIES = ("L", "M", "H")
NEVER = ""

Inject = Callable[[System, float, int], Iterable[str] | None]
Change = Callable[[System, int], None]


@dataclass
class Fault:
    """A fault of the catalogue, injected into a copy of the example.

    Attributes:
        id: its number in the catalogue, such as ``"O3a"``.
        item: the item that must fail.
        what: the fault in words.
        severities: what ``inject`` gets for L, M and H.
        cause: words that must all stand in what the failed findings say; ``"a|b"`` means either.
        also: other items that fail rightly, because the fault is theirs too.
        reach: the mildest severity that must be seen; :data:`NEVER` where no check of a system can see it.
        below: why milder ones need not be.
        turns: the state that the item must turn to; ``not_offered`` where the fault takes away what is asked.
        at_length: whether its cases are run by the command alone, because they take long.
        inject: breaks the system; may return further words that must be named, such as the column that it chose.
        control: changes the system as much and harmlessly.
    """

    id: str
    item: str
    what: str
    severities: Mapping[str, float]
    cause: tuple[str, ...]
    inject: Inject
    also: tuple[str, ...] = ()
    reach: str = "L"
    below: str = ""
    turns: State = "failed"
    at_length: bool = False
    control: Inject | None = None
    harmless: str = ""

    def must_be_seen(self, severity: str) -> bool:
        """Say whether the item has to fail at this severity."""
        return self.reach != NEVER and SEVERITIES.index(severity) >= SEVERITIES.index(self.reach)

    @property
    def mildest(self) -> str:
        """The mildest severity that must be seen, or the worst that there is."""
        return self.reach or SEVERITIES[-1]

    def healthy(self, what: str) -> Callable[[Inject], Inject]:
        """Register the matched control: an equally large harmless edit."""

        def register(control: Inject) -> Inject:
            self.control, self.harmless = control, what
            return control

        return register


@dataclass(frozen=True)
class Control:
    """A healthy system that discredits a tool which accuses it.

    Attributes:
        number: its place in the catalogue's list of healthy controls, such as ``"9, 10"``; empty if it has none.
        items: the checks that look at the change.
        at_length: more of them, that take long: only the command asks them.
    """

    id: str
    number: str
    what: str
    change: Change
    items: tuple[str, ...] = ITEMS
    at_length: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cases:
    """All cases, in order of their definition; ``left_out`` says what is not planted, and why."""

    faults: dict[str, Fault] = field(default_factory=dict)
    controls: dict[str, Control] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


CASES = Cases()


def fault(
    id: str,
    item: str,
    what: str,
    severities: tuple[float, float, float],
    cause: Iterable[str],
    *,
    also: tuple[str, ...] = (),
    reach: str = "L",
    below: str = "",
    turns: State = "failed",
    at_length: bool = False,
) -> Callable[[Inject], Fault]:
    """Register a function as the fault ``id`` of ``item``; see :class:`Fault`."""

    def register(inject: Inject) -> Fault:
        named = dict(zip(SEVERITIES, severities, strict=True))
        more = (also, reach, below, turns, at_length)
        CASES.faults[id] = Fault(id, item, what, named, tuple(cause), inject, *more)
        return CASES.faults[id]

    return register


def control(
    id: str, number: str, what: str, *items: str, at_length: tuple[str, ...] = ()
) -> Callable[[Change], Control]:
    """Register a function as a healthy control that ``items`` look at, all unless some are named."""

    def register(change: Change) -> Control:
        named = items if items or at_length else ITEMS
        CASES.controls[id] = Control(id, number, what, change, named, at_length)
        return CASES.controls[id]

    return register


def left_out(id: str, why: str) -> None:
    """Say that a fault or a healthy control of the catalogue is not planted, and why."""
    CASES.left_out[id] = why


def all_cases() -> Cases:
    """Return every case of ``faults/`` and ``healthy/``."""
    for folder in ("faults", "healthy"):
        for file in sorted((Path(__file__).parent / folder).glob("[a-z]*.py")):
            import_module(f"{__package__}.{folder}.{file.stem}")
    return CASES
