"""Pip's requirements files: pins, markers, continued lines, hashes, and other files that they include."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mltestscore.dependencies.environment import normal
from mltestscore.dependencies.locks import Pin
from mltestscore.errors import InputError

INCLUDED = re.compile(r"(?:-r|--requirement)[=\s]\s*(\S+)")
MAX_FILES = 50


def read_requirements(file: Path) -> list[Pin]:
    """Return what a file and those that it includes require; constraints require nothing, and URLs name no version.

    Raises :class:`InputError` for a line that pip would not understand, or an included file that is not there.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    pins = []
    for place, line in _lines(file, set()):
        if line.startswith(("-", ".", "/")) or "://" in line.partition("@")[0]:
            continue  # an option, a folder, a URL without a name
        bare = re.split(r"\s+--(?:hash|config-settings|global-option)\b", line)[0]
        try:
            found = Requirement(bare)
        except InvalidRequirement as error:
            raise InputError(
                f"locks: {place} is {bare!r:.120}, no requirement: {str(error).splitlines()[0][:120]}"
            ) from None
        pins.append(Pin(normal(found.name), str(found.specifier), "", marker=str(found.marker or "")))
    return pins


def _lines(file: Path, seen: set[Path]) -> Iterator[tuple[str, str]]:
    seen.add(file.resolve())
    if len(seen) > MAX_FILES:
        raise InputError(f"locks: {file} includes more than {MAX_FILES} files; name the lock itself.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"locks: {file} cannot be read: {str(error)[:200]}") from None
    joined = re.sub(r"\\\r?\n", " ", text)
    for number, line in enumerate(joined.splitlines(), start=1):
        bare = re.sub(r"(^|\s)#.*$", "", line).strip()
        included = INCLUDED.match(bare)
        if included and (file.parent / included[1]).resolve() not in seen:
            yield from _lines(file.parent / included[1], seen)
        elif bare and not included:
            yield f"{file.name}, line {number}", bare
