"""Result files count only while they are dated, young, whole and about the declared data; the newest speaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mltestscore.borrowed.evidence import evidence_checks
from mltestscore.borrowed.reading import CONTRADICTED, FAILED, WARNED
from mltestscore.config import read_config
from mltestscore.engine import run
from mltestscore.errors import ConfigError
from mltestscore.inputs.dataset import open_dataset
from mltestscore.result import CheckResult

NOW = "2026-11-22T12:00:00Z"


def validation(*states: bool, made: str = "2026-11-20T03:00:00+00:00", asset: str = "flights", **changes: Any) -> Any:
    """Return a validation result with a rule a state; ``severity`` is for the failing ones."""
    severity, rows = changes.pop("severity", "critical"), changes.pop("rows", 5)
    results = [
        {
            "success": state,
            "expectation_config": {
                "type": "expect_column_values_to_be_between",
                "kwargs": {"column": f"x{number}", "max_value": 1},
                "severity": severity,
            },
            "result": {"element_count": rows, "unexpected_count": int(not state)},
        }
        for number, state in enumerate(states)
    ]
    meta = {"run_id": {"run_time": made}, "active_batch_definition": {"data_asset_name": asset}}
    return {"success": all(states), "results": results, "suite_name": "nightly", "meta": meta, **changes}


class Folder:
    """A project folder with one declaration of evidence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: Any) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        file.write_text(text, encoding="utf-8")

    def checks(self, settings: str = "", more: str = "") -> Any:
        entry = settings or 'item = "data.1"\nkind = "great_expectations"\npath = "results/*.json"\ndata = ["flights"]'
        text = f"[tool.mltestscore]\nclock = {NOW}\n[[tool.mltestscore.evidence]]\n{entry}\n{more}"
        self.write("pyproject.toml", text)
        return evidence_checks(read_config(self.path / "pyproject.toml"))

    def result(self, settings: str = "", **inputs: Any) -> CheckResult:
        (check,) = self.checks(settings)
        return run(check, inputs, {}, proving=None)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def table(result: CheckResult, title: str) -> list[list[Any]]:
    return next(detail.data["rows"] for detail in result.details if detail.title.startswith(title))


def test_a_sound_result_passes_and_is_an_existing_result(folder: Folder):
    folder.write("results/a.json", validation(True, True))

    result = folder.result()

    assert (result.state, result.origin, result.id) == ("passed", "existing result", "data.1/great_expectations")
    finding = next(finding for finding in result.findings if finding.name == FAILED)
    assert (finding.value, finding.n, finding.where) == (0, 2, "nightly on flights")
    assert table(result, "Result files") == [["results/a.json", "nightly", "2026-11-20 03:00", "yes"]]


def test_a_failing_result_fails_and_names_the_test(folder: Folder):
    folder.write("results/a.json", validation(True, False))

    result = folder.result()

    assert result.state == "failed"
    assert "values to be between: max value 1: 1 of 5 rows break it" in result.reason
    assert [row[2] for row in table(result, "Existing tests")] == ["failed", "passed"]


def test_a_failure_that_is_only_a_warning_is_shown_and_does_not_fail(folder: Folder):
    folder.write("results/a.json", validation(True, False, severity="warning"))

    result = folder.result()

    assert result.state == "passed"
    (warned,) = [finding for finding in result.findings if finding.name == WARNED]
    assert (warned.value, warned.advisory, warned.verdict) == (1, True, "failed")


def test_success_over_failing_results_fails(folder: Folder):
    folder.write("results/a.json", validation(True, False, success=True))

    result = folder.result()

    assert result.state == "failed"
    (told,) = [finding for finding in result.findings if finding.name == CONTRADICTED]
    assert told.cause == 'it says "success": true and holds 1 results that failed'


def test_of_one_suite_on_one_data_the_newest_speaks(folder: Folder):
    folder.write("results/a.json", validation(True, made="2026-11-21T03:00:00Z"))
    folder.write("results/b.json", validation(False, made="2026-11-20T03:00:00Z"))
    folder.write("results/c.json", validation(False, made="2026-11-21T04:00:00Z", suite_name="other"))

    result = folder.result()

    assert result.state == "failed"
    assert [finding.where for finding in result.findings if finding.verdict == "failed"] == ["other on flights"]
    assert [(row[0], row[3]) for row in table(result, "Result files")] == [
        ("results/a.json", "yes"),
        ("results/c.json", "yes"),
        ("results/b.json", "no: a newer one is there"),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (validation(True, made="2026-10-01T00:00:00Z"), "results/a.json is 52.5 days old, at most 30 count"),
        (validation(True, made="2026-11-24T00:00:00Z"), "was made on 2026-11-24, which is after now, 2026-11-22"),
        (validation(True, made="yesterday"), "does not say when it was made, nor does its name"),
        (validation(True, asset="taxis"), "is for other data: it names taxis, expected flights"),
        (validation(), "holds no test at all"),
        ("{", "is not JSON: Expecting property name"),
        ("[" * 200_000, "is not JSON"),
        ({"success": True}, "is no validation result of Great Expectations"),
        ({"run_results": {}}, "holds no result"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin1"), "is not JSON"),
    ],
)
def test_what_does_not_count_earns_nothing_and_says_why(folder: Folder, content: Any, why: str):
    folder.write("results/a.json", content)

    result = folder.result()

    assert result.state == "not_offered"
    assert result.reason.startswith("The evidence results/*.json (Great Expectations) does not count: ")
    assert why in result.reason


