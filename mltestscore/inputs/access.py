"""Who may read a store: declared, or as the file system says it of files and the folders above them."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

EVERYONE = "everyone"
_ACL = "system.posix_acl_access"
_USER, _GROUP_OBJECT, _GROUP, _MASK = 0x02, 0x04, 0x08, 0x10
_READ, _ENTER = 4, 1


@dataclass(frozen=True)
class Access:
    """Who may read.

    Attributes:
        readers: ``"everyone"``, ``"group 1000"`` and ``"user 1000"`` for files, else as declared. The owner of a file
            does not count: pipelines rightly run as users of their own.
        kind: ``"files"``, ``"declared"``, or empty when nothing is known.
    """

    readers: frozenset[str] = frozenset()
    kind: str = ""

    def beyond(self, raw: Access) -> frozenset[str] | None:
        """Return the readers that ``raw`` does not have; ``None`` where the two cannot be compared.

        >>> Access(frozenset({"everyone"}), "files").beyond(Access(frozenset({"group 7"}), "files"))
        frozenset({'everyone'})
        """
        if EVERYONE in raw.readers or (self.kind and not self.readers):
            return frozenset()
        if not self.kind or not raw.kind:
            return None
        if self.kind != raw.kind and EVERYONE not in self.readers:
            return None
        return self.readers - raw.readers


def declared(readers: Sequence[str]) -> Access:
    """Return the access that the team declares for a store whose rights are not those of files."""
    return Access(frozenset(readers), "declared")


def of_files(paths: Iterable[Path]) -> Access:
    """Return who may read any of the files; a reader must be able to enter every folder above it too."""
    readers: set[str] = set()
    for path in paths:
        readers |= _of_file(path.resolve())
    return Access(frozenset(readers), "files")


def _of_file(path: Path) -> set[str]:
    readers = _granted(path, _READ)
    for folder in path.parents:
        entering = _granted(folder, _ENTER)
        if EVERYONE not in entering:
            readers = entering if EVERYONE in readers else readers & entering
    return readers


def _granted(path: Path, wanted: int) -> set[str]:
    """Return who has the permission bit ``wanted`` (4 read, 1 enter), by mode bits and access control list."""
    status = path.stat()
    granted: set[str] = set()
    if status.st_mode & wanted:
        granted.add(EVERYONE)
    named = _acl(path)
    group = next((mask for tag, mask, _ in named if tag == _GROUP_OBJECT), (stat.S_IMODE(status.st_mode) >> 3) & 7)
    limit = next((mask for tag, mask, _ in named if tag == _MASK), 7)
    if group & limit & wanted and _has_others(status.st_gid, status.st_uid):
        granted.add(f"group {status.st_gid}")
    for tag, mask, owner in named:
        if tag in (_USER, _GROUP) and mask & limit & wanted:
            granted.add(f"{'user' if tag == _USER else 'group'} {owner}")
    return granted


@lru_cache(maxsize=256)
def _has_others(group: int, owner: int) -> bool:
    """Say whether a group may hold anybody but the owner; a user's private group does not."""
    try:
        import grp
        import pwd

        name = pwd.getpwuid(owner).pw_name
        members = {*grp.getgrgid(group).gr_mem, *(one.pw_name for one in pwd.getpwall() if one.pw_gid == group)}
    except (ImportError, KeyError):  # a group that this machine does not know may be anybody's
        return True
    return bool(members - {name})


def _acl(path: Path) -> list[tuple[int, int, int]]:
    """Return the entries (tag, permissions, id) of a POSIX access control list; none on most files and systems."""
    content = b""
    if hasattr(os, "getxattr"):
        with suppress(OSError):
            content = os.getxattr(path, _ACL)
    entries = content[4:]  # after a version number of four bytes, eight bytes an entry
    return list(struct.iter_unpack("<HHI", entries[: len(entries) // 8 * 8]))
