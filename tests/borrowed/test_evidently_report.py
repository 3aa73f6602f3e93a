"""A team's own Evidently report runs on bounded samples; what its tests find decides."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.borrowed.evidently_report import report_checks
from mltestscore.config import read_config
from mltestscore.engine import run
from mltestscore.errors import ConfigError
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.result import CheckResult

pytestmark = pytest.mark.slow  # to import Evidently alone takes ten seconds

REPORTS = """
from evidently import DataDefinition, Report
from evidently.metrics import MissingValueCount, ValueDrift
from evidently.presets import DataDriftPreset
from evidently.tests import eq, lte

RUNS = []

def drift():
    RUNS.append(1)
    return Report([DataDriftPreset()], include_tests=True)

gaps = Report([MissingValueCount(column="temp", tests=[lte(0)])])
warns = Report([MissingValueCount(column="temp", tests=[lte(-1, is_critical=False), eq(0)])])
silent = Report([MissingValueCount(column="temp")])
gone = Report([ValueDrift(column="wind_speed")], include_tests=True)
only_temp = DataDefinition(numerical_columns=["temp"])
number = 3

def broken():
    raise OSError("no licence")
"""
SEED = 11
ROLES = Roles(key=("id",), time="at", ignore=("note",))


def rows(n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "at": pd.date_range("2026-01-01", periods=n, freq="h"),
            "temp": rng.normal(size=n),
            "delayed": rng.random(n) > 0.5,
            "dest": pd.Categorical(rng.choice(["x", "y", "z"], n)),
            "note": [f"row {number}" for number in range(n)],
        }
    )


def data(name: str, frame: pd.DataFrame) -> Dataset:
    return open_dataset(name, frame, ROLES)


def later(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of another month in another order: other keys, times and notes, the same features."""
    other = frame.sample(frac=1, random_state=SEED).reset_index(drop=True)
    return other.assign(id=frame["id"] + 10**6, at=frame["at"] + pd.Timedelta(days=400), note="later")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that gives the checks of a report; the module of reports is new each time."""
    module = f"reports_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(REPORTS)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def checks(report: str, more: str = "") -> Any:
        source = f"{module}:{report}" if ":" not in report else report
        text = f'[tool.mltestscore.evidently]\nreport = "{source}"\n{more.replace("MODULE", module)}\n'
        (tmp_path / "pyproject.toml").write_text(text)
        return report_checks(read_config(tmp_path / "pyproject.toml"))

    yield checks
    sys.modules.pop(module, None)


def outcome(check: Any, serving: pd.DataFrame) -> CheckResult:
    inputs = {"serving": data("serving", serving), "training": data("training", rows())}
    return run(check, {name: inputs[name] for name in check.inputs}, {}, proving=None)[0]


def test_a_sound_system_passes_whatever_its_keys_times_and_ignored_columns(project: Any):
    (check,) = project("drift")

    result = outcome(check, later(rows()))

    assert (check.id, check.inputs) == ("monitor.2/evidently_report", ("serving", "training"))
    assert (result.state, result.origin, result.reason) == ("passed", "existing result", "2 findings within the limit")
    (table,) = result.details
    assert table.title == "Existing tests of serving against training"
    assert {row[1] for row in table.data["rows"]} == {"temp", "delayed", "dest", ""}


@pytest.mark.parametrize(
    ("report", "broken", "column"),
    [
        ("drift", {"temp": lambda frame: frame["temp"] * 1.8 + 32}, "temp"),
        ("drift", {"dest": lambda frame: frame["dest"].astype("str").str.upper()}, "dest"),
        ("gaps", {"temp": lambda frame: frame["temp"].where(frame.index % 9 > 0)}, "temp"),
    ],
)
def test_a_report_catches_a_fault_and_names_the_column(project: Any, report: str, broken: Any, column: str):
    (check,) = project(report)

    result = outcome(check, later(rows()).assign(**broken))

    assert result.state == "failed"
    failed = [row for row in result.details[0].data["rows"] if row[2] == "failed"]
    assert column in {row[1] for row in failed}
    assert failed[0][0] in result.reason


def test_what_only_one_side_has_beside_the_features_is_not_compared(project: Any):
    (check,) = project("drift")
    training = open_dataset(
        "training", rows().assign(late=1), Roles(key=("id",), time="at", ignore=("note",), label="late")
    )
    served = later(rows()).assign(score=0.5, request="r")
    serving = open_dataset("serving", served, Roles(key=("id",), time="at", ignore=("note",), score="score"))

    result = run(check, {"serving": serving, "training": training}, {}, proving=None)[0]

    assert result.state == "passed"


def test_a_feature_that_is_not_served_at_all_is_an_error_that_names_it(project: Any):
    result = outcome(project("drift")[0], later(rows()).drop(columns="temp"))

    assert (result.state, "Column (temp) is partially present" in result.reason) == ("error", True)


def test_a_number_that_became_text_has_drifted(project: Any):
    served = later(rows())

    result = outcome(project("drift")[0], served.assign(temp=served["temp"].map("{:.0f} C".format)))

    assert (result.state, "Value Drift for column temp" in str(result.details)) == ("failed", True)


def test_a_test_that_is_not_critical_only_warns(project: Any):
    result = outcome(project("warns")[0], later(rows()))

    assert result.state == "passed"
    assert [finding.value for finding in result.findings if finding.advisory] == [1]


def test_a_report_runs_once_for_all_items_that_it_speaks_for(project: Any):
    first, second = project("drift", 'items = ["monitor.2", "monitor.3"]')
    inputs = {"serving": data("serving", later(rows())), "training": data("training", rows())}

    results = [run(check, inputs, {}, proving=None)[0] for check in (first, second)]

    assert [(result.id, result.state) for result in results] == [
        ("monitor.2/evidently_report", "passed"),
        ("monitor.3/evidently_report", "passed"),
    ]
    (module,) = [module for name, module in sys.modules.items() if name.startswith("reports_")]
    assert module.RUNS == [1]


def test_a_team_may_say_itself_what_its_columns_are_and_leave_out_the_reference(project: Any):
    (check,) = project("gaps", 'definition = "MODULE:only_temp"\nreference = ""\nrows = 200')

    assert check.inputs == ("serving",)
    assert outcome(check, rows()).state == "passed"


def test_a_report_without_tests_does_not_count(project: Any):
    result = outcome(project("silent")[0], rows())

    assert result.state == "not_offered"
    assert "silent does not count: it has no test that ran; write Report([…], include_tests=True)" in result.reason


@pytest.mark.parametrize(
    ("report", "more", "message"),
    [
        ("drfit", "", "has no function 'drfit'. Did you mean 'drift'"),
        ("nowhere:drift", "", "there is no module 'nowhere'"),
        ("number", "", "is a int; name an evidently.Report"),
        ("broken", "", "raised OSError: no licence. Mend it"),
        ("gone", "", "failed on serving and training: KeyError: 'wind_speed'. Does it name columns that are there"),
        ("gaps", 'definition = "MODULE:number"', "is no evidently.DataDefinition"),
    ],
)
def test_a_report_that_cannot_run_is_an_error_with_its_setting(project: Any, report: str, more: str, message: str):
    result = outcome(project(report, more)[0], rows())

    assert (result.state, result.traceback) == ("error", "")
    assert result.reason.startswith("[tool.mltestscore.evidently] ")
    assert message in result.reason


def test_an_item_that_the_rubric_has_not_is_refused(project: Any):
    with pytest.raises(ConfigError, match=r"evidently\.items: .*'monitor.9'"):
        project("drift", 'items = ["monitor.9"]')
