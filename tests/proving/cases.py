"""What a case of the proving harness is: a fault with its healthy look-alike, or a healthy control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from .system import ITEMS, System

SEVERITIES = ("L", "M", "H")

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
        reach: the mildest severity that must be seen.
        below: why milder ones need not be.
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
    control: Inject | None = None
    harmless: str = ""

    def must_be_seen(self, severity: str) -> bool:
        """Say whether the item has to fail at this severity."""
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.reach)

    def healthy(self, what: str) -> Callable[[Inject], Inject]:
        """Register the matched control: an equally large harmless edit."""

        def register(control: Inject) -> Inject:
            self.control, self.harmless = control, what
            return control

        return register


@dataclass(frozen=True)
class Control:
    """A healthy system that discredits a tool which accuses it; ``items`` are the checks that look at the change."""

    id: str
    what: str
    change: Change
    items: tuple[str, ...] = ITEMS


@dataclass(frozen=True)
class Cases:
    """All cases, in order of their definition; ``left_out`` says which faults are not injected, and why."""

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
) -> Callable[[Inject], Fault]:
    """Register a function as the fault ``id`` of ``item``; see :class:`Fault`."""

    def register(inject: Inject) -> Fault:
        named = dict(zip(SEVERITIES, severities, strict=True))
        CASES.faults[id] = Fault(id, item, what, named, tuple(cause), inject, also, reach, below)
        return CASES.faults[id]

    return register


def control(id: str, what: str, *items: str) -> Callable[[Change], Control]:
    """Register a function as a healthy control that ``items`` look at."""

    def register(change: Change) -> Control:
        CASES.controls[id] = Control(id, what, change, items or ITEMS)
        return CASES.controls[id]

    return register


def left_out(id: str, why: str) -> None:
    """Say that a fault of the catalogue is not injected, and why."""
    CASES.left_out[id] = why


def all_cases() -> Cases:
    """Return every case of ``faults/`` and ``controls.py``."""
    for file in sorted((Path(__file__).parent / "faults").glob("[a-z]*.py")):
        import_module(f"{__package__}.faults.{file.stem}")
    import_module(f"{__package__}.controls")
    return CASES
