"""What says which version is in service: a folder with a pointer, an alias in MLflow, or the team's own commands."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mltestscore.errors import InputError, near
from mltestscore.inputs.mlflow_store import asked
from mltestscore.inputs.registry import open_registry
from mltestscore.rollback.commands import call, method_and_url, request
from mltestscore.serving.urls import redact

TABLE = "[tool.mltestscore.rollback]"
PATIENCE = 30.0  # seconds for a question to a registry


class VersionRegistry(Protocol):
    """What a drill needs of a registry; a team may give its own to :func:`mltestscore.inputs.rollback.open_rollback`.

    All methods raise :class:`InputError` when the registry cannot be read or written.
    """

    @property
    def source(self) -> str:
        """Which registry it is: the same text for the same registry, without secrets."""

    def current(self) -> str:
        """Return the version that the pointer names."""

    def versions(self) -> Sequence[str]:
        """Return all versions that are kept, oldest first."""

    def promote(self, version: str, timeout: float) -> None:
        """Let the pointer name ``version``, within ``timeout`` seconds; the server is not told here."""


@runtime_checkable
class Remembering(VersionRegistry, Protocol):
    """A registry that must know more than the version to put all back; what it remembers stands in the journal."""

    def remembered(self) -> str:
        """Return what must be known, before anything is changed."""

    def put_back(self, version: str, remembered: str, timeout: float) -> None:
        """Let ``version`` be in service again, as it was."""

    def tidy(self, remembered: str, timeout: float) -> None:
        """Remove what the drill added, once ``version`` answers again."""


@dataclass(frozen=True)
class FolderPointer:
    """A folder with a sub-folder a version; ``pointer`` is a file that holds a version's name, or a link to one."""

    folder: Path
    pointer: str = "current"

    @property
    def source(self) -> str:
        """The folder and the pointer."""
        return f"{self.folder / self.pointer}"

    def current(self) -> str:
        """Return what the file says, or the name that the link leads to."""
        file = self.folder / self.pointer
        try:
            return file.readlink().name if file.is_symlink() else file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{TABLE}: the pointer {file} cannot be read: {error}.") from None

    def versions(self) -> Sequence[str]:
        """Return the versions by date of training where all have a lineage, else by name, numbers by value."""
        try:
            found = [one.name for one in self.folder.iterdir() if one.is_dir() and not one.is_symlink()]
        except OSError as error:
            raise InputError(f"{TABLE} path: {self.folder} cannot be read: {error}.") from None
        found = [name for name in found if not name.startswith(".")]
        # A version whose files were deleted still stands in the lineage, and is found to be gone when it is needed.
        plain = self.pointer == "current" and not (self.folder / self.pointer).is_symlink()
        if plain and found and all((self.folder / name / "lineage.json").is_file() for name in found):
            return [one.version for one in open_registry(self.folder).versions]
        return sorted(found, key=natural)

    def promote(self, version: str, timeout: float) -> None:
        """Replace the pointer in one step, so that no reader finds half of it."""
        file = self.folder / self.pointer
        new = file.with_name(f".{file.name}.mltestscore")
        try:
            new.unlink(missing_ok=True)
            if file.is_symlink():
                new.symlink_to(file.readlink().parent / version)
            else:
                # What surrounds the name, such as the last line feed, stays as the team writes it.
                text = file.read_text(encoding="utf-8")
                new.write_text(text.replace(text.strip(), version) if text.strip() else version, encoding="utf-8")
                new.chmod(file.stat().st_mode)
            new.replace(file)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise InputError(f"{TABLE}: the pointer {file} cannot be written: {error}.") from None

    def within(self, folder: Path) -> FolderPointer:
        """Return the same registry in another folder, a copy of this one."""
        return replace(self, folder=folder)


@dataclass(frozen=True)
class MlflowAlias:
    """A registered model in MLflow, whose ``alias`` names the version in service."""

    uri: str
    name: str
    alias: str

    @property
    def source(self) -> str:
        """Model and alias; the URI may hold a password."""
        return f"models:/{self.name}@{self.alias} in {redact(self.uri)}"

    def current(self) -> str:
        """Return the version that has the alias."""
        aliases: Mapping[str, Any] = self._asked("get_registered_model", self.name).aliases
        if self.alias not in aliases:
            why = near(self.alias, aliases) or " It has none."
            raise InputError(f"{TABLE} alias: {self.name!r:.80} has no alias {self.alias!r:.80}.{why}")
        return str(aliases[self.alias])

    def versions(self) -> Sequence[str]:
        """Return the versions by number."""
        quote = '"' if "'" in self.name else "'"  # MLflow knows both, and no way to escape them
        found = [str(one.version) for one in self._asked("search_model_versions", f"name={quote}{self.name}{quote}")]
        return sorted(found, key=natural)

    def promote(self, version: str, timeout: float) -> None:
        """Move the alias."""
        self._asked("set_registered_model_alias", self.name, self.alias, version)

    def _asked(self, what: str, *arguments: str) -> Any:
        return asked(self.uri, lambda client: getattr(client, what)(*arguments), where=TABLE)


@dataclass(frozen=True)
class Commands:
    """A registry that is asked and changed by the team's own commands; each may be a list of words or one request.

    Attributes:
        folder: where commands run.
        current_command: prints the version in service.
        versions_command: prints all versions, oldest first, one a line.
        promote_command: makes ``{version}`` the one in service.
        promote_request: does so by HTTP, as in ``"PUT http://localhost:8081/models/iris/{version}/set-default"``.
    """

    folder: Path
    current_command: tuple[str, ...]
    versions_command: tuple[str, ...]
    promote_command: tuple[str, ...] = ()
    promote_request: str = ""

    @property
    def source(self) -> str:
        """The command or request that promotes, the latter without secrets."""
        if self.promote_command:
            return " ".join(self.promote_command)
        method, url = method_and_url(self.promote_request, "promote_request")
        return f"{method} {redact(url)}"

    def current(self) -> str:
        """Return the last line that ``current_command`` prints."""
        lines = self._lines("current_command", self.current_command)
        return lines[-1]

    def versions(self) -> Sequence[str]:
        """Return the lines that ``versions_command`` prints."""
        return list(dict.fromkeys(self._lines("versions_command", self.versions_command)))

    def promote(self, version: str, timeout: float) -> None:
        """Run the command, or send the request."""
        if self.promote_request:
            request(self.promote_request, {"version": version}, setting="promote_request", timeout=timeout)
            return
        words = {"version": version, "python": sys.executable}
        call(self.promote_command, words, folder=self.folder, setting="promote_command", timeout=timeout)

    def _lines(self, setting: str, command: Sequence[str]) -> list[str]:
        said = call(command, {"python": sys.executable}, folder=self.folder, setting=setting, timeout=PATIENCE)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        if not lines:
            raise InputError(f"{TABLE} {setting} printed nothing; let it print one version a line.")
        return lines


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key by which v10 comes after v9.

    >>> sorted(["v10", "v9", "v1"], key=natural)
    ['v1', 'v9', 'v10']
    """
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
