"""Gates and the lowest score decide the exit status, with reasons in words everywhere."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mltestscore.cli import app

GATE = """
[tool.mltestscore.gates.release]
min_score = 1
require = ["data.7"]
"""


@pytest.fixture
def gated(project):
    project.write("pyproject.toml", (project.folder / "pyproject.toml").read_text() + GATE)
    return project


def test_a_gate_that_is_not_met_exits_1_with_the_reasons_in_terminal_json_and_html(gated):
    outcome = gated.run("--mltestscore-gate", "release")

    gate = gated.scorecard()["gate"]
    page = (gated.folder / "mltestscore-report" / "scorecard.html").read_text()
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert gate["met"] is False
    assert len(gate["reasons"]) >= 1
    assert "release" in page
    assert gate["reasons"][0][:20] in page
    outcome.stdout.fnmatch_lines(["*release*NOT MET*"])


def test_a_gate_that_is_met_leaves_the_exit_status(gated):
    gated.write(
        "pyproject.toml", (gated.folder / "pyproject.toml").read_text().replace("min_score = 1", "min_score = 0")
    )

    outcome = gated.run("--mltestscore-gate", "release")

    assert outcome.ret == pytest.ExitCode.OK
    assert gated.scorecard()["gate"]["met"] is True


@pytest.mark.parametrize(("minimum", "status"), [("0", pytest.ExitCode.OK), ("0.5", pytest.ExitCode.TESTS_FAILED)])
def test_fail_under_compares_the_score(project, minimum, status):
    assert project.run("--mltestscore-fail-under", minimum).ret == status


def test_the_terminal_summary_has_at_most_twelve_lines_and_ends_with_the_page(project):
    outcome = project.run()

    lines = outcome.outlines
    start = next(number for number, line in enumerate(lines) if "ML Test Score" in line and "==" in line)
    end = next(number for number, line in enumerate(lines[start + 1 :], start + 1) if line.startswith("==="))
    summary = lines[start + 1 : end]
    assert len(summary) <= 12
    assert summary[-1].strip().endswith("scorecard.html")


def test_a_stored_scorecard_is_gated_and_rendered_without_the_system(gated, monkeypatch):
    gated.run()
    report = gated.folder / "mltestscore-report"
    page = (report / "scorecard.html").read_bytes()
    for name in ("conftest.py", "quality/lengths.py"):
        (gated.folder / name).unlink()
    monkeypatch.chdir(gated.folder)

    gated_again = CliRunner().invoke(app, ["gate", str(report / "scorecard.json"), "release"])
    rendered = CliRunner().invoke(app, ["render", str(report / "scorecard.json"), "--output", "again"])

    assert gated_again.exit_code == 1
    assert "NOT MET" in gated_again.output
    assert rendered.exit_code == 0
    assert (gated.folder / "again" / "scorecard.html").read_bytes() == page
