"""A check that takes longer than two seconds says what it is doing; a quick one says nothing."""

from __future__ import annotations

SLOW = """
@check("data.7")
def check_slow(lengths):
    import time
    time.sleep(2.4)
    yield at_most("longest", max(lengths), 10)

@check("data.6")
def check_quick(lengths):
    yield at_most("longest", max(lengths), 10)
"""


def test_only_a_slow_check_shows_its_phase_past_the_capturing(project, check_file):
    check_file(SLOW)

    outcome = project.start("-p", "no:xdist", "-p", "no:randomly", "-k", "slow or quick")

    text = outcome.stdout.str()
    assert "data.7/slow: observing …" in text
    assert "data.6/quick" not in text


def test_quiet_runs_show_no_phases(project, check_file):
    check_file(SLOW)

    outcome = project.start("-p", "no:xdist", "-p", "no:randomly", "-k", "slow", "-q")

    assert "observing" not in outcome.stdout.str()
