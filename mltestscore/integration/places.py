"""Files, folders and patterns that stages read and write: which files they are, what they hold, what has changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mltestscore.errors import InputError

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset

TABLES = (".parquet", ".pq", ".csv", ".tsv", ".jsonl", ".ndjson")
BLOCK = 1 << 20
Signatures = dict[str, tuple[int, int, int, int]]


def files_of(folder: Path, place: str) -> list[Path]:
    """Return the files that a path, folder or pattern stands for, sorted; none where nothing lies there."""
    path = folder / place
    found = [path] if path.exists() else sorted(folder.glob(place)) if place else []
    parts = [sorted(one.rglob("*")) if one.is_dir() else [one] for one in found]
    return [file for part in parts for file in part if file.is_file()]


def digests(folder: Path, place: str) -> dict[str, str]:
    """Return the digest of each file of a place, by path."""
    return {file.relative_to(folder).as_posix(): file_digest(file) for file in files_of(folder, place)}


def file_digest(file: Path) -> str:
    """Return a digest of a file's content."""
    whole = hashlib.sha256()
    with file.open("rb") as handle:
        while block := handle.read(BLOCK):
            whole.update(block)
    return whole.hexdigest()


def whole_digest(parts: Mapping[str, str]) -> str:
    """Return one digest of the contents of several files, whatever they are called."""
    contents = sorted(parts.values())
    return contents[0] if len(contents) == 1 else hashlib.sha256("".join(contents).encode()).hexdigest()


def signatures(folder: Path) -> Signatures:
    """Return what changes whenever a file is written, for every file below the folder."""
    found: Signatures = {}
    for here, _, names in os.walk(folder):
        for file in (Path(here, name) for name in names):
            if file.is_file():
                seen = file.stat()
                path = file.relative_to(folder).as_posix()
                found[path] = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
    return found


def keep_changes(copy: Path, before: Signatures, kept: Path, room: int) -> tuple[set[str], int]:
    """Put what has changed in the copy into ``kept``; return the files that are gone, and the bytes that were kept.

    Raises :class:`InputError` where that is more than ``room`` bytes.
    """
    after, size = signatures(copy), 0
    for name, signature in after.items():
        if before.get(name) == signature:
            continue
        size += signature[0]
        if size > room:
            raise InputError(
                f"the stages write more than {room / 1e6:.0f} MB in their copy; let them take fewer rows: "
                "write {{rows}} in their commands, and sample."
            )
        target = kept / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(copy / name, target)
    return before.keys() - after.keys(), size


def own(copy: Path, file: Path) -> Path:
    """Return a file of the copy that may be written: a link is replaced by what it leads to, or by nothing.

    Raises :class:`InputError` where a folder on the way leads out of the copy.
    """
    if not file.parent.resolve().is_relative_to(copy.resolve()):
        name = file.relative_to(copy).as_posix()
        raise InputError(f"{name} lies behind a link that leads out of the project; nothing there may be changed.")
    if file.is_symlink():
        target = file.resolve()
        file.unlink()
        if target.is_file():
            shutil.copy2(target, file)
    return file


def is_table(folder: Path, place: str) -> bool:
    """Say whether a place holds one table: files of one format that we read."""
    kinds = {file.suffix.lower() for file in files_of(folder, place)}
    return len(kinds) == 1 and kinds <= set(TABLES)


def table(folder: Path, place: str) -> Dataset:
    """Return the table at a place; it may have no rows.

    Raises :class:`InputError` where it cannot be read.
    """
    from mltestscore.inputs.dataset import Dataset, Roles
    from mltestscore.inputs.sources import open_source

    files = files_of(folder, place)
    if not files:
        raise InputError(f"there is no table at {place}")
    found = Dataset(place, open_source(place, [str(file) for file in files], folder), Roles())
    _ = found.rows  # so that what cannot be read is found here
    return found


def wrong_with(folder: Path, place: str, may_be_empty: bool) -> str:
    """Return what is wrong with what was written to a place: missing, empty or unreadable; else an empty text."""
    files = files_of(folder, place)
    if not files:
        return "is missing"
    if may_be_empty:
        return ""
    if not any(file.stat().st_size for file in files):
        return "is empty"
    try:
        if is_table(folder, place) and not table(folder, place).rows:
            return "has no rows"
        for file in files:
            if file.suffix.lower() == ".json":
                _parse_json(file)
    except (InputError, ValueError, OSError) as error:
        return f"cannot be read: {' '.join(str(error).split())[:300]}"
    return ""


def _parse_json(file: Path) -> None:
    """Parse a document, or a document a line."""
    text = file.read_text(encoding="utf-8")
    try:
        json.loads(text)
    except ValueError:
        lines = text.splitlines()
        if len(lines) < 2:
            raise
        for line in filter(str.strip, lines):
            json.loads(line)
