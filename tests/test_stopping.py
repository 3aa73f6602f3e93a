"""A daemon, which leaves the tree and the session of what started it, ends with the command all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mltestscore.codetests.sandbox import run_python
from mltestscore.serving import process
from mltestscore.stopping import MARK, kill_marked, marked

DAEMON = """
import os, sys, time
if not os.fork():
    os.setsid()
    if not os.fork():
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not (os.path.exists(sys.argv[1]) and open(sys.argv[1]).read()):
    time.sleep(0.01)
"""


def ended(pid: int) -> bool:
    try:
        found = psutil.Process(pid)
        return found.status() == psutil.STATUS_ZOMBIE or bool(psutil.wait_procs([found], timeout=5)[0])
    except psutil.NoSuchProcess:
        return True


def test_daemon_of_a_command_is_killed(tmp_path):
    done = run_python(["-c", DAEMON, str(tmp_path / "pid")], sandbox=tmp_path, home=tmp_path, timeout=20)
    assert done.code == 0
    assert ended(int((tmp_path / "pid").read_text()))


def test_daemon_of_a_server_is_killed(tmp_path):
    server = process.start([sys.executable, "-c", DAEMON + "time.sleep(60)", str(tmp_path / "pid")])
    deadline = time.monotonic() + 20
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(Path(tmp_path / "pid").read_text())
    assert psutil.pid_exists(pid)
    server.stop()
    assert ended(pid)


@pytest.mark.parametrize(("made_under", "killed"), [(True, True), (False, False)])
def test_what_another_command_started_is_left_alone(monkeypatch, made_under, killed):
    ours = marked()
    if made_under:
        monkeypatch.setenv(MARK, ours[MARK])
    theirs = subprocess.Popen(["sleep", "60"], env={**os.environ, **marked()})
    try:
        kill_marked(ours)
        assert (ended(theirs.pid) if killed else theirs.poll() is not None) is killed
    finally:
        theirs.kill()
        theirs.wait()
