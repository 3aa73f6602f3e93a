"""Locks of seven tools, and environments as interpreters and files tell them."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from mltestscore.dependencies.environment import Environment, read_environment
from mltestscore.dependencies.environment_process import described
from mltestscore.dependencies.locks import Pin, read_lock
from mltestscore.errors import InputError

HERE = Environment("here", {}, {**described()["markers"], "sys_platform": "linux", "platform_machine": "x86_64"}, {})

REQUIREMENTS = """
# made by pip-compile
--index-url https://example.org/simple
numpy==2.1.0 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via pandas
colorama==0.4.6 ; sys_platform == "win32"
torch[extra] === 2.6.0  # a comment
-r more.txt
-e .
./wheels/own-1.0-py3-none-any.whl
tool @ https://example.org/tool.zip
"""
UV = """
version = 1
[[package]]
name = "shop"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "pandas" }, { name = "colorama", marker = "sys_platform == 'win32'" }]
[package.optional-dependencies]
gpu = [{ name = "torch", extra = ["cuda"] }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "pandas"
version = "2.2.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "numpy" }]
[[package]]
name = "numpy"
version = "2.1.0"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "torch"
version = "2.6.0"
source = { registry = "https://pypi.org/simple" }
[package.optional-dependencies]
cuda = [{ name = "nvidia-cuda" }]
[[package]]
name = "nvidia-cuda"
version = "12.4"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "pytest"
version = "8.2.0"
source = { registry = "https://pypi.org/simple" }
"""
POETRY = """
[[package]]
name = "pandas"
version = "2.2.0"
optional = false
groups = ["main", "dev"]
markers = "python_version >= '3.9'"
[[package]]
name = "colorama"
version = "0.4.6"
optional = false
groups = ["main"]
markers = {main = "sys_platform == 'win32'", dev = "sys_platform == 'win32'"}
[[package]]
name = "torch"
version = "2.6.0"
optional = true
groups = ["main"]
[[package]]
name = "pytest"
version = "8.2.0"
optional = false
groups = ["dev"]
[extras]
gpu = ["Torch (>=2)"]
"""
PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "pandas"
version = "2.2.0"
[[packages]]
name = "torch"
version = "2.6.0"
marker = "'gpu' in extras"
[[packages]]
name = "colorama"
version = "0.4.6"
marker = "sys_platform == 'win32'"
[[packages]]
name = "local"
"""
PIPFILE = {
    "_meta": {},
    "default": {"pandas": {"version": "==2.2.0"}, "colorama": {"version": "==0.4.6", "markers": "os_name == 'nt'"}},
    "develop": {"pytest": {"version": "==8.2.0"}},
}
CONDA = """
version: 1
package:
- {name: pandas, version: 2.2.0, manager: conda, platform: linux-64, category: main, optional: false}
- {name: pandas, version: 2.1.0, manager: conda, platform: osx-arm64, category: main, optional: false}
- {name: openssl, version: 3.3.0, manager: conda, platform: linux-64, category: main, optional: false}
- {name: pytest, version: 8.2.0, manager: pip, platform: linux-64, category: dev, optional: true}
"""

EXPORTED = """
name: shop
dependencies:
- defaults::pandas=2.2.0=py311_0
- openssl=3.3.0=h5eee18b_0
- python>=3.11
- pip:
  - torch==2.6.0
  - own>=1
"""


def required(folder: Path, name: str, text: str, *chosen: str) -> dict[str, str]:
    (folder / name).write_text(text, encoding="utf-8")
    return {one.name: one.exact for one in read_lock(name, folder, HERE) if one.applies(HERE, chosen)}


def test_requirements_are_read_as_pip_reads_them(tmp_path):
    (tmp_path / "more.txt").write_text("-r requirements.txt\nruamel_yaml==0.18\n")
    found = required(tmp_path, "requirements.txt", REQUIREMENTS)
    assert found == {"numpy": "2.1.0", "torch": "2.6.0", "ruamel-yaml": "0.18", "tool": ""}


def test_uv_knows_what_each_extra_and_group_brings(tmp_path):
    assert required(tmp_path, "uv.lock", UV) == {"pandas": "2.2.0", "numpy": "2.1.0"}
    gpu = {"torch": "2.6.0", "nvidia-cuda": "12.4"}
    assert required(tmp_path, "uv.lock", UV, "gpu") == {"pandas": "2.2.0", "numpy": "2.1.0", **gpu}
    assert "pytest" in required(tmp_path, "uv.lock", UV, "dev")


@pytest.mark.parametrize(
    ("name", "text", "chosen", "more"),
    [
        ("poetry.lock", POETRY, (), {}),
        ("poetry.lock", POETRY, ("dev",), {"pytest": "8.2.0"}),
        ("poetry.lock", POETRY, ("gpu",), {"torch": "2.6.0"}),
        ("pdm.lock", POETRY.replace('"main"', '"default"'), (), {}),
        ("pylock.toml", PYLOCK, (), {}),
        ("pylock.toml", PYLOCK, ("gpu",), {"torch": "2.6.0"}),
        ("Pipfile.lock", json.dumps(PIPFILE), (), {}),
        ("Pipfile.lock", json.dumps(PIPFILE), ("dev",), {"pytest": "8.2.0"}),
        ("deps.lock", "# made by uv pip compile\npandas==2.2.0\n", (), {}),
        ("environment.yml", EXPORTED, (), {"openssl": "3.3.0", "torch": "2.6.0"}),
        ("conda-lock.yml", CONDA, (), {"openssl": "3.3.0"}),
    ],
)
def test_other_locks_tell_what_is_required_here(tmp_path, name, text, chosen, more):
    assert required(tmp_path, name, text, *chosen) == {"pandas": "2.2.0", **more}


@pytest.mark.parametrize(
    ("allowed", "version", "right"),
    [
        ("==2.6.0", "2.6", True),
        ("==2.6.0", "2.6.0+cu124", True),
        ("==2.6.0+cpu", "2.6.0+cu124", True),
        ("==2.6.0", "2.6.1", False),
        ("==2.6.0", "2.6.0rc1", False),
        ("==2.6.0rc1", "2.6.0rc1", True),
        ("==2.6.*", "2.6.7", True),
        (">=2,<3", "3.0", False),
        (">=2,<3", "2.5.dev1", True),
        ("==2024a", "2024a", True),
        ("==2024a", "2024b", False),
        ("==9e", "9e", True),
    ],
)
def test_versions_are_compared_as_pep_440_says(allowed, version, right):
    assert Pin("torch", allowed, "").allows(version) is right


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("requirements.txt", "numpy>=2\n", "pins no version"),
        ("requirements.txt", "numpy==\n", "line 1 is 'numpy==', no requirement"),
        ("requirements.txt", "-r none.txt\n", "none.txt cannot be read"),
        ("poetry.lock", "[[package]]\n[", "cannot be read"),
        ("setup.yml", "x: 1\n", "known are requirements.txt"),
        ("pylock.toml", PYLOCK.replace("'gpu' in extras", "gpu"), "marker 'gpu'"),
    ],
)
def test_what_is_no_lock_is_an_error(tmp_path, name, text, said):
    with pytest.raises(InputError, match=said):
        required(tmp_path, name, text)
    with pytest.raises(InputError, match="Did you mean"):
        read_lock(f"{name}x", tmp_path, HERE)


