"""What a lock pins: pip's requirements, uv, Poetry, PDM, Pipenv, pylock.toml and conda-lock, as pins of one form."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from mltestscore.dependencies.environment import Environment, normal
from mltestscore.errors import InputError, near

MAIN = frozenset({"main", "default"})
KNOWN = (
    "requirements.txt (name==version), uv.lock, poetry.lock, pdm.lock, Pipfile.lock, pylock.toml, conda-lock.yml and "
    "what `conda env export` writes"
)
IN_TOML = re.compile(r"^\s*(?:\[\[\s*packages?\s*\]\]|packages?\s*=)", re.MULTILINE)
LOCAL = ("virtual", "editable", "directory")  # sources of uv: the project itself


@dataclass(frozen=True)
class Pin:
    """One package that a lock names.

    Attributes:
        name: its normal name.
        allowed: PEP 440 specifiers, such as ``"==2.2.3"``; empty: any version.
        marker: the environments that it is for; empty: all.
        groups: for which it is meant: ``"main"`` or names of groups and extras; empty: only with others.
        lock: the file that names it.
        conda: whether conda installs it, under a name of its own.
    """

    name: str
    allowed: str
    lock: str
    marker: str = ""
    groups: frozenset[str] = MAIN
    conda: bool = False

    @property
    def exact(self) -> str:
        """The one version that is allowed; empty where several are."""
        one = self.allowed.lstrip("=").strip()
        return one if self.allowed.startswith("==") and not {",", "*"} & {*one} else ""

    def applies(self, environment: Environment, chosen: Collection[str]) -> bool:
        """Say whether the environment must have it, with these extras and groups chosen."""
        return bool(self.groups & ({*MAIN} | set(chosen))) and self.fits(environment, chosen)

    def fits(self, environment: Environment, chosen: Collection[str]) -> bool:
        """Say whether its marker is true of the environment."""
        return holds(self.marker, environment, chosen)

    def allows(self, version: str) -> bool:
        """Say whether a version is as pinned; local parts ("+cu121") and builds do not count.

        >>> Pin("torch", "==2.6.0+cpu", "").allows("2.6"), Pin("torch", "==2.6.0", "").allows("2.6.0.post1")
        (True, False)
        """
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.version import InvalidVersion, Version

        try:
            public = Version(version).public
            if self.exact:
                return Version(Version(self.exact).public) == Version(public)
            return SpecifierSet(self.allowed).contains(public, prereleases=True)
        except (InvalidSpecifier, InvalidVersion):
            return self.exact == version  # neither is a version of Python's; then only the same text is


def holds(marker: str, environment: Environment, chosen: Collection[str]) -> bool:
    """Say whether a marker is true of an environment with one of the extras chosen, or none.

    Raises :class:`InputError` for what is no marker.
    """
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    if not marker:
        return True
    sets: dict[str, Any] = {"extras": frozenset(chosen), "dependency_groups": frozenset(chosen)}
    try:
        found = Marker(marker)
        return any(_evaluated(found, {**environment.markers, **sets, "extra": one}) for one in ("", *chosen))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as error:
        raise InputError(f"the marker {marker!r:.200} of a lock cannot be read: {str(error)[:200]}") from None


def _evaluated(marker: Any, values: dict[str, Any]) -> bool:
    try:
        return bool(marker.evaluate(values, context="lock_file"))
    except TypeError:  # before packaging 25, which knew no markers of locks
        return bool(marker.evaluate(values))


def read_lock(name: str, base: Path, environment: Environment) -> tuple[Pin, ...]:
    """Return what a lock pins; of several pins of a package, one has to be met.

    Raises :class:`InputError` for a file that is not there, is of no known form, or pins nothing.
    """
    file = base / name
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"locks: there is no file {name!r:.200} in {base.resolve()}.{near(file.name, beside)}")
    try:
        pins = _pins(file, environment)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, import_module("yaml").YAMLError) as error:
        said = f"{type(error).__name__}: {error!s:.200}"
        raise InputError(f"locks: {name:.200} cannot be read ({said}); known are {KNOWN}.") from None
    if not any(one.exact for one in pins):
        raise InputError(f"locks: {name:.200} pins no version, so nothing can be held to it; known are {KNOWN}.")
    return tuple(replace(one, lock=name) for one in pins)


def _pins(file: Path, environment: Environment) -> list[Pin]:
    """Tell the form by the content: a lock may have any name."""
    from mltestscore.dependencies.requirements import read_requirements

    text, name = file.read_text(encoding="utf-8-sig"), file.name.lower()
    if file.suffix in (".yml", ".yaml"):
        data = import_module("yaml").safe_load(text)
        return _conda_lock(data, environment) if "package" in data else _conda_environment(data["dependencies"])
    if text.lstrip().startswith("{"):
        return _pipfile(json.loads(text))
    if not IN_TOML.search(text):
        return read_requirements(file)
    data = tomllib.loads(text)
    if "packages" in data:
        return [_pin(one, marker=one.get("marker", "")) for one in data["packages"] if "version" in one]
    if name.startswith("uv") or any("source" in one and set(one["source"]) & {*LOCAL} for one in data["package"]):
        return _uv(data["package"], environment)
    extras = data.get("extras", {})
    return [_poetry_or_pdm(one, extras) for one in data["package"]]


def _pin(one: Mapping[str, Any], **more: Any) -> Pin:
    return Pin(normal(one["name"]), f"=={one['version']}", "", **more)


def _poetry_or_pdm(one: Mapping[str, Any], extras: Mapping[str, list[str]]) -> Pin:
    """Return a pin; what is optional comes with the extras that name it."""
    marker = one.get("markers") or one.get("marker") or ""
    groups = frozenset(one.get("groups") or (one.get("category", "main"),))
    if isinstance(marker, Mapping):  # by group, where they differ
        marker = " or ".join(f"({part})" for part in marker.values() if part)
    if one.get("optional"):
        name = normal(one["name"])
        groups = frozenset(
            extra for extra, held in extras.items() if name in (normal(text.split()[0]) for text in held)
        )
    return _pin(one, marker=marker, groups=groups)


def _pipfile(data: Mapping[str, Any]) -> list[Pin]:
    sections = {"default": MAIN, "develop": frozenset({"develop", "dev"})}
    return [
        Pin(normal(name), one.get("version", ""), "", marker=one.get("markers", ""), groups=groups)
        for section, groups in sections.items()
        for name, one in data.get(section, {}).items()
    ]


def _conda_lock(data: Mapping[str, Any], environment: Environment) -> list[Pin]:
    machine = environment.markers.get("platform_machine", "")
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(environment.markers.get("sys_platform", ""), "")
    bits = {"x86_64": "64", "AMD64": "64"}.get(machine, machine)
    pins = []
    for one in data["package"]:
        if one.get("platform") in (None, f"{system}-{bits}", "noarch"):
            groups = frozenset() if one.get("optional") else frozenset({one.get("category", "main")})
            pins.append(_pin(one, groups=groups, conda=one.get("manager") == "conda"))
    return pins


def _conda_environment(lines: list[Any]) -> list[Pin]:
    """Return the pins of what `conda env export` writes: ``name=version=build``, and pip's below ``pip``."""
    pins = []
    for line in lines:
        if isinstance(line, Mapping):
            pins += [
                Pin(normal(name), f"=={one}", "") for name, _, one in (t.partition("==") for t in line["pip"]) if one
            ]
        elif "=" in line and not {">", "<", "!", "*"} & {*line}:
            name, version, *_ = line.replace("==", "=").split("=")
            pins.append(Pin(normal(name.rpartition("::")[2].strip()), f"=={version.strip()}", "", conda=True))
    return pins


