"""The wheel, built through the sdist and installed into an environment of its own, works like the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


def call(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command and return what it printed; its output is the message when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the sdist, and the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Install the wheel into a fresh environment that borrows only our dependencies, not our checkout."""
    folder = tmp_path_factory.mktemp("fresh")
    call(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=folder)
    purelib = Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # A path named in a .pth file is searched, but the .pth files in it (our editable install) are not read.
    (purelib / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_exactly_the_tracked_files_under_one_top_level_name(wheel):
    tracked = call("git", "ls-files", "mltestscore", "checks", "reports", cwd=ROOT).split()
    expected = {name if name.startswith("mltestscore/") else f"mltestscore/{name}" for name in tracked}

    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert names == expected


def test_it_runs_from_another_folder_beside_a_user_project_with_the_same_names(python, tmp_path):
    files = {
        "pyproject.toml": "[tool.mltestscore]\nsystem = 'theirs'\n",
        "checks/__init__.py": "OWNER = 'them'\n",
        "reports/__init__.py": "OWNER = 'them'\n",
        "test_data_1_schema.py": "import checks, reports\ndef test_mine():\n    assert checks.OWNER == reports.OWNER\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    text = call(python, "-m", "pytest", "--mltestscore", "-v", "-p", "no:randomly", "-p", "no:xdist", cwd=tmp_path)

    scorecard = json.loads((tmp_path / "mltestscore-report" / "scorecard.json").read_text())
    assert "test_data_1_schema.py::test_mine PASSED" in text
    assert len(scorecard["items"]) == 28
    assert {check["state"] for item in scorecard["items"] for check in item["checks"]} == {"not_offered"}


def test_node_ids_are_the_same_as_from_the_checkout(python, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.mltestscore]\n")
    collect = ("-m", "pytest", "--mltestscore", "--collect-only", "-q", "-p", "no:randomly", "-p", "no:xdist")

    installed = call(python, *collect, cwd=tmp_path)
    checkout = call(sys.executable, *collect, cwd=tmp_path)

    ids = [line for line in installed.splitlines() if "::" in line]
    assert ids == [line for line in checkout.splitlines() if "::" in line]
    assert "mltestscore/data/data_1_schema.py::check_schema" in ids


def test_the_command_line_tool_and_the_rubric_ship(python, tmp_path):
    text = call(python.parent / "mltestscore", "explain", "monitor.3", cwd=tmp_path)

    assert text.startswith("monitor.3  ")
