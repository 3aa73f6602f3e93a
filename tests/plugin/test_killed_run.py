"""A run that is killed leaves a journal, from which a scorecard marked incomplete can be made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from typer.testing import CliRunner

from mltestscore.cli import app

SLOW = """
from mltestscore import at_most, check
import time

@check("data.7")
def check_quick():
    yield at_most("quick", 0, 1)

@check("data.6")
def check_slow():
    open("reached", "w").close()
    time.sleep(60)
    yield at_most("slow", 0, 1)
"""


def test_a_killed_run_leaves_a_journal_that_renders_as_an_incomplete_scorecard(project):
    project.write("quality/lengths.py", SLOW)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--mltestscore",
        "-p",
        "no:randomly",
        "-p",
        "no:xdist",
        "-k",
        "check_quick or check_slow",
    ]
    run = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (project.folder / "reached").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(timeout=10)
    report = project.folder / "mltestscore-report"
    (journal,) = report.glob("journal-*.jsonl")
    with journal.open("a") as file:
        file.write('{"id": "cut off')

    rendered = CliRunner().invoke(app, ["render", str(journal)])

    assert rendered.exit_code == 0, rendered.output
    scorecard = json.loads((report / "scorecard.json").read_text())
    states = {check["id"]: check["state"] for item in scorecard["items"] for check in item["checks"]}
    assert scorecard["run"]["incomplete"] is True
    assert states == {"data.7/quick": "passed"}
    assert "incomplete" in (report / "scorecard.html").read_text().lower()


def test_a_finished_run_leaves_no_journal(project):
    project.run()

    assert list((project.folder / "mltestscore-report").glob("journal-*")) == []


def test_an_interrupted_run_writes_an_incomplete_scorecard(project, check_file):
    check_file('@check("data.7")\ndef check_it():\n    raise KeyboardInterrupt\n    yield\n')

    project.start("-p", "no:xdist", "-p", "no:randomly")

    assert project.scorecard()["run"]["incomplete"] is True
