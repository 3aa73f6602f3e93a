"""The environment that serves, held to the lock: what differs, what is missing, what nobody pins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltestscore.dependencies.locks import Pin
    from mltestscore.inputs.dependencies import Dependencies

TOOLS = frozenset({"pip", "setuptools", "wheel"})  # come with an environment, not with a lock
COLUMNS = ("package", "locked", "installed", "lock")


@dataclass(frozen=True)
class Drift:
    """How environment and lock differ.

    Attributes:
        compared: how many packages the lock requires here.
        differing: those of another version, as pairs of name and text.
        missing: those that are not installed.
        loose: those that the lock does not pin to one version.
        unlocked: installed packages that no lock names.
        rows: what differs, for a table with :data:`COLUMNS`.
    """

    compared: int
    differing: list[str]
    missing: list[str]
    loose: list[str]
    unlocked: list[str]
    rows: list[tuple[str, str, str, str]]


def drift(dependencies: Dependencies) -> Drift:
    """Hold each package that the locks require here to what is installed.

    What conda pins can only be looked for where conda installs, but for what has the same name as a Python package.
    """
    environment = dependencies.environment
    found = Drift(0, [], [], [], [], [])
    compared = 0
    for (name, _), pins in dependencies.required.items():
        version = dependencies.installed(pins[0])
        if version is None and pins[0].conda and not environment.conda:
            continue
        compared += 1
        if not all(one.exact for one in pins):
            found.loose.append(name)
        if version is None:
            found.missing.append(name)
        elif not any(one.allows(version) for one in pins):
            found.differing.append(f"{name} {version:.40}, not {_locked(pins)}")
        else:
            continue
        found.rows.append((name, _locked(pins), version or "not installed", pins[0].lock))
    known = {one.name for one in dependencies.pins} | TOOLS
    unlocked = [name for name in sorted(environment.packages) if name not in known]
    return Drift(compared, found.differing, found.missing, found.loose, unlocked, found.rows)


def _locked(pins: Sequence[Pin]) -> str:
    return " or ".join(dict.fromkeys((one.exact or one.allowed)[:40] for one in pins[:3]))
