"""Which check files there are, and the checks that they declare."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from mltestscore.declare import Check, declared_check
from mltestscore.errors import ConfigError, near
from mltestscore.shipped import shipped

TEAM = "mltestscore_team"


def our_files() -> list[Path]:
    """Return the files of the rubric's own checks, in rubric order."""
    order = ("data", "model", "infra", "monitor")
    return sorted(shipped("checks").glob("*/*_[1-7]_*.py"), key=lambda file: (order.index(file.parent.name), file.name))


def our_items() -> list[str]:
    """Return the rubric items that have a check of ours, in rubric order."""
    return [".".join(file.name.split("_")[:2]) for file in our_files()]


def team_files(folders: list[Path]) -> list[Path]:
    """Return the files of a team's own checks: ``*.py`` in the folders of ``checks_in``, not in folders below them.

    Raises :class:`ConfigError` for a folder that does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(
                f"tool.mltestscore.checks_in names {folder}, which is not a folder. Make it, or correct the name."
            )
    return [file for folder in folders for file in sorted(folder.glob("*.py")) if not file.name.startswith("_")]


def import_file(file: Path) -> ModuleType:
    """Import a check file under a name that does not depend on the user's ``sys.path`` or import mode."""
    if file.is_relative_to(shipped("checks")):
        return import_module(f"mltestscore.checks.{file.parent.name}.{file.stem}")
    package = f"{TEAM}_{file.parent.name}"
    if package not in sys.modules:
        home = ModuleType(package)
        home.__path__ = [str(file.parent)]
        sys.modules[package] = home
    return import_module(f"{package}.{file.stem}")


def checks_of(module: ModuleType) -> list[Check]:
    """Return the checks that a module declares itself, in the order of the file."""
    declared = (declared_check(value) for value in vars(module).values())
    return [check for check in declared if check is not None and check.function.__module__ == module.__name__]


def our_check(id: str) -> Check:
    """Return the built-in check with this id.

    Raises :class:`ConfigError` with near names when there is none.
    """
    files = {file.name[: len(id)].replace("_", "."): file for file in our_files() if file.name.startswith(_prefix(id))}
    if id in files:
        return checks_of(import_file(files[id]))[0]
    known = our_items()
    raise ConfigError(f"There is no built-in check {id!r}.{near(id, known)}")


def _prefix(id: str) -> str:
    return id.replace(".", "_") + "_"
