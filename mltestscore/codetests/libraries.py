"""Which libraries importing a module of a project imports, as its files say; nothing is imported to find out."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST_FILES = 500


def libraries_of(module: str, folder: Path) -> list[str]:
    """Return the modules from outside of ``folder`` that importing ``module`` asks for, in order.

    Those that a function imports are not among them, nor those for type checkers alone; some names may be of objects
    and not of modules.
    """
    home = folder.resolve()
    inside = [place for part in filter(None, sys.path) if (place := Path(part).resolve()).is_relative_to(home)]
    roots = list(dict.fromkeys([home, home / "src", *inside]))
    queue, found, files = _with_parents(module), dict[str, None](), set[Path]()
    for name in queue:  # grows as we go
        file = _file(name, roots)
        if file is None:
            found.setdefault(name)
        elif file not in files and len(files) < MOST_FILES:
            files.add(file)
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            queue += [one for asked in _imports(_parsed(file), package) for one in _with_parents(asked)]
    local = {root_name for root in roots if root.is_dir() for one in root.iterdir() if (root_name := one.stem)}
    return [name for name in found if name.partition(".")[0] not in local]


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _file(name: str, roots: Sequence[Path]) -> Path | None:
    path = Path(*name.split("."))
    candidates = (place for root in roots for place in (root / path / "__init__.py", root / path.with_suffix(".py")))
    return next((place for place in candidates if place.is_file()), None)


def _parsed(file: Path) -> list[ast.stmt]:
    try:
        return ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []  # importing it will say what is wrong


def _imports(statements: Sequence[ast.stmt], package: str) -> Iterator[str]:
    """Yield the modules, and what may be modules, that statements import when they are run."""
    for one in statements:
        if isinstance(one, ast.Import):
            yield from (alias.name for alias in one.names)
        elif isinstance(one, ast.ImportFrom):
            parts = package.split(".")
            start = ".".join([*(parts[: len(parts) + 1 - one.level] if one.level else ()), *filter(None, [one.module])])
            yield from filter(None, [start])
            yield from (f"{start}.{alias.name}" for alias in one.names if start and alias.name != "*")
        elif isinstance(one, ast.If) and "TYPE_CHECKING" in ast.unparse(one.test):
            yield from _imports(one.orelse, package)
        elif isinstance(one, ast.If | ast.Try | ast.With):
            yield from _imports([*one.body, *getattr(one, "orelse", ())], package)
