"""``data.6`` on a small project whose command adds a feature to its list, trains a line and serves with it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mltestscore.errors import ConfigError
from mltestscore.features.lead_time import LeadTime, lead_times, median_days
from mltestscore.inputs.dry_run import DryRun, open_dry_run
from mltestscore.inputs.model import as_model
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.inputs.repository import open_repository
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check

FAILED, SECONDS = "rehearsals that fail", "seconds to add a feature, train and serve"
REACHED, OTHERS = "places that the new feature does not reach", "other columns that change with the new feature"
SCORES, FILES = "served scores that are not the model's own", "files changed beyond those that may change"
TOUCHED, LEAD = "files of the project that the rehearsal touched", "median days from first commit to service"

FEATURES = 'FEATURES = ["x", "z"]\n'
COMMAND = """
import sys
from pathlib import Path

new = sys.argv[1]
if new:
    text = Path("features.py").read_text()
    Path("features.py").write_text(text.replace('"z"', f'"z", "{new}"'))

import numpy as np
import pandas as pd
from features import FEATURES

def made(rows):
    return {name: rows.get(name, 10.0 * rows["x"]) for name in FEATURES}

learned = pd.DataFrame({"id": range(50), "x": np.arange(50) % 7 + 0.5, "z": np.arange(50) % 3 - 1.0})
served = learned.head(20)
table = pd.DataFrame({"id": learned["id"], **made(learned), "y": learned["x"] * 2})
# train
names = FEATURES
predict = lambda rows: rows[names].sum(axis=1)
# serve
used = pd.DataFrame({"id": served["id"], **made(served)})
scores = predict(used)
# log
Path("out").mkdir()
table.to_csv("out/training.csv", index=False)
used.assign(score=scores).to_csv("out/served.csv", index=False)
"""
FITTED = (
    "predict = lambda rows: rows[names].sum(axis=1)",
    "from sklearn.linear_model import LinearRegression\n"
    "from skops import io\n"
    "model = LinearRegression().fit(table[names], table['y'])\n"
    "io.dump(model, 'model.skops')\n"
    "predict = lambda rows: model.predict(rows[names])",
)
LEARNED: dict[str, Any] = {"model": "model.skops", "score": "score"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    home = tmp_path / "line"
    home.mkdir()
    (home / "features.py").write_text(FEATURES)
    (home / "add.py").write_text(COMMAND)
    return home


def rehearsal(project: Path, *bends: tuple[str, str], **changes: Any) -> DryRun:
    text = (project / "add.py").read_text()
    for before, after in bends:
        assert before in text
        text = text.replace(before, after)
    (project / "add.py").write_text(text)
    settings: dict[str, Any] = {"max_seconds": 60.0, "training": "out/training.csv", "served": "out/served.csv"}
    settings |= {"key": ("id",), "score": "score"}
    return open_dry_run(project, ["{python}", "add.py", "{feature}"], **(settings | changes))


def run(dry_run: DryRun, prove: bool = False, **inputs: Any) -> CheckResult:
    return run_check("data.6", dry_run=dry_run, prove=prove, **inputs)


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    return {found.name: found for found in result.findings if found.verdict == "failed"}


def test_a_project_with_one_list_of_features_passes_and_every_fault_is_caught(project):
    dry_run = rehearsal(project, FITTED, may_change=("features.py", "*.skops"), **LEARNED)
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}
    result = run(dry_run, prove=True)
    assert (result.state, result.reason) == ("passed", result.reason)
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3
    (files,) = [detail for detail in result.details if detail.title.startswith("Files that")]
    assert files.data["rows"] == [["features.py"]]
    assert {file: file.read_bytes() for file in project.rglob("*") if file.is_file()} == before


def test_without_the_input_it_is_not_offered():
    assert run_check("data.6").state == "not_offered"


@pytest.mark.parametrize(
    ("bend", "name", "cause"),
    [
        (("used = pd.DataFrame({", "FEATURES = FEATURES[:2]\nused = pd.DataFrame({"), FAILED, "not in index"),
        (("# log", "used = used[['id', 'x', 'z']]"), REACHED, "served rows (no such column)"),
        (("# log", "used = used.assign(**({new: None} if new else {}))"), REACHED, "served rows (never has a value)"),
        (("# train", "table['z'] = table[table.columns[-2]]"), OTHERS, "training: z"),
        (("served = learned.head(20)", "served = learned.head(20 + len(new))"), OTHERS, "served: 37 rows, not 20"),
        (("# train", "if new: Path('other.json').write_text(new)"), FILES, "other.json"),
    ],
    ids=["fails", "not served", "never a value", "by position", "rows", "files"],
)
def test_what_a_new_feature_breaks_is_named(project, bend, name, cause):
    found = failed(run(rehearsal(project, bend, may_change=("features.py", "out/*"))))
    assert name in found
    assert cause in found[name].cause


@pytest.mark.parametrize(
    ("bend", "name", "cause"),
    [
        (("names = FEATURES", 'names = ["x", "z"]'), REACHED, "model (no such input)"),
        (("# log", "scores = scores + 0.01 * bool(new)"), SCORES, ""),
    ],
    ids=["not learned", "other scores"],
)
def test_a_model_that_does_not_use_it_or_is_not_the_one_that_serves_is_found(project, bend, name, cause):
    found = failed(run(rehearsal(project, FITTED, bend, **LEARNED)))
    assert name in found
    assert cause in found[name].cause


NAMELESS = (FITTED[0], FITTED[1].replace("table[names]", "table[names].to_numpy()") + "\nmodel = model")


@pytest.mark.parametrize(
    ("fitted", "bend", "cause"),
    [
        (FITTED, ("# log", ""), ""),
        (NAMELESS, ("# log", ""), ""),
        (NAMELESS, ("names = FEATURES", 'names = ["x", "z"]'), "model (no such input)"),
    ],
    ids=["named", "nameless", "nameless, not learned"],
)
def test_inputs_that_the_configuration_declares_do_not_hide_the_new_one(project, fitted, bend, cause):
    loading = (("features", ["x", "z"]), ("task", "regression"))
    result = run(rehearsal(project, fitted, bend, loading=loading, **LEARNED))
    (reached,) = [found for found in result.findings if found.name == REACHED]
    assert (reached.cause, reached.verdict) == (cause, "failed" if cause else "passed")


@pytest.mark.slow
def test_a_slow_rehearsal_fails_and_one_that_hangs_is_stopped(project, monkeypatch):
    monkeypatch.setattr("mltestscore.features.rehearsal.START", 8.0)
    slow = failed(run(rehearsal(project, ("# train", "import time; time.sleep(0.5 * bool(new))"), max_seconds=0.4)))
    assert slow[SECONDS].value > 0.5
    hangs = failed(run(rehearsal(project, ("time.sleep(0.5", "time.sleep(500"), max_seconds=0.4)))
    assert hangs[FAILED].value == 1


def test_a_rehearsal_that_writes_into_the_real_project_is_found(project):
    target = project / "notes.md"
    dry_run = rehearsal(project, ("# train", f"if new: Path({str(target)!r}).write_text(new)"))
    assert failed(run(dry_run))[TOUCHED].cause == "notes.md"


def test_a_file_that_somebody_saves_meanwhile_is_nobodys_fault(project):
    target = project / "notes.md"
    result = run(rehearsal(project, ("# train", f"Path({str(target)!r}).write_text('a note of mine')")))
    assert result.state == "passed", result.reason


def test_a_command_that_fails_without_a_new_feature_is_an_error_with_its_last_words(project):
    result = run(rehearsal(project, ("# train", "raise ValueError('no data today')")))
    assert result.state == "error"
    assert "even without a new feature" in result.reason
    assert "no data today" in result.reason


def test_a_command_that_writes_nothing_or_does_not_exist_is_an_error(project):
    result = run(rehearsal(project, served="out/serving.csv"))
    assert (result.state, "did not write out/serving.csv" in result.reason) == ("error", True)
    result = run(open_dry_run(project, ["no-such-program", "{feature}"], max_seconds=1.0, training="a", served="b"))
    assert (result.state, "cannot be started" in result.reason) == ("error", True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feature": "a b; rm"}, "feature is"),
        ({"max_seconds": 0.0}, "max_seconds"),
        ({"training": "../training.csv"}, "within the project"),
        ({"served": "/tmp/served.csv"}, "within the project"),
    ],
)
def test_impossible_settings_are_config_errors(project, change, said):
    with pytest.raises(ConfigError, match=said):
        rehearsal(project, **change)
    with pytest.raises(ConfigError, match="feature"):
        open_dry_run(project, ["make"], max_seconds=1.0, training="a", served="b")


# --- lead time ------------------------------------------------------------------------------------------------------


@pytest.fixture
def commits(project, monkeypatch):
    """Commit one feature a day from 1 March 2024; return the repository and the names of the commits."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")

    def git(*arguments: str, day: int = 1) -> str:
        date = f"2024-03-{day:02}T12:00:00+0000"
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        environment = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["git", *who, *arguments], cwd=project, check=True, capture_output=True, env=environment)
        return done.stdout.decode().strip()

    git("init", "--quiet")
    names = []
    for day in range(1, 9):
        with (project / "features.py").open("a") as file:
            file.write(f"# feature_{day}\n")
        git("add", ".", day=day)
        git("commit", "--quiet", "--message", f"Day {day}", day=day)
        names.append(git("rev-parse", "HEAD"))
    return open_repository(project), names


