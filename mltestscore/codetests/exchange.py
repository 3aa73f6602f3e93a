"""Exchanging the code of functions that are loaded already, and forgetting a project's modules where that will not do.

A function keeps its identity whoever imported it, so new code in it reaches every caller at once.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

Key = tuple[str, int]


class Functions:
    """The functions of some files, as they are loaded."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = frozenset(files)
        self._found: dict[str, list[FunctionType]] = {}

    def note(self) -> None:
        """Look for them among all that is alive: also what decorators wrapped, and methods."""
        for one in gc.get_objects():
            if type(one) is FunctionType and one.__code__.co_filename in self._files:
                self._found.setdefault(one.__code__.co_filename, []).append(one)

    def exchange(self, file: str, text: str) -> bool:
        """Give the functions of a file the code that ``text`` has in their place; say whether that was possible.

        It is not where no function changes (then importing would), where several lie in one place, or where a closure
        has other variables. What nobody has loaded yet needs no exchange: it is read from the file.
        """
        loaded = self._found.get(file, [])
        if not loaded:
            return not any(getattr(module, "__file__", None) == file for module in list(sys.modules.values()))
        codes: dict[Key, list[CodeType]] = {}
        for code in _codes(compile(text, file, "exec", dont_inherit=True)):
            codes.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
        changed = False
        for function in loaded:
            old = function.__code__
            new = codes.get((old.co_qualname, old.co_firstlineno), [])
            if len(new) != 1 or new[0].co_freevars != old.co_freevars:
                return False
            if new[0] != old:
                function.__code__ = new[0]
                changed = True
        return changed


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def forget(folder: Path) -> None:
    """Remove the modules that lie below a folder, so that they are read again when they are imported."""
    mine = {name for name, module in list(sys.modules.items()) if _lies_below(module, folder)}
    parents = {name.rpartition(".")[0] for name in mine}
    for name in mine | {parent for parent in parents if _is_bare(sys.modules.get(parent))}:
        sys.modules.pop(name, None)


def _lies_below(module: ModuleType | None, folder: Path) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(isinstance(place, str) and Path(place).is_relative_to(folder) for place in places)


def _is_bare(module: ModuleType | None) -> bool:
    """Whether a module is but a name for what is below it, as pytest makes them."""
    return (
        module is not None and getattr(module, "__file__", None) is None and getattr(module, "__path__", None) is None
    )
