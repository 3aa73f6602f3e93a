"""A drill under way, on disk before anything changes, so that the next run puts back what a killed one left."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mltestscore.errors import InputError

NAME, LOCK = "rollback-drill.json", "rollback-drill.lock"


@dataclass(frozen=True)
class Open:
    """A drill that has begun and not ended.

    Attributes:
        target: which registry and server it changes.
        current: the version that was in service, to be put back.
        previous: the version that the drill goes back to.
        named: the version that answers named before, or empty.
        remembered: what the registry must know besides to put all back, or empty.
    """

    target: str
    current: str
    previous: str
    named: str
    remembered: str = ""


class DrillJournal:
    """One file a project: there is at most one drill at a time, and at most one to put back."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME
        self._lock = folder / LOCK

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other drills of this project out; raises :class:`InputError` while one is under way."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(
                    f"another roll-back drill of this project is under way ({self._lock} is locked); run one at a time."
                ) from None
            yield

    def pending(self) -> Open | None:
        """Return the drill that was killed half-way, if any; raises :class:`InputError` for an unreadable file."""
        if not self.file.exists():
            return None
        try:
            return Open(**json.loads(self.file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.file}, the journal of a drill that was killed, cannot be read: {error}. See that the right "
                "version is in service, then delete the file."
            ) from None

    def write(self, drill: Open) -> None:
        """Put the record on disk; only then may the drill begin."""
        new = self.file.with_suffix(".new")
        with new.open("w", encoding="utf-8") as handle:
            json.dump(asdict(drill), handle)
            handle.flush()
            os.fsync(handle.fileno())
        new.replace(self.file)
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Forget the drill: all is as it was."""
        self.file.unlink(missing_ok=True)
