"""A run that is forked from one that has imported starts as a fresh interpreter would, and ends as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from tests.forked import run_python

TOLD = """
import atexit, json, os, sys
atexit.register(print, "the end")
print(json.dumps([sys.argv, sys.path, dict(os.environ), os.getcwd(), __name__]))
"""
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", ["-c", "-m"])
def test_a_run_starts_as_in_a_fresh_interpreter(tmp_path, how):
    (tmp_path / "told.py").write_text(TOLD, encoding="utf-8")
    arguments = [how, TOLD if how == "-c" else "told", "--one", "two words"]
    environment = {**os.environ, "FLIGHTS_BREAK": "model.1", "PYTHONPATH": str(tmp_path / "more")}

    forked = run_python(arguments, folder=tmp_path, environment=environment, timeout=60)
    fresh = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )

    said, expected = (one.stdout.splitlines() for one in (forked, fresh))
    assert said[1:] == expected[1:] == ["the end"]
    assert json.loads(said[0]) == json.loads(expected[0])


def test_its_exit_status_and_what_it_says_come_back(tmp_path):
    code = "import sys; print('out'); sys.exit('err')"

    ended = run_python(["-c", code], folder=tmp_path, environment=os.environ, timeout=60)

    assert (ended.returncode, ended.stdout) == (1, "out\n")
    assert ended.stderr.startswith("err\n")  # nanobind has more to say


def test_a_run_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path):
    code = "import subprocess, time; subprocess.Popen(['sleep', '61.5']); print('here', flush=True); time.sleep(60)"

    with pytest.raises(subprocess.TimeoutExpired) as raised:
        run_python(["-c", code], folder=tmp_path, environment=os.environ, timeout=5)

    time.sleep(0.2)
    assert raised.value.output == "here\n"
    assert subprocess.run(["pgrep", "-f", "sleep 61.5"], check=False, capture_output=True).stdout == b""
