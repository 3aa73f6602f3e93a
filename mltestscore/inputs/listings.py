"""The order in which folders are listed, made one order or its reverse: what reads files in it must not care.

A file system lists a folder in any order that suits it, so that the same code finds other files first on another
machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any


class _Entries:
    """What :func:`os.scandir` gives, in order: an iterator and a context manager."""

    def __init__(self, entries: list[os.DirEntry[Any]]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[os.DirEntry[Any]]:
        return self

    def __next__(self) -> os.DirEntry[Any]:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give no more entries."""
        self._entries = iter(())


def order_listings(*, backwards: bool) -> None:
    """List every folder by name from now on in this process, or in the reverse order: ``os``, ``glob``, ``pathlib``.

    What a library lists by itself, outside of Python, stays as it is.
    """
    listdir, scandir = os.listdir, os.scandir

    def ordered(path: Any = None) -> list[Any]:
        return sorted(listdir(path), reverse=backwards)

    def scanned(path: Any = None) -> _Entries:
        with scandir(path) as entries:
            return _Entries(sorted(entries, key=lambda entry: entry.name, reverse=backwards))

    os.listdir, os.scandir = ordered, scanned  # type: ignore[assignment]  # one signature for all kinds of paths
