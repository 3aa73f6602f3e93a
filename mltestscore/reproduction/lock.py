"""The packages that a training ran with, held to the lock that the team trains from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.dependencies.environment import Environment, environment_of
from mltestscore.dependencies.locks import Pin, read_lock
from mltestscore.details import Table
from mltestscore.finding import Finding, at_most

if TYPE_CHECKING:
    from mltestscore.inputs.trainer import Trained

OTHER_VERSION = "packages that the training ran with in another version than locked"
OPEN = "packages that the training ran with and no lock pins to a version"
SETTING = "locks under [tool.mltestscore.trainer]"
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "conda-lock.yml", "requirements.txt")
TOOLS = frozenset({"pip", "setuptools", "wheel"})  # come with an environment, not with a lock
COLUMNS = ("package", "locked", "used", "")
MOST_ROWS = 200
NAMED = 5


@dataclass(frozen=True)
class Lock:
    """Files that pin packages, read when a training has said what it ran with.

    Attributes:
        names: the files, relative to ``base``.
        base: the project's folder.
        extras: the extras and groups that are installed.
        of_serving: whether it is the lock of the environment that serves, which need not name what training needs.
        loosened: whether pins allow any version: a planted fault.
    """

    names: tuple[str, ...]
    base: Path
    extras: tuple[str, ...] = ()
    of_serving: bool = False
    loosened: bool = False

    @property
    def digest(self) -> str:
        """A digest of the files and of how they are read."""
        whole = hashlib.sha256(repr((self.names, self.extras, self.of_serving, self.loosened)).encode())
        for name in self.names:
            file = self.base / name
            whole.update(file.read_bytes() if file.is_file() else b"")
        return whole.hexdigest()[:16]

    def pins(self, environment: Environment) -> dict[str, list[tuple[Pin, ...]]]:
        """Return the pins of each package that are for this environment, by lock; of one lock's, any will do.

        Raises :class:`InputError` for a lock that is not there or cannot be read.
        """
        found: dict[str, list[tuple[Pin, ...]]] = {}
        for name in self.names:
            of_lock: dict[str, list[Pin]] = {}
            for pin in read_lock(name, self.base, environment):
                if pin.fits(environment, self.extras):
                    of_lock.setdefault(pin.name, []).append(replace(pin, allowed="") if self.loosened else pin)
            for package, pins in of_lock.items():
                chosen = [one for one in pins if one.applies(environment, self.extras)]
                found.setdefault(package, []).append(tuple(chosen or pins))
        return found


def locked(lock: Lock | None, trained: Trained, folder: Path) -> Iterator[Finding | Table]:
    """Hold what a training ran with to the lock; without one, say what nobody pins."""
    said = trained.environment
    if not said:
        return
    environment, used = environment_of(said), list(map(str, said["used"]))
    if lock is None:
        beside = [name for name in LOCKS if (folder / name).is_file()]
        why = f"no lock is named; write {SETTING}{f', such as {beside[0]!r}' if beside else ''}"
        yield at_most(OPEN, len(used), 0, n=len(used), cause=why, advisory=True)
        return
    rows = sorted(_rows(lock, environment, said), key=lambda row: (not row[3], row[0]))
    other = [f"{name} {version:.40}, not {pinned}" for name, pinned, version, what in rows if what == "another version"]
    loose = [name for name, _, _, what in rows if what.startswith("not pinned")]
    yield at_most(OTHER_VERSION, len(other), 0, n=len(used), cause="; ".join(other[:NAMED]))
    yield at_most(OPEN, len(loose), 0, n=len(used), cause=", ".join(loose[:NAMED]))
    yield Table("What the training ran with", COLUMNS, rows[:MOST_ROWS])


def _rows(lock: Lock, environment: Environment, said: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row a package, with what is wrong with it, or nothing."""
    pins = lock.pins(environment)
    for name in said["used"]:
        version, held = environment.packages.get(name, "?"), pins.get(name, [])
        pinned = " and ".join(" or ".join((one.exact or one.allowed or "any")[:40] for one in some) for some in held)
        what = ""
        if not held:
            required = name in said["needed"] and name not in said["by_conda"] and name not in TOOLS
            what = "not pinned" if required and not lock.of_serving else "in no lock"
        elif not all(any(one.allows(version) for one in some) for some in held):
            what = "another version"
        elif not all(one.exact for some in held for one in some):
            what = "not pinned to one version"
        yield name[:80], pinned, version[:40], what
