"""Which packages are installed where the model is served: of this interpreter, of another one, or as a file says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltestscore.dependencies import environment_process
from mltestscore.errors import InputError, near

SECONDS = 60.0  # for another interpreter to list what it has
FROZEN = re.compile(r"([A-Za-z0-9][\w.-]*)\s*===?\s*([^\s;#]+)")
FORMS = "`pip freeze`, `pip list --format=json` or `pip inspect`"


def normal(name: str) -> str:
    """Return a package's name as indexes compare it.

    >>> normal("Ruamel.YAML_clib")
    'ruamel-yaml-clib'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Environment:
    """What is installed.

    Attributes:
        source: the interpreter, or the file that lists it.
        packages: versions by normal name.
        markers: what an environment marker of a requirement may ask.
        conda: versions of the packages that conda installed, by the normal form of its own names; empty without conda.
    """

    source: str
    packages: Mapping[str, str]
    markers: Mapping[str, str]
    conda: Mapping[str, str]

    def without_versions(self) -> str:
        """Name the environment for a reader."""
        return f"{self.source}, Python {self.markers.get('python_full_version', '?')}"


def read_environment(python: str, installed: str, base: Path) -> Environment:
    """Return what is installed for this interpreter, for ``python``, or as the file ``installed`` lists it.

    Raises :class:`InputError` when that interpreter does not start or answer, or the file is of another form.
    """
    if installed:
        return _listed(base / installed, installed)
    return environment_of(
        _asked(python, base) if python and python != sys.executable else environment_process.described()
    )


def environment_of(found: Mapping[str, Any]) -> Environment:
    """Return the environment that an interpreter described."""
    packages = {normal(name): version for name, version in found["packages"].items()}
    return Environment(found["python"], packages, found["markers"], _conda(Path(found["prefix"])))


def _asked(python: str, base: Path) -> dict[str, Any]:
    path = base / python if "/" in python else Path(shutil.which(python) or python)
    text = Path(environment_process.__file__).read_text(encoding="utf-8")
    # Its own packages, not those that this process was given by variables.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    setting = f"python = {python!r:.200}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [str(path.absolute()), "-c", text],
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except OSError as error:
            raise InputError(f"{setting} cannot be started: {error.strerror}; name an interpreter.") from None
        except subprocess.TimeoutExpired:
            raise InputError(f"{setting} did not list its packages within {SECONDS:g} s.") from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-300:]
        raise InputError(f"{setting} did not list its packages (status {done.returncode}): {said}") from None
    return answer


def _conda(prefix: Path) -> dict[str, str]:
    found = {}
    for file in sorted((prefix / "conda-meta").glob("*.json")):
        name, _, version = file.stem.rpartition("-")[0].rpartition("-")  # NAME-VERSION-BUILD.json
        found[normal(name)] = version
    return found


def _listed(file: Path, shown: str) -> Environment:
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"installed: there is no file {shown!r:.200}.{near(file.name, beside)}")
    try:
        text = file.read_text(encoding="utf-8-sig")
        data = json.loads(text) if text.lstrip().startswith(("[", "{")) else None
    except (OSError, ValueError) as error:
        raise InputError(f"installed: {shown:.200} cannot be read: {str(error)[:200]}; expected {FORMS}.") from None
    markers = dict(environment_process.described()["markers"])
    if isinstance(data, dict):
        markers |= {str(name): str(value) for name, value in dict(data.get("environment") or {}).items()}
        data = [one.get("metadata") for one in data.get("installed", []) if isinstance(one, dict)]
    if data is None:
        pairs = [match.groups() for match in map(FROZEN.match, text.splitlines()) if match]
    else:
        pairs = [
            (one["name"], one["version"]) for one in data if isinstance(one, dict) and {"name", "version"} <= {*one}
        ]
    if not pairs:
        raise InputError(f"installed: {shown:.200} lists no package; expected {FORMS}.")
    return Environment(shown, {normal(str(name)): str(version) for name, version in pairs}, markers, {})
