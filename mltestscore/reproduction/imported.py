"""Which packages a training ran with: those that it imported, and those without which its code cannot run.

Used in the training's own process, after it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from mltestscore.dependencies.environment import normal
from mltestscore.dependencies.environment_process import described

GIVEN = ("numpy", "pandas")  # a training is given a frame, whether or not it imports what that is made of
OWN = "mltestscore"


def used_since(before: Collection[str], folder: Path) -> dict[str, Any]:
    """Return what this process imported since ``before``, names of modules.

    Beside what :func:`described` says of the interpreter: ``used``, normal names of the packages that were imported;
    ``needed``, those of them that the code below ``folder`` imports, or what these require; ``by_conda``, those that
    conda installed, under names of its own.
    """
    new = {name.partition(".")[0] for name in set(sys.modules) - set(before)} | {*GIVEN}
    of_module = metadata.packages_distributions()
    used = {found.name: found for top in new for found in _installed(top, of_module)}
    asked = {found.name for top in {*_imported_below(folder, before), *GIVEN} for found in _installed(top, of_module)}
    by_conda = [name for name, found in used.items() if (found.read_text("INSTALLER") or "").strip() == "conda"]
    needed = _required_by(asked) & {normal(name) for name in used}
    return described() | {
        "used": sorted(map(normal, used)),
        "needed": sorted(needed),
        "by_conda": sorted(map(normal, by_conda)),
    }


def _installed(top: str, of_module: Mapping[str, list[str]]) -> Iterator[metadata.Distribution]:
    """Yield the distributions that a module comes from: where it lies, so that a project's own folder is none."""
    places = [getattr(sys.modules.get(top), "__file__", None), *getattr(sys.modules.get(top), "__path__", ())]
    for name in set(of_module.get(top, ())) - {OWN}:
        with suppress(metadata.PackageNotFoundError):
            found = metadata.distribution(name)
            home = Path(str(found.locate_file(""))).resolve()
            if any(place and Path(place).resolve().is_relative_to(home) for place in places):
                yield found


def _imported_below(folder: Path, before: Collection[str]) -> set[str]:
    """Return the first parts of what the project's modules import, wherever in their files."""
    here, found = folder.resolve(), set[str]()
    for name in set(sys.modules) - set(before):
        file = getattr(sys.modules[name], "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and Path(file).is_relative_to(here):
            with suppress(OSError, SyntaxError, ValueError, RecursionError):
                tree = ast.parse(Path(file).read_bytes())
                found |= {part for node in ast.walk(tree) for part in _tops(node)}
    return found


def _tops(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _required_by(names: Collection[str]) -> set[str]:
    """Return the normal names of packages and of what they require, and these, extras left out."""
    from packaging.requirements import InvalidRequirement, Requirement

    queue, found = list(map(normal, names)), set[str]()
    for name in queue:  # grows as we go
        if name in found:
            continue
        found.add(name)
        with suppress(metadata.PackageNotFoundError):
            for text in metadata.distribution(name).requires or ():
                with suppress(InvalidRequirement):
                    one = Requirement(text)
                    if one.marker is None or one.marker.evaluate({"extra": ""}):
                        queue.append(normal(one.name))
    return found
