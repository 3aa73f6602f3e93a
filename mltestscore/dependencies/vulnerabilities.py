"""Known vulnerabilities of installed packages, from files: what pip-audit wrote (JSON), or records of OSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mltestscore.dependencies.environment import Environment, normal
from mltestscore.errors import InputError, near

WHOLE = 1_000
"""Records of OSV from which on the newest change tells the age of all: some record changes every day."""
MAX_FILES, MAX_BYTES = 100_000, 256 * 2**20
FORMS = "`pip-audit --format json`, or records of OSV as JSON, one a file"


@dataclass(frozen=True)
class Vulnerability:
    """One known vulnerability of a package.

    Attributes:
        id: its first name.
        aliases: its other names.
        package: normal name.
        versions: affected versions, as listed.
        ranges: pairs of an event ("introduced", "fixed", "last_affected") and its version, a list a range.
    """

    id: str
    aliases: tuple[str, ...]
    package: str
    versions: tuple[str, ...] = ()
    ranges: tuple[tuple[tuple[str, str], ...], ...] = ()

    def affects(self, version: str) -> bool:
        """Say whether a version has it; local parts do not count."""
        from packaging.version import InvalidVersion, Version

        try:
            now = Version(Version(version).public)
        except InvalidVersion:
            return version in self.versions
        return any(_parsed(one) == now for one in self.versions) or any(_within(now, one) for one in self.ranges)


@dataclass(frozen=True)
class Audit:
    """What is known of vulnerabilities.

    Attributes:
        source: the files, for the reader.
        known: the vulnerabilities.
        as_of: from when the knowledge is, and by what that is told.
        audited: the versions that pip-audit looked at, by package; records of OSV speak of all versions.
        complete: whether there are records of OSV.
    """

    source: str
    known: tuple[Vulnerability, ...]
    as_of: tuple[datetime, str]
    audited: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False

    def found(self, environment: Environment, accepted: Sequence[str]) -> list[tuple[str, str, Vulnerability]]:
        """Return name, installed version and vulnerability of what is affected and not accepted by one of its names."""
        wanted = {one.upper() for one in accepted}
        seen: dict[tuple[str, str], tuple[str, str, Vulnerability]] = {}
        for one in self.known:
            version = environment.packages.get(one.package)
            names = {one.id.upper(), *(alias.upper() for alias in one.aliases)}
            told = any((one.package, name) in seen for name in names)  # the same one, from another database
            if version is not None and not names & wanted and not told and one.affects(version):
                seen |= dict.fromkeys(((one.package, name) for name in names), (one.package, version, one))
        return list(dict.fromkeys(seen.values()))

    def unaudited(self, environment: Environment, required: Iterable[str]) -> list[str]:
        """Return the installed packages of which nothing is known at their version."""
        if self.complete:
            return []
        wanted = {*self.audited, *required} & set(environment.packages)
        pairs = ((name, environment.packages[name], self.audited.get(name)) for name in sorted(wanted))
        return [
            f"{name} {version}, audited at {audited or 'no version'}"
            for name, version, audited in pairs
            if audited is None or _parsed(audited) != _parsed(version)
        ]


def read_vulnerabilities(names: Sequence[str], base: Path, at: datetime | None) -> Audit | None:
    """Return what files and folders of files know; ``None`` where none is named.

    Raises :class:`InputError` for what is not there, or of another form.
    """
    if not names:
        return None
    files = [file for name in names for file in _files(name, base)]
    known: list[Vulnerability] = []
    audited: dict[str, str] = {}
    changed: list[str] = []
    for file in files:
        data = _read(file)
        if "dependencies" in data:
            for one in data["dependencies"]:
                known += _of_pip_audit(one, audited)
        else:
            known += _of_osv(data)
            changed.append(str(data.get("modified", "")))
    as_of = (at, "declared") if at else _age(files, changed)
    return Audit(", ".join(names), tuple(known), as_of, audited, bool(changed))


def _files(name: str, base: Path) -> list[Path]:
    path = base / name
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"vulnerabilities: there is no JSON file at {name!r:.200}.{near(path.name, beside)}")
    if len(files) > MAX_FILES:
        raise InputError(f"vulnerabilities: {name:.200} holds {len(files):,} files; at most {MAX_FILES:,} are read.")
    return files


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"vulnerabilities: {file} has more than {MAX_BYTES:,} bytes.")
        data = json.loads(file.read_text(encoding="utf-8-sig"))
        if isinstance(data, list):  # of pip-audit before 2.5
            data = {"dependencies": data}
        if (
            isinstance(data["dependencies"] if "dependencies" in data else data["affected"], list)
            or "withdrawn" in data
        ):
            return dict(data)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error!s:.120}"
        raise InputError(f"vulnerabilities: {file} is not of a known form ({said}); give {FORMS}.") from None
    raise InputError(f"vulnerabilities: {file} is not of a known form; give {FORMS}.")


def _of_pip_audit(one: Mapping[str, Any], audited: dict[str, str]) -> list[Vulnerability]:
    if "version" not in one:
        return []  # skipped by pip-audit, which says why
    name, version = normal(str(one["name"])), str(one["version"])
    audited[name] = version
    return [
        Vulnerability(str(found["id"]), tuple(map(str, found.get("aliases", ()))), name, (version,))
        for found in one.get("vulns", ())
    ]


def _of_osv(data: Mapping[str, Any]) -> list[Vulnerability]:
    if data.get("withdrawn"):
        return []
    found = []
    for one in data["affected"]:
        package = one.get("package", {})
        if str(package.get("ecosystem", "")).partition(":")[0].lower() == "pypi":
            ranges = tuple(
                tuple((str(kind), str(version)) for event in held.get("events", ()) for kind, version in event.items())
                for held in one.get("ranges", ())
                if held.get("type") in ("ECOSYSTEM", "SEMVER")
            )
            versions = tuple(map(str, one.get("versions", ())))
            aliases = tuple(map(str, data.get("aliases", ())))
            found.append(
                Vulnerability(str(data.get("id", "?")), aliases, normal(str(package["name"])), versions, ranges)
            )
    return found


def _within(now: Any, events: Sequence[tuple[str, str]]) -> bool:
    """Say whether a version lies in a range of OSV; see "Evaluation" of its schema."""
    dated = [(_parsed(version), kind) for kind, version in events]
    affected = False
    for at, kind in sorted(((at, kind) for at, kind in dated if at is not None), key=lambda one: one[0]):
        if kind == "introduced" and at <= now:
            affected = True
        elif (kind == "fixed" and at <= now) or (kind == "last_affected" and at < now):
            affected = False
    return affected


def _parsed(version: str) -> Any:
    from packaging.version import InvalidVersion, Version

    try:
        return Version("0.dev0") if version == "0" else Version(Version(version).public)
    except InvalidVersion:
        return None


def _age(files: Sequence[Path], changed: Sequence[str]) -> tuple[datetime, str]:
    if len(changed) >= WHOLE:
        try:
            newest = datetime.fromisoformat(max(changed))
            return newest.replace(tzinfo=newest.tzinfo or UTC), "by its newest record"
        except ValueError:
            pass
    oldest = min(file.stat().st_mtime for file in files)
    return datetime.fromtimestamp(oldest, UTC), "by the file's time; declare vulnerabilities_at where files are copied"