def registry_of(names: list[str], days: int) -> Registry:
    """Return a registry that serves every commit so many days after 1 March, noon."""
    at = datetime(2024, 3, 1, 12, tzinfo=UTC) + timedelta(days=days)
    one = Lineage("v1", trained_at=at, published_at=at, code_commit=names[-1])
    early = Lineage("v0", trained_at=at - timedelta(days=5), published_at=at - timedelta(days=5), code_commit=names[1])
    return Registry("registry", one, (early, one), "digest")


def test_lead_times_run_from_the_first_commit_to_the_first_version_that_names_the_feature(commits):
    repository, names = commits
    found = lead_times(repository, registry_of(names, 20), [f"feature_{day}" for day in (1, 2, 8)] + ["absent"])
    assert [(one.feature, one.version, one.days) for one in found] == [
        ("feature_1", "v0", 15),
        ("feature_2", "v0", 14),
        ("feature_8", "v1", 13),
    ]


def test_versions_before_the_history_and_unknown_commits_give_none(commits):
    repository, names = commits
    assert lead_times(repository, registry_of(names, -100), ["feature_1"]) == []
    assert lead_times(repository, registry_of(["--help"] * 8, 20), ["feature_1"]) == []


def test_the_median_counts_commits_and_has_bounds_from_five_on():
    times = [LeadTime(f"f{n}", f"c{n // 2}", "v", float(n)) for n in range(14)]
    found = median_days(times)
    assert (found.n, found.value, found.low, found.high) == (7, 7.0, 1.0, 13.0)
    assert median_days(times[:4]).high == float("inf")
    with pytest.raises(ValueError, match="nothing"):
        median_days([])


def test_long_lead_times_fail_where_there_are_enough_of_them(project, commits):
    repository, names = commits
    dry_run = rehearsal(project)
    for days, count, state in ((40, 8, "passed"), (400, 8, "failed"), (400, 3, "passed")):
        features = [f"feature_{day}" for day in range(1, count + 1)]
        model = as_model(lambda frame: frame, task="regression", features=features)
        result = run(dry_run, model=model, registry=registry_of(names, days), repository=repository)
        assert result.state == state, result.reason
        found = next(found for found in result.findings if found.name == LEAD)
        assert found.advisory == (count < 6)


def test_a_model_that_cannot_be_loaded_is_an_error(project):
    result = run(rehearsal(project, model="out/served.csv"))
    assert result.state == "error"
    assert "model: out/served.csv failed" in result.reason
