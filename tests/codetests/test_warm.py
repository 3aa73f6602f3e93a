"""Forks of a process that has imported a project's libraries: what they share, and what they must not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mltestscore.codetests.libraries import libraries_of
from mltestscore.codetests.warm import WarmPython

RUN = """
import os, sys
import library, shop.model
shop.model.SEEN.append(1)
print(os.getpid() if sys.argv[1] == "pid" else library.PID)
print(os.path.relpath(shop.model.__file__), len(shop.model.SEEN), os.environ["PYTHONHASHSEED"])
if sys.argv[1] == "hang":
    import time; time.sleep(600)
if sys.argv[1] == "wrong":
    sys.exit("it is wrong")
"""


THREADED = """
import os, threading
PID = os.getpid()
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project, and a library outside of it that says which process imported it."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "library.py").write_text("import os\nPID = os.getpid()\n")
    (tmp_path / "elsewhere" / "run_it.py").write_text(RUN)
    home = tmp_path / "home"
    (home / "shop").mkdir(parents=True)
    (home / "shop" / "__init__.py").write_text("")
    (home / "shop" / "model.py").write_text("import library\nSEEN = []\n")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(home)
    return home


@pytest.fixture
def begun():
    """Return the processes below this one that were not there before: other tests of a worker keep their own."""
    before = set(psutil.Process().children(recursive=True))
    return lambda: set(psutil.Process().children(recursive=True)) - before


def warm(project: Path) -> WarmPython:
    return WarmPython(libraries_of("shop.model", project), project, {"PYTHONHASHSEED": "7"})


def said(python: WarmPython, project: Path, word: str = "library") -> list[str]:
    with python.running("run_it", [word], project) as running:
        assert running.wait(30) == 0, running.said()
        return running.said().splitlines()


def test_libraries_are_imported_once_and_the_project_each_time(project, begun):
    python = warm(project)
    first, again = said(python, project), said(python, project)
    assert first == again
    assert first[1] == "shop/model.py 1 7"
    assert said(python, project, "pid")[0] != first[0]
    process = psutil.Process(int(first[0]))
    python.close()
    assert not process.is_running()
    assert said(python, project)[0] != first[0]
    del python
    assert not begun()


def test_a_fork_says_how_it_ended_and_leaves_the_next_one_alone(project, begun):
    python = warm(project)
    with python.running("run_it", ["wrong"], project) as running:
        assert running.wait(30) == 1
        assert running.said().endswith("it is wrong")
    with python.running("run_it", ["hang"], project) as running, pytest.raises(subprocess.TimeoutExpired):
        running.wait(0.5)
    assert not begun()
    assert said(python, project)[1] == "shop/model.py 1 7"


@pytest.mark.parametrize(
    "library",
    [
        THREADED,
        "import os\nPID = os.getpid()\nif 'warm_process' in ' '.join(os.sys.orig_argv): os._exit(3)\n",
    ],
    ids=["begins a thread", "ends the process"],
)
def test_where_forks_are_not_safe_each_run_is_a_fresh_process(project, library, begun):
    (project.parent / "elsewhere" / "library.py").write_text(library)
    python = warm(project)
    first, again = said(python, project), said(python, project)
    assert first[0] != again[0]
    assert first[1] == "shop/model.py 1 7"
    assert not begun()


def test_only_what_importing_imports_from_outside_is_named(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "losses.py").write_text("import math\nimport shop.deeper\n")
    (tmp_path / "shop" / "deeper.py").write_text("this is no Python")
    (tmp_path / "shop" / "model.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from . import losses\n"
        "from .losses import *\n"
        "import xml.dom\n"
        "if TYPE_CHECKING:\n    import never\nelse:\n    import csv\n"
        "try:\n    import fast\nexcept ImportError:\n    fast = None\n"
        "def step():\n    import later\n"
    )
    before = set(sys.modules)
    found = libraries_of("shop.model", tmp_path)
    assert found == ["typing", "typing.TYPE_CHECKING", "xml", "xml.dom", "csv", "fast", "math"]
    assert not [name for name in set(sys.modules) - before if name.startswith("shop")]
