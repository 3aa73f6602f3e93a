"""The team's model registry: a folder with one version a sub-folder, each with its lineage, and a current pointer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from mltestscore.errors import InputError, near

COSTS = {
    "seconds": "wall seconds of the training",
    "cpu_seconds": "processor seconds of all its processes",
    "peak_mb": "largest resident memory of all its processes, MiB",
    "rows": "how many rows it learned from",
}
"""What ``costs`` in a lineage may hold; see :attr:`Lineage.costs`."""

_TABLE = "[tool.mltestscore.registry]"


@dataclass(frozen=True)
class Lineage:
    """Where a model version comes from: ``<registry>/<version>/lineage.json``, one key an attribute.

    All times carry a time zone in the file and are held in UTC.

    Attributes:
        version: the folder's name.
        trained_at: when training ended.
        data_from: time of the oldest training row.
        data_until: time of the newest training row.
        published_at: when the version became current.
        data_digest: digest of the training data, made as the team likes; with ``sha256:`` before 64 hex digits, of the
            bytes of the training file, which can be looked at again.
        weights_digest: digest of the model file.
        code_commit: of the training code; with ``-dirty`` at its end, as ``git describe`` writes, not ``tree_clean``.
        tree_clean: whether the files that trained were those of the commit.
        config_digest: of the file of settings: its SHA-256, git's name of its blob, or the SHA-256 of sorted JSON.
        parameters: hyperparameters.
        metrics: offline quality, by name.
        tables: when each source or lookup table was last updated.
        stages: when each stage of the pipeline ended.
        costs: what the training took, by the names of :data:`COSTS`.
        unchanged_note: why weights or data are those of an earlier version, where that is meant.
    """

    version: str
    trained_at: datetime
    data_from: datetime | None = None
    data_until: datetime | None = None
    published_at: datetime | None = None
    data_digest: str = ""
    weights_digest: str = ""
    code_commit: str = ""
    tree_clean: bool | None = None
    config_digest: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tables: dict[str, datetime] = field(default_factory=dict)
    stages: dict[str, datetime] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    unchanged_note: str = ""


@dataclass(frozen=True)
class Registry:
    """The versions of a model on record.

    Attributes:
        source: the folder.
        current: the version in service.
        versions: all versions, oldest training first.
        digest: of the pointer and of every lineage file; empty for a changed copy.
    """

    source: str
    current: Lineage
    versions: tuple[Lineage, ...]
    digest: str = ""

    @property
    def previous(self) -> Lineage | None:
        """The version that was trained last before the current one."""
        earlier = [one for one in self.versions if one.trained_at < self.current.trained_at]
        return max(earlier, key=lambda one: one.trained_at, default=None)

    def replace(self, **changes: Any) -> Registry:
        """Return a registry whose current version has other attributes: how a fault is planted."""
        changed = replace(self.current, **changes)
        versions = tuple(changed if one is self.current else one for one in self.versions)
        return Registry(self.source, changed, _in_order(versions))

    def with_version(self, lineage: Lineage) -> Registry:
        """Return a registry that holds another, not current version too."""
        return Registry(self.source, self.current, _in_order((*self.versions, lineage)))


def open_registry(folder: Path) -> Registry:
    """Read ``<folder>/current`` (a text file with the version) and every ``<folder>/<version>/lineage.json``.

    Raises :class:`InputError` that names the file and the key when something is missing, malformed or unknown.
    """
    if not folder.is_dir():
        beside = [one.name for one in folder.parent.iterdir() if one.is_dir()] if folder.parent.is_dir() else []
        raise InputError(f"{_TABLE} path: there is no folder {folder}.{near(folder.name, beside)}")
    files = sorted(folder.glob("*/lineage.json"))
    if not files:
        raise InputError(f"{folder} holds no version; write <version>/lineage.json with at least trained_at.")
    versions = {file.parent.name: _read_lineage(file) for file in files}
    pointer = folder / "current"
    if not pointer.is_file():
        raise InputError(f"{pointer} is missing; write the version in service into it, such as {max(versions)!r}.")
    name = _read(pointer).strip()
    if name not in versions:
        raise InputError(f"{pointer} names the version {name!r:.80}, which has no lineage.json.{near(name, versions)}")
    content = b"".join(file.read_bytes() for file in (pointer, *files))
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Registry(str(folder), versions[name], _in_order(tuple(versions.values())), digest)


def _in_order(versions: tuple[Lineage, ...]) -> tuple[Lineage, ...]:
    return tuple(sorted(versions, key=lambda one: (one.trained_at, one.version)))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}. Make it a readable UTF-8 file.") from None


def _read_lineage(file: Path) -> Lineage:
    try:
        data = json.loads(_read(file))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{file} is not valid JSON: {error}. Correct that line.") from None
    if not isinstance(data, dict):
        raise InputError(f"{file} holds a {type(data).__name__}; expected an object with the key trained_at.")
    return lineage_from(file.parent.name, data, str(file))


def lineage_from(version: str, data: Mapping[str, Any], where: str) -> Lineage:
    """Return the lineage of a version; raises :class:`InputError` naming ``where`` and the key that does not fit."""
    kinds = {one.name: str(one.type) for one in fields(Lineage)}
    for key in data:
        if key not in kinds:
            raise InputError(f"{where}: {key!r:.80} is not a known key.{near(key, kinds)}")
    data = {"version": version, **data}
    if data["version"] != version:
        raise InputError(
            f"{where}: version is {data['version']!r:.80}, but its folder is {version!r}; name both alike."
        )
    for one in fields(Lineage):
        if one.default is MISSING and one.default_factory is MISSING and one.name not in data:
            raise InputError(f"{where}: the key {one.name!r} is missing.{near(one.name, data)}")
    lineage = Lineage(**{key: _value(value, kinds[key], f"{where}: {key}") for key, value in data.items()})
    for name, cost in lineage.costs.items():
        if name not in COSTS:
            raise InputError(f"{where}: costs: {name!r:.80} is not a known key.{near(name, COSTS)}")
        if not 0 < cost < inf:
            raise InputError(f"{where}: costs.{name} is {cost}; expected a number above 0.")
    return lineage


def _value(value: object, kind: str, where: str) -> Any:
    if value is None and kind.endswith("| None"):
        return None
    if kind.startswith("datetime"):
        return _time(value, where)
    if kind.startswith("dict"):
        return _entries(value, kind, where)
    if kind.startswith("bool"):
        if not isinstance(value, bool):
            raise InputError(f"{where} is {value!r:.80}; expected true or false.")
        return value
    if not isinstance(value, str):
        raise InputError(f"{where} is {value!r:.80}; expected a text.")
    return value


def _entries(value: object, kind: str, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r:.80}; expected an object.")
    if kind == "dict[str, datetime]":
        return {name: _time(one, f"{where}.{name}") for name, one in value.items()}
    if kind == "dict[str, float]":
        return {name: _number(one, f"{where}.{name}") for name, one in value.items()}
    return dict(value)


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where} is {value!r:.80}; expected a number.")
    return float(value)


def _time(value: object, where: str) -> datetime:
    example = "write it as in 2026-11-01T12:00:00+00:00"
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]  # a wrong type is a TypeError, caught below
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where} is {value!r:.80}, which is no time; {example}.") from None
    raise InputError(f"{where} is {value!r}, which has no time zone; {example}.")
