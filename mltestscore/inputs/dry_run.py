"""Adding a feature as a rehearsal: the team's command adds one, trains and serves with it, in a copy of the project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mltestscore.errors import ConfigError
from mltestscore.inputs import digests
from mltestscore.inputs.feature_code import NEVER_COPIED, files_below

TABLE = "[tool.mltestscore.dry_run]"
SOURCE = (".py", ".toml", ".json", ".yaml", ".yml", ".cfg", ".ini", ".sql", ".txt", ".md", ".ipynb", ".sh")
"""Files that people write: what a rehearsal must leave alone, whatever servers and tests log meanwhile."""
LARGEST = 2_000_000


@dataclass(frozen=True)
class DryRun:
    """The rehearsal of adding a feature.

    Attributes:
        folder: the project's folder; the command runs in copies of it.
        command: adds ``{feature}``, trains, serves, and writes what came of it; the same without a new feature where
            ``{feature}`` is empty. ``{python}`` is this interpreter.
        max_seconds: how long that may take, by the team's own word.
        training: file of the training rows that the command writes, relative to the copy.
        served: file of the served rows, with the features that were used.
        model: file of the model, or empty.
        key: columns that name a row in both files; empty: rows are compared in their order.
        score: the column of ``served`` that holds the scores, or empty.
        feature: the name of the new feature.
        may_change: patterns of the files that a new feature may change; empty: not looked at.
        left_out: patterns of files that a copy does not need.
        loading: how the model is loaded, as for ``[tool.mltestscore.model]``.
        tampering: what is done to the outcome afterwards, by name: how a fault is planted.
    """

    folder: Path
    command: tuple[str, ...]
    max_seconds: float
    training: str
    served: str
    model: str = ""
    key: tuple[str, ...] = ()
    score: str = ""
    feature: str = "rehearsed_feature"
    may_change: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    loading: tuple[tuple[str, Any], ...] = ()
    tampering: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        """The command, for the reader."""
        return " ".join(self.command)

    @property
    def digest(self) -> str:
        """A digest of the project's source files and of what is asked of the rehearsal."""
        asked = (self.command, self.max_seconds, self.training, self.served, self.model, self.key, self.score)
        more = (self.feature, self.may_change, self.tampering, sorted(self.content().items()))
        return digests.of_settings((asked, more))

    @property
    def ignored(self) -> tuple[str, ...]:
        """Patterns of what a copy of the project does without."""
        return (*NEVER_COPIED, *self.left_out)

    def content(self, folder: Path | None = None) -> dict[str, str]:
        """Return the digest of every source file of the project, or of a copy of it, by path."""
        home = folder or self.folder
        return {
            file.relative_to(home).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files_below(home, self.ignored)
            if file.suffix in SOURCE and file.stat().st_size <= LARGEST
        }

    def replace(self, **changes: Any) -> DryRun:
        """Return a rehearsal with other attributes: how a fault is planted."""
        return replace(self, **changes)


def open_dry_run(folder: Path, command: Iterable[str], **settings: Any) -> DryRun:
    """Return the rehearsal; settings are the attributes of :class:`DryRun`.

    Raises :class:`ConfigError` for a command without ``{feature}``, an impossible name or time, or a path that leaves
    the project.
    """
    words = tuple(command)
    dry_run = DryRun(folder.resolve(), words, **settings)
    if not any("{feature}" in word for word in words):
        raise ConfigError(f"{TABLE} command does not say where the new feature's name goes; write {{feature}} there.")
    if not dry_run.feature.isidentifier():
        raise ConfigError(f'{TABLE} feature is {dry_run.feature!r:.80}; write a name such as "rehearsed_feature".')
    if not dry_run.max_seconds > 0:
        raise ConfigError(f"{TABLE} max_seconds is {dry_run.max_seconds}; write how long adding a feature may take.")
    for setting in ("training", "served", "model"):
        place = Path(getattr(dry_run, setting))
        if place.is_absolute() or ".." in place.parts:
            raise ConfigError(f"{TABLE} {setting} is {str(place)!r:.200}; write a path within the project's folder.")
    return dry_run
