"""Copies of a project, and processes that end with their time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from mltestscore.codetests import sandbox
from mltestscore.codetests.sandbox import copied, run_python
from mltestscore.errors import InputError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "src").mkdir(parents=True)
    (home / "src" / "mine.py").write_text("WHERE = __file__\n")
    (home / "data").mkdir()
    (home / "data" / "big.bin").write_bytes(b"x" * 1000)
    return home


def test_a_copy_leaves_out_what_it_should_and_is_removed(project):
    os.mkfifo(project / "pipe")
    (project / "link").symlink_to("nowhere")
    with copied(project, ("data",), "[x]") as copy:
        assert {file.name for file in copy.iterdir()} == {"src", "link"}
        (copy / "src" / "mine.py").write_text("")
    assert not copy.exists()
    assert (project / "src" / "mine.py").read_text() != ""


def test_a_copy_is_removed_when_its_use_fails(project):
    with pytest.raises(RuntimeError), copied(project, (), "[x]") as copy:
        raise RuntimeError
    assert not copy.exists()


def test_a_folder_that_is_too_large_is_refused_with_the_remedy(project, monkeypatch):
    monkeypatch.setattr(sandbox, "MOST_BYTES", 500)
    with pytest.raises(InputError, match=r"\[x\]: .* left_out"), copied(project, (), "[x]"):
        pass


def test_code_is_imported_from_the_copy_even_where_the_path_names_the_project(project, monkeypatch):
    monkeypatch.syspath_prepend(str(project / "src"))
    with copied(project, (), "[x]") as copy:
        done = run_python(["-c", "import mine; print(mine.WHERE)"], sandbox=copy, home=project, timeout=20)
        assert (done.code, done.said) == (0, str(copy / "src" / "mine.py"))


def test_a_process_and_its_children_end_with_their_time(project):
    start = "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    program = f"import subprocess, sys, time; {start}; print(child.pid, flush=True); time.sleep(60)"
    with copied(project, (), "[x]") as copy:
        done = run_python(["-c", program], sandbox=copy, home=project, timeout=2)
    assert done.code is None
    assert done.seconds < 20
    deadline = time.monotonic() + 10
    while Path(f"/proc/{done.said}").exists() and time.monotonic() < deadline:
        if "Z" in Path(f"/proc/{done.said}/stat").read_text().split()[2]:
            break  # ended, and nobody has asked for its status
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{done.said}").exists()


def test_a_run_sees_nothing_of_the_pytest_run_around_it(project, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    with copied(project, (), "[x]") as copy:
        done = run_python(
            ["-c", "import os; print('PYTEST_ADDOPTS' in os.environ)"], sandbox=copy, home=project, timeout=20
        )
    assert done.said == "False"
    assert sys.executable
