"""pytest-xdist: results arrive, and a worker that dies loses its current check and no other."""

from __future__ import annotations

import pytest

MANY = """
from mltestscore import at_most, check
import os

def make(number):
    @check("data.7", id=f"team.{number}")
    def check_number():
        if number == 4 and os.environ.get("DIE"):
            os._exit(1)
        yield at_most("number", number, 100)
    check_number.__name__ = f"check_number_{number}"
    return check_number

for number in range(12):
    globals()[f"check_{number}"] = make(number)
"""


@pytest.fixture
def many(project):
    project.write("quality/lengths.py", MANY)
    return project


def test_two_workers_give_the_same_states_as_one_process(many):
    outcome = many.start("-n", "2", "-p", "no:randomly")

    assert outcome.ret == pytest.ExitCode.OK
    assert [check["state"] for check in many.item("data.7")["checks"]] == ["passed"] * 12
    assert many.scorecard()["run"]["incomplete"] is False


def test_a_killed_worker_loses_only_its_current_check(many, monkeypatch):
    monkeypatch.setenv("DIE", "1")

    outcome = many.start("-n", "2", "-p", "no:randomly")

    checks = many.item("data.7")["checks"]
    lost = [check for check in checks if check["state"] != "passed"]
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert len(checks) == 12
    assert [(check["id"], check["state"]) for check in lost] == [("team.4", "error")]
    assert "crashed" in lost[0]["reason"]


def test_the_plugin_works_without_xdist(project):
    assert project.start("-p", "no:xdist", "-p", "no:randomly").ret == pytest.ExitCode.OK
