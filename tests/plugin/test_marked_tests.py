"""A team's existing tests count as evidence by marker; with a fault under which they fail, in full."""

from __future__ import annotations

import pytest

MARKED = """
import contextlib
import pytest

CLOCK = {"offset": 0}

@contextlib.contextmanager
def wrong_clock():
    'the clock is an hour off'
    CLOCK["offset"] = 3600
    try:
        yield
    finally:
        CLOCK["offset"] = 0

@pytest.fixture
def base():
    return 10

@pytest.mark.mltestscore("data.7", fault=wrong_clock)
def test_feature(base):
    assert base + CLOCK["offset"] == 10
"""


def test_a_marked_test_with_a_fault_that_it_catches_is_proven(project):
    project.write("test_features.py", MARKED)
    project.write("quality/lengths.py", "")

    outcome = project.run()

    check = project.item("data.7")["checks"][0]
    assert outcome.ret == pytest.ExitCode.OK
    assert (check["state"], check["origin"], check["proof"]["state"]) == ("passed", "marked test", "proven")
    assert check["proof"]["faults"][0]["name"] == "the clock is an hour off"


def test_a_marked_test_that_passes_under_its_fault_earns_nothing(project):
    project.write("test_features.py", MARKED.replace('CLOCK["offset"] == 10', "0 == 10"))
    project.write("quality/lengths.py", "")

    project.run()

    assert project.item("data.7")["checks"][0]["proof"]["state"] == "vacuous"
    assert project.item("data.7")["credit"] == 0


def test_a_marked_test_without_a_fault_earns_at_most_half_a_point(project, monkeypatch):
    monkeypatch.setenv("CI", "true")
    project.write("test_features.py", MARKED.replace(", fault=wrong_clock", ""))
    project.write("quality/lengths.py", "")

    project.run()

    assert project.item("data.7")["credit"] == 0.5


def test_a_marked_test_that_fails_fails_the_item(project):
    project.write("test_features.py", MARKED.replace("== 10", "== 11"))

    project.run()

    assert project.item("data.7")["state"] == "failed"


def test_a_marked_test_that_is_skipped_offers_nothing_and_says_why(project):
    project.write("quality/lengths.py", "")
    project.write("test_features.py", MARKED.replace("    assert", "    pytest.skip('no GPU')\n    assert"))

    project.run()

    check = project.item("data.7")["checks"][0]
    assert (check["state"], "no GPU" in check["reason"]) == ("not_offered", True)


def test_a_marked_test_whose_fixture_breaks_is_an_error(project):
    project.write("test_features.py", MARKED.replace("return 10", "raise OSError('gone')"))

    project.run()

    states = {check["origin"]: check["state"] for check in project.item("data.7")["checks"]}
    assert states["marked test"] == "error"


def test_a_marker_that_names_no_item_suggests_the_near_one(project):
    project.write("test_features.py", MARKED.replace("data.7", "dta.7"))

    outcome = project.run()

    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*dta.7*Did you mean 'data.7'*"])
