"""A team's existing results are items of a run: worth half a point, cutting what fails, shown with the reason."""

from __future__ import annotations

import json

import pytest

SETTINGS = """
[[tool.mltestscore.evidence]]
item = "data.7"
kind = "great_expectations"
path = "results/*.json"
data = ["flights"]
"""


@pytest.fixture
def results(project):
    """Give a project that declares results, and a function that writes one."""
    file = project.folder / "pyproject.toml"
    replayed = 'system = "sample"\nclock = 2026-11-22T00:00:00Z'
    file.write_text(file.read_text().replace('system = "sample"', replayed) + SETTINGS)

    def write(**changes):
        config = {"type": "expect_column_to_exist", "kwargs": {"column": "temp"}}
        entry = {"success": True, "expectation_config": config} | changes
        asset = {"active_batch_definition": {"data_asset_name": "flights"}}
        content = {"success": entry["success"], "results": [entry], "suite_name": "nightly", "meta": asset}
        return project.write("results/2026-11-20.json", json.dumps(content))

    return write


def existing(project):
    (check,) = [check for check in project.item("data.7")["checks"] if check["origin"] == "existing result"]
    return check


def test_an_existing_result_that_passes_earns_half_a_point(project, results, monkeypatch):
    monkeypatch.setenv("CI", "true")
    project.write("quality/lengths.py", "")
    results()

    outcome = project.run()

    item = project.item("data.7")
    assert (outcome.ret, item["state"], item["credit"]) == (pytest.ExitCode.OK, "passed", 0.5)
    assert "an existing result is worth ½" in item["credit_reason"]
    assert existing(project)["node"] == "mltestscore/existing::data.7/great_expectations"


def test_an_existing_result_adds_nothing_to_a_check_with_full_credit(project, results, monkeypatch):
    monkeypatch.setenv("CI", "true")
    results()

    project.run()

    assert (project.item("data.7")["state"], project.item("data.7")["credit"]) == ("passed", 1.0)


def test_an_existing_result_that_fails_cuts_the_credit_and_the_run(project, results):
    results(success=False)

    outcome = project.run()

    item = project.item("data.7")
    assert (outcome.ret, item["state"], item["credit"]) == (pytest.ExitCode.TESTS_FAILED, "failed", 0.0)
    outcome.stdout.fnmatch_lines(["*data.7/great_expectations failed: nightly on flights: existing tests that fail 1*"])


def test_a_result_that_does_not_count_harms_nothing_and_is_shown_with_its_reason(project, results):
    results().write_text("not JSON")

    outcome = project.run("-rs")

    item = project.item("data.7")
    assert (outcome.ret, item["state"], item["credit"]) == (pytest.ExitCode.OK, "passed", 0.5)
    outcome.stdout.fnmatch_lines(["*results/2026-11-20.json is not JSON*"])
    page = (project.folder / "mltestscore-report" / "scorecard.html").read_text()
    assert "results/2026-11-20.json is not JSON" in page


def test_existing_results_are_chosen_by_name_as_any_test(project, results):
    results(success=False)

    outcome = project.run("-k", "great_expectations")

    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert [check["id"] for check in project.item("data.7")["checks"]] == ["data.7/great_expectations"]


@pytest.mark.slow
def test_result_files_are_read_without_the_libraries_that_wrote_them(project, results):
    results()
    project.write(
        "probe.py",
        "import atexit, sys, pathlib\n"
        "atexit.register(lambda: pathlib.Path('loaded.txt').write_text("
        "' '.join(sorted({'great_expectations', 'evidently', 'pandera', 'json'} & set(sys.modules)))))\n",
    )
    project.write("conftest.py", "import probe\n" + (project.folder / "conftest.py").read_text())

    project.start("-p", "no:hypothesispytest", "-k", "great_expectations")

    assert existing(project)["state"] == "passed"
    assert (project.folder / "loaded.txt").read_text() == "json"


def test_a_wrong_declaration_ends_the_run_before_it_starts(project, results):
    file = project.folder / "pyproject.toml"
    file.write_text(file.read_text().replace('item = "data.7"', 'item = "data.8"'))

    outcome = project.run()

    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*tool.mltestscore.evidence, entry 1: *data.8*Did you mean*"])


REPORT = """
[tool.mltestscore.evidently]
report = "report:gaps"
[tool.mltestscore.data.training]
source = "rows.csv"
[tool.mltestscore.data.serving]
source = "rows.csv"
"""


GAPS = """
from evidently import Report
from evidently.metrics import MissingValueCount
from evidently.tests import lte

gaps = Report([MissingValueCount(column="temp", tests=[lte(0)])])
"""


@pytest.mark.slow
def test_a_report_of_evidently_runs_in_a_worker(project):
    file = project.folder / "pyproject.toml"
    file.write_text(file.read_text() + REPORT)
    project.write("rows.csv", "temp\n" + "1.5\n" * 300)
    project.write("report.py", GAPS)

    outcome = project.start("-n", "1", "-k", "evidently_report")

    assert outcome.ret == pytest.ExitCode.OK
    (check,) = [check for check in project.item("monitor.2")["checks"] if check["origin"] == "existing result"]
    assert (check["state"], [fact["name"] for fact in check["inputs"]]) == ("passed", ["serving", "training"])