def _uv(packages: list[Mapping[str, Any]], environment: Environment) -> list[Pin]:
    """Return the pins with the groups and extras of the project from which each can be reached."""
    held: dict[str, list[Mapping[str, Any]]] = {}
    for one in packages:
        held.setdefault(normal(one["name"]), []).append(one)
    roots = [one for one in packages if set(one.get("source", {})) & {*LOCAL}]
    groups: dict[str, set[str]] = {}
    for root in roots:
        named = {"main": root.get("dependencies", [])}
        for table in ("optional-dependencies", "dev-dependencies"):
            named |= root.get(table, {})
        for group, wanted in named.items():
            for name in _reached(wanted, held, environment):
                groups.setdefault(name, set()).add(group)
    others = [one for one in packages if one not in roots and "version" in one]
    if not roots:
        return [_pin(one) for one in others]
    return [_pin(one, groups=frozenset(groups.get(normal(one["name"]), ()))) for one in others]


def _reached(
    wanted: list[Mapping[str, Any]], held: Mapping[str, list[Mapping[str, Any]]], environment: Environment
) -> set[str]:
    queue, seen = list(wanted), set[tuple[str, str]]()
    for one in queue:
        if not holds(one.get("marker", ""), environment, ()):
            continue
        name = normal(one["name"])
        for extra in ("", *one.get("extra", ())):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for package in held.get(name, ()):
                more = package.get("optional-dependencies", {}).get(extra, []) if extra else package.get("dependencies")
                queue += more or []
    return {name for name, _ in seen}
