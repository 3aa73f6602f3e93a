"""The libraries of two environments: read from an interpreter, a lock file or requirements, and compared."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from mltestscore.errors import InputError, near
from mltestscore.inputs.canary import TABLE, Environments

TIMEOUT = 60.0  # seconds for an interpreter to name its packages
LIST = (
    "import json, platform\nfrom importlib.metadata import distributions\n"
    "found = {one.metadata['Name']: one.version for one in distributions() if one.metadata['Name']}\n"
    "print(json.dumps(found | {'python': platform.python_version()}))"
)
PINNED = re.compile(r"\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;\\#,]+)")
CONDA = re.compile(r"\s*-\s*[\"']?(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)\s*={1,3}\s*([0-9][^\s=\"']*)")
SAVED = dict.fromkeys(
    ("scikit-learn", "xgboost", "lightgbm", "catboost", "statsmodels", "tensorflow", "keras", "skops", "joblib"), 2
) | dict.fromkeys(("numpy", "scipy", "pandas", "polars", "torch", "onnx", "onnxruntime", "transformers", "jax"), 1)
"""Libraries that artefacts are known to depend on, and how many parts of the version must agree. scikit-learn and its
like promise nothing between minor versions (its guide on model persistence); arrays and tables are read by newer ones.
"""


@dataclass(frozen=True)
class Library:
    """A library in both environments; an empty version means that it is not there."""

    name: str
    trained: str
    served: str
    parts: int

    @property
    def differs(self) -> bool:
        """Whether the leading parts of the versions differ; build metadata, patches and rebuilds do not count."""
        return _leading(self.trained, self.parts) != _leading(self.served, self.parts)

    def behind(self) -> Library:
        """Return the library as a serving environment has it that is a major version behind: a planted fault."""
        major = _leading(self.trained, 1)[-1]
        return replace(self, served=f"{major - 1 if isinstance(major, int) and major > 0 else 1}.0")


def compared(environments: Environments) -> list[Library]:
    """Return the libraries that count, as both environments have them.

    Raises :class:`InputError` for an environment that cannot be read, or where neither names a library that counts.
    """
    folder = environments.folder
    trained, served = versions(environments.training, folder), versions(environments.serving, folder)
    wanted = {canonical(name): 2 for name in environments.libraries}
    for name in wanted:
        if name not in trained:
            raise InputError(f"{TABLE} libraries names {name!r:.80}, which the training environment does not pin."
                             f"{near(name, trained)}")  # fmt: skip
    found = wanted or {name: parts for name, parts in SAVED.items() if name in trained and name in served}
    if not found:
        raise InputError(f"{TABLE}: the two environments have no modelling library in common; name them in libraries.")
    return [Library(name, trained[name], served.get(name, ""), parts) for name, parts in sorted(found.items())]


def versions(place: str, folder: Path) -> dict[str, str]:
    """Return the version of each package, by its canonical name, that an interpreter or a file names.

    Raises :class:`InputError` for what cannot be read or names no version.
    """
    path = Path(sys.executable) if place == "{python}" else folder / place
    if not path.exists() and Path(place).name == place and (program := shutil.which(place)):
        path = Path(program)
    if not path.is_file():
        beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"{TABLE}: there is no interpreter or file {place!r:.200}.{near(path.name, beside)}")
    found = _in_file(path) if path.suffix in READERS else _in_interpreter(path, place)
    named = {canonical(name): str(version) for name, version in found}
    if not named:
        raise InputError(f"{TABLE}: {place!r:.200} pins no version; expected lines such as numpy==2.1.0, or a lock.")
    return named


def canonical(name: str) -> str:
    """Return a package's name as PEP 503 writes it.

    >>> canonical("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _leading(version: str, parts: int) -> tuple[int | str, ...]:
    try:
        known = Version(version)
    except InvalidVersion:
        return (version,)
    return (known.epoch, *(*known.release, 0, 0, 0)[:parts])


def _in_interpreter(path: Path, place: str) -> Iterable[tuple[str, Any]]:
    if not os.access(path, os.X_OK):
        known = ", ".join(sorted(READERS))
        raise InputError(f"{TABLE}: {place!r:.200} is neither an interpreter nor a file with one of {known}.")
    try:
        done = subprocess.run(
            [str(path.absolute()), "-I", "-c", LIST],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise InputError(f"{TABLE}: the interpreter {place!r:.200} does not name its packages: {error}") from error
    return found.items()


def _in_file(path: Path) -> Iterable[tuple[str, Any]]:
    try:
        return READERS[path.suffix](path.read_text(encoding="utf-8"))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{TABLE}: {path} cannot be read: {type(error).__name__}: {str(error)[:200]}") from error


def _lines(text: str) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for line in text.splitlines() if (found := PINNED.match(line))]


def _conda(text: str) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for line in text.splitlines() if (found := CONDA.match(line))]


def _toml(text: str) -> list[tuple[str, str]]:
    """Read uv.lock, poetry.lock and pylock.toml."""
    table = tomllib.loads(text)
    packages = table.get("package") or table.get("packages") or []
    return [(one["name"], one["version"]) for one in packages if "name" in one and "version" in one]


def _lock(text: str) -> list[tuple[str, str]]:
    return _toml(text) if re.search(r"^\[\[package", text, re.MULTILINE) else _lines(text)


def _json(text: str) -> Iterable[tuple[str, Any]]:
    """Read names and versions, at the top or under "libraries" or "packages", such as a model's lineage may hold."""
    found = json.loads(text)
    inner = found.get("libraries") or found.get("packages") or found
    return [(name, version) for name, version in inner.items() if isinstance(version, str)]


READERS = {".txt": _lines, ".in": _lines, ".lock": _lock, ".toml": _toml, ".json": _json, ".yml": _conda}
READERS[".yaml"] = _conda
