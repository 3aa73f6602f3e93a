"""Disks, folders, histories and names that work against us: one message, exit status, and no result is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from typer.testing import CliRunner

from mltestscore.cli import app
from mltestscore.history import History

from .refusals import told, uses

NASTY = ["</script><img src=x onerror=alert(1)>", "a\x00b\x1b[31m\x07\u202e", "lone \udc80 surrogate", "L" * 10_000]

LONG_TEXTS = """
from mltestscore import Text, at_most, check

@check("data.7", id="long")
def check_long():
    yield at_most("rows", 0, 1)
    for number in range({}):
        yield Text(f"part {{number}}", "x" * 4000)
"""


def pytest_in(
    project, *arguments: str, limit: int = 0, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process that may write no file longer than ``limit`` bytes; the error is the system's own."""
    limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)) if limit else None
    command = [
        *prefix,
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "--mltestscore",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    run = subprocess.run(
        [*command, *arguments],
        cwd=project.folder,
        preexec_fn=limited,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in run.stdout + run.stderr
    assert "INTERNALERROR" not in run.stdout + run.stderr
    return run


@pytest.fixture
def without_privileges() -> tuple[str, ...]:
    """Return what to put before a command so that file permissions bind it, as they do not bind root."""
    if os.geteuid() != 0:
        return ()
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    if shutil.which("setpriv") is None or subprocess.call([*prefix, "true"], stderr=subprocess.DEVNULL):
        pytest.skip("permissions do not bind root, and setpriv cannot take its privileges away here")
    return prefix


def test_a_full_disk_under_the_scorecard_keeps_the_results_in_the_journal(project):
    project.write("quality/lengths.py", LONG_TEXTS.format(15))

    run = pytest_in(project, "-k", "check_long", limit=80_000)

    report = project.folder / "mltestscore-report"
    (journal,) = report.iterdir()
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "sample: 0.0 of 7" in run.stdout
    assert f"The scorecard cannot be written to {report}: File too large. Free space" in run.stdout
    assert f"`mltestscore render {journal} --output …`" in run.stdout
    assert CliRunner().invoke(app, ["render", str(journal)]).exit_code == 0
    assert project.item("data.7")["checks"][0]["state"] == "passed"


def test_a_full_disk_under_the_journal_too_still_shows_the_results(project):
    project.write("quality/lengths.py", LONG_TEXTS.format(25))

    run = pytest_in(project, "-k", "check_long", limit=80_000)

    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "sample: 0.0 of 7" in run.stdout
    assert "1 passed" in run.stdout
    assert "The scorecard cannot be written" in run.stdout
    assert "The results are kept" not in run.stdout


def test_a_full_disk_under_the_history_costs_the_record_and_not_the_run(project):
    project.write("quality/texts.py", LONG_TEXTS.format(60))
    project.run()
    reports = [file.stat().st_size for file in (project.folder / "mltestscore-report").iterdir()]

    # The database must write the whole scorecard and its own pages around it.
    run = pytest_in(project, limit=max(reports) + 2_000)

    assert run.returncode == pytest.ExitCode.OK
    assert "This run is not on record" in run.stdout
    assert "the disk is sound and has space left" in project.scorecard()["warnings"][0]
    assert project.item("data.7")["checks"][0]["proof"]["state"] == "proven"


def test_what_permissions_forbid_is_named_with_the_file_and_the_remedy(project, without_privileges):
    files = {"data/training.csv": "a\n1\n", "model.skops": "x", "suite.json": "{}", "versions/7/lineage.json": "{}"}
    for name, text in files.items():
        project.write(name, text).chmod(0)
    tables = {"data.training": ("source", "data/training.csv"), "model": ("path", "model.skops")}
    tables |= {"schema": ("path", "suite.json"), "registry": ("path", "versions")}
    settings = "".join(f'[tool.mltestscore.{name}]\n{key} = "{file}"\n' for name, (key, file) in tables.items())
    project.write("pyproject.toml", (project.folder / "pyproject.toml").read_text() + settings)
    project.write("quality/lengths.py", uses(["training", "model", "schema", "registry"]))

    run = pytest_in(project, "-k", "check_uses or check_sound", prefix=without_privileges)

    said = told(project, pytest.RunResult(run.returncode, run.stdout.splitlines(), run.stderr.splitlines(), 0))
    for name, (_, file) in tables.items():
        message = said[name.removeprefix("data.")]
        assert file in message
        assert f"[tool.mltestscore.{name}]" in message
        assert "permission denied" in message.lower()


@pytest.mark.parametrize(
    ("folder", "remedy"), [("mltestscore-report", "--mltestscore-output"), (".mltestscore", "history")]
)
def test_a_read_only_folder_is_told_before_any_check_runs(project, without_privileges, folder, remedy):
    (project.folder / folder).mkdir()
    (project.folder / folder).chmod(0o555)

    run = pytest_in(project, prefix=without_privileges)

    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert folder in run.stderr
    assert remedy in run.stderr


def newer(file: str) -> None:
    History(file).close()
    with sqlite3.connect(file) as history:
        history.execute("UPDATE mltestscore_schema SET version = 99")
    history.close()


def no_database(file: str) -> None:
    with open(file, "w", encoding="utf-8") as other:  # noqa: PTH123 - symmetric with sqlite3.connect
        other.write("minutes of a meeting\n" * 200)


@pytest.mark.parametrize(
    ("make", "expected"),
    [(newer, ["version 99", "pip install -U mltestscore"]), (no_database, ["not a database", "move it away"])],
)
def test_a_history_that_cannot_be_used_is_told_before_any_check_runs(project, make: Callable[[str], None], expected):
    (project.folder / ".mltestscore").mkdir()
    file = project.folder / ".mltestscore" / "history.db"
    make(str(file))
    before = file.read_bytes()

    outcome = project.run()

    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    for part in (str(file), *expected):
        assert part in outcome.stderr.str()
    assert "Traceback" not in outcome.stderr.str()
    assert file.read_bytes() == before


def test_two_runs_that_write_one_history_at_once_are_both_on_record(project):
    command = [sys.executable, "-m", "pytest", "--mltestscore", "-p", "no:xdist", "-p", "no:cacheprovider"]
    runs = [
        subprocess.Popen(
            [*command, f"--mltestscore-output=report-{number}"], cwd=project.folder, stdout=subprocess.PIPE
        )
        for number in (1, 2)
    ]
    said = [run.communicate(timeout=120)[0].decode() for run in runs]

    ids = {json.loads((project.folder / f"report-{n}/scorecard.json").read_text())["run"]["id"] for n in (1, 2)}
    history = History(str(project.folder / ".mltestscore" / "history.db"))
    assert [run.returncode for run in runs] == [0, 0], said
    assert {point.run for point in history.trend("sample")} == ids
    history.close()


def test_a_scorecard_of_a_newer_version_is_not_guessed_at(project):
    file = project.write("scorecard.json", json.dumps({"schema_version": 2, "surprise": True}))

    rendered = CliRunner().invoke(app, ["render", str(file)])

    assert rendered.exit_code == 4
    assert "is a scorecard of version 2; this mltestscore reads up to 1: upgrade." in rendered.output
    assert "Traceback" not in rendered.output


def test_statements_and_gates_that_are_wrong_are_told_before_any_check_runs(project):
    settings = (project.folder / "pyproject.toml").read_text()

    project.write("pyproject.toml", settings + 'attestations = "attested.toml"\n')
    assert "attested.toml" in _refusal(project.run())
    project.write("pyproject.toml", settings + '[tool.mltestscore.gates.release]\nrequire = ["data.77"]\n')
    assert "gates.release.require names 'data.77'" in _refusal(project.run("--mltestscore-gate", "release"))


def _refusal(outcome: pytest.RunResult) -> str:
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in outcome.stderr.str()
    return outcome.stderr.str()


HOSTILE = """
import pandas, pytest
from mltestscore import Table, Text, at_most, check, fault

NASTY = {nasty!a}

@check("data.7", id="columns")
def check_columns(training):
    for column in training.columns:
        nulls = int(training.frame([column])[column].isna().sum())
        yield at_most(column, nulls, 2, where=column, cause=column, note=column, unit=column)
    yield Table(NASTY[2], tuple(NASTY), (tuple(NASTY),))
    yield Text(NASTY[0], "".join(NASTY))

@fault(check_columns, "all is lost: " + NASTY[2])
def lost(training):
    return {{"training": training.replace(training.frame() * float("nan"))}}

@check("data.6", id="error")
def check_error(training):
    raise ValueError("".join(NASTY))
    yield
"""
HOSTILE_CONFTEST = """
import pandas, pytest

@pytest.fixture(scope="session")
def training():
    return pandas.DataFrame([[1.0] * 4] * 3, columns=pandas.Index({nasty!a}, dtype=object))
"""
HOSTILE_TEST = """
import pytest

@pytest.mark.mltestscore("model.1")
@pytest.mark.parametrize("name", {nasty!a}, ids={nasty!a})
def test_name(name):
    assert not name, name
"""


def test_hostile_names_leave_a_scorecard_that_is_utf_8_and_json(project):
    system = json.dumps(NASTY[0] + "\x01\u202e" + NASTY[3])
    project.write("pyproject.toml", f'[tool.mltestscore]\nsystem = {system}\nchecks_in = ["quality"]\n')
    project.write("quality/lengths.py", HOSTILE.format(nasty=NASTY))
    project.write("conftest.py", HOSTILE_CONFTEST.format(nasty=NASTY))
    project.write("test_names.py", HOSTILE_TEST.format(nasty=NASTY))

    outcome = project.run("-k", "check_columns or check_error or test_name")

    report = project.folder / "mltestscore-report"
    card = json.loads((report / "scorecard.json").read_bytes().decode("utf-8"))
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in outcome.stdout.str() + outcome.stderr.str()
    assert card["system"] == NASTY[0] + "\x01\u202e" + NASTY[3]
    columns = project.item("data.7")["checks"][0]
    assert (columns["state"], columns["proof"]["state"]) == ("passed", "proven")
    assert [finding["name"] for finding in columns["findings"]] == [*NASTY[:2], "lone \\udc80 surrogate", NASTY[3]]
    assert project.item("data.6")["checks"][0]["state"] == "error"
    assert len(project.item("model.1")["checks"]) == len(NASTY)
    assert "<img src=x" not in (report / "scorecard.html").read_text(encoding="utf-8")