def test_another_interpreter_tells_what_it_has_and_one_that_is_none_is_an_error(tmp_path):
    here = Path(sys.executable)
    found = read_environment(str(here.parent / ".." / here.parent.name / here.name), "", tmp_path)
    assert found.packages["numpy"] == version("numpy")
    assert found.markers["python_version"] == described()["markers"]["python_version"]
    with pytest.raises(InputError, match="cannot be started"):
        read_environment("./no-python", "", tmp_path)
    with pytest.raises(InputError, match="did not list its packages"):
        read_environment("/bin/echo", "", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "numpy==2.1.0\nown @ file:///work\n-e git+https://example.org/x\nPandas==2.2.0+local\n",
        json.dumps([{"name": "numpy", "version": "2.1.0"}, {"name": "Pandas", "version": "2.2.0+local"}]),
        json.dumps(
            {
                "environment": {"sys_platform": "win32"},
                "installed": [
                    {"metadata": {"name": "numpy", "version": "2.1.0"}},
                    {"metadata": {"name": "Pandas", "version": "2.2.0+local"}},
                ],
            }
        ),
    ],
    ids=["freeze", "list", "inspect"],
)
def test_a_list_stands_for_an_environment_elsewhere(tmp_path, text):
    (tmp_path / "installed.txt").write_text(text)
    found = read_environment("", "installed.txt", tmp_path)
    assert found.packages == {"numpy": "2.1.0", "pandas": "2.2.0+local"}
    assert (found.markers["sys_platform"] == "win32") is ("win32" in text)


@pytest.mark.parametrize(("text", "said"), [("nothing\n", "lists no package"), ("[1", "cannot be read")])
def test_a_list_of_another_form_is_an_error(tmp_path, text, said):
    (tmp_path / "installed.txt").write_text(text)
    with pytest.raises(InputError, match=said):
        read_environment("", "installed.txt", tmp_path)
    with pytest.raises(InputError, match=r"Did you mean 'installed\.txt'"):
        read_environment("", "instaled.txt", tmp_path)
