"""Other processes on the machine are told apart from the server's own work, and from the load generator's."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from mltestscore.serving import process
from mltestscore.serving.contention import Usage, crowded, watched
from mltestscore.serving.generator import cores
from mltestscore.serving.load import Load

NOTHING = Usage(0.0, 0.0, 0.0)
BUSY = "while True: pass"


@pytest.mark.parametrize(
    ("busy", "idle", "ours", "senders", "told"),
    [
        (2.0, 0.0, 2.0, 0.0, False),  # the server itself uses every core: that is its own doing
        (2.0, 0.0, 1.6, 0.0, False),
        (2.0, 0.0, 1.0, 0.0, True),
        (2.0, 0.0, 1.0, 0.8, False),  # … or our own senders'
        (1.7, 0.3, 0.1, 0.0, False),  # a core was free now and then
        (0.0, 0.0, 0.0, 0.0, False),  # a system that does not tell
        (2.0, 0.0, 2.1, 0.0, False),  # clocks of different steps
    ],
)
def test_the_machine_is_taken_only_where_nothing_is_idle_and_others_use_a_quarter(busy, idle, ours, senders, told):
    assert bool(crowded(NOTHING, Usage(busy, idle, ours), 1.0, senders)) is told


def load_after(seconds):
    def send():
        time.sleep(seconds)
        return Load(np.ones(1), np.ones(1), np.zeros(1), {}, 1.0, 0.0, 0.1, (), "")

    return send


def test_of_a_server_that_is_not_ours_nothing_is_told():
    assert watched(None, load_after(0.0)).crowded == ""


@pytest.mark.slow
@pytest.mark.alone
def test_real_processes_that_take_every_core_are_seen():
    server = process.start([sys.executable, "-c", "import time; time.sleep(60)", "{port}"])
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2 * cores())]
    try:
        time.sleep(0.3)
        assert f"of {cores()} cores, and " in watched(server, load_after(1.0)).crowded
    finally:
        for one in others:
            one.kill()
            one.wait()
        server.stop()


@pytest.mark.slow
def test_what_a_servers_children_use_counts_as_its_own():
    server = process.start([sys.executable, "-c", f"import os\nos.fork() and os.wait()\n{BUSY}", "{port}"])
    try:
        began, until = Usage.now(server).ours, time.monotonic() + 30
        while Usage.now(server).ours - began < 0.3 and time.monotonic() < until:
            time.sleep(0.05)
        assert Usage.now(server).ours - began >= 0.3
        root, child = server.processes()
        assert child.cpu_times().user > root.cpu_times().user + 0.1
    finally:
        server.stop()