def test_no_file_is_told_with_the_place_that_was_searched(folder: Folder):
    assert f"no file in {folder.path.resolve()} matches it" in folder.result().reason


def test_a_file_too_large_is_not_read(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mltestscore.borrowed.evidence.MAX_BYTES", 2**20)
    folder.write("results/a.json", " " * (2**20 + 1))

    assert "is larger than 1 MiB" in folder.result().reason


def test_a_result_that_counts_is_judged_beside_one_that_does_not(folder: Folder):
    folder.write("results/a.json", validation(True))
    folder.write("results/old.json", validation(False, made="2026-01-01T00:00:00Z"))

    result = folder.result()

    assert result.state == "passed"
    assert table(result, "Result files")[1][3].startswith("no: it is 325.5 days old")


def test_the_rows_and_the_digest_of_a_dataset_identify_its_results(folder: Folder):
    training = open_dataset("training", pd.DataFrame({"x": range(5)}))
    entry = 'item = "data.1"\nkind = "great_expectations"\npath = "*.json"\ndataset = "training"'
    folder.write("a.json", validation(True, asset=training.digest))

    assert folder.result(entry, training=training).state == "passed"

    folder.write("a.json", validation(True, asset=training.digest, rows=4))
    assert "it saw 4 rows, training has 5" in folder.result(entry, training=training).reason


EVIDENTLY = 'item = "monitor.3"\nkind = "evidently"\npath = "snapshots/**/*.json"\ndata = ["flights"]'


def snapshot(status: str) -> dict[str, Any]:
    test = {"name": "Value Drift for column temp", "description": "Drift score is 1.07.", "status": status}
    return {"metrics": [], "tests": [test | {"metric_config": {"params": {"column": "temp"}}}]}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("flights/2026-11-20.json", ""),
        ("flights_20261120.json", ""),
        ("flights/latest.json", "does not say when it was made"),
        ("taxis/2026-11-20.json", "is for other data: it names"),
        ("flights/2026-13-45.json", "does not say when it was made"),
    ],
)
def test_a_short_snapshot_is_dated_and_named_by_its_path(folder: Folder, name: str, why: str):
    folder.write(f"snapshots/{name}", snapshot("SUCCESS"))

    result = folder.result(EVIDENTLY)

    assert result.state == ("not_offered" if why else "passed")
    assert why in result.reason


def test_snapshots_in_which_nothing_ran_say_nothing(folder: Folder):
    folder.write("snapshots/flights/2026-11-20.json", snapshot("SKIPPED"))

    assert "holds no test that ran (1 skipped)" in folder.result(EVIDENTLY).reason


def test_a_snapshot_with_a_failing_test_fails_and_one_in_error_too(folder: Folder):
    for status in ("FAIL", "ERROR"):
        folder.write("snapshots/flights/2026-11-20.json", snapshot(status))

        result = folder.result(EVIDENTLY)

        assert (result.state, "Drift score is 1.07" in result.reason) == ("failed", True)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('item = "dta.1"\nkind = "evidently"\npath = "*"\ndata = ["a"]', "entry 1: .*'dta.1'.*Did you mean 'data.1'"),
        ('item = "data.1"\nkind = "evidently"\npath = "*"', r'entry 1: write data = \["…"\]'),
        ('item = "data.1"\nkind = "evidntly"\npath = "*"\ndata = ["a"]', "evidence.0.kind is 'evidntly'"),
        ('item = "data.1"\nkind = "evidently"\npth = "*"\ndata = ["a"]', "pth"),
        ('item = "data.1"\nkind = "evidently"\npath = "*"\ndata = ["a"]\nmax_age_days = 0', "max_age_days is 0"),
    ],
)
def test_a_wrong_declaration_is_one_clear_error(folder: Folder, entry: str, message: str):
    with pytest.raises(ConfigError, match=message):
        folder.checks(entry)


def test_two_entries_of_one_name_are_refused_and_named_apart(folder: Folder):
    more = f"[[tool.mltestscore.evidence]]\n{EVIDENTLY}\n"

    with pytest.raises(ConfigError, match=r"monitor\.3/evidently is there already; give each a name"):
        folder.checks(EVIDENTLY, more)
    checks = folder.checks(EVIDENTLY, more + 'name = "weekly"')
    assert [check.id for check in checks] == ["monitor.3/evidently", "monitor.3/weekly"]


def test_times_without_a_zone_are_given_a_day(folder: Folder):
    later = datetime(2026, 11, 23, 2, tzinfo=UTC).replace(tzinfo=None).isoformat()
    content = {"metric_results": {"m": {"tests": snapshot("SUCCESS")["tests"]}}, "top_level_metrics": ["m"]}
    folder.write("snapshots/a.json", {**content, "timestamp": later, "metadata": {"data": "flights"}, "name": None})

    assert folder.result(EVIDENTLY).state == "passed"
