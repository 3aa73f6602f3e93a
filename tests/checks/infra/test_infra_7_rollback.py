"""``infra.7`` on a real Flask server that serves a folder of versions: drills that go well, and that do not."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, open_dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.rollback import Rollback, open_rollback
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check

BACK, SECONDS = "roll-backs after which the old version did not answer", "seconds until the old version answers"
DIFFER = "rows not answered as the old version answers them"
NEITHER = "answers of neither version while swapping"
FAILED, RESTORED = "requests that fail while swapping", "drills that were not put back"

SERVER = Path(__file__).parents[2] / "rollback" / "servers" / "following.py"
VERSIONS = {"v1": (1.0, 5.0), "v2": (2.0, 6.0), "v3": (3.0, 7.0)}  # slope, and the code of the letter b
QUICK = {"hold": 0.3, "rows": 60}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a registry of three versions, of which the last is in service."""
    for version, (slope, code) in VERSIONS.items():
        folder = tmp_path / "registry" / version
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({"slope": slope}))
        (folder / "encoder.json").write_text(json.dumps({"a": 1.0, "b": code}))
    (tmp_path / "registry" / "current").write_text("v3\n")
    return tmp_path


@pytest.fixture
def serving() -> Dataset:
    frame = pd.DataFrame({"x": np.arange(80) / 8, "letter": ["a", "b"] * 40})
    return open_dataset("serving", frame)


def model_of(version: str) -> Model:
    slope, code = VERSIONS[version]

    def score(frame: pd.DataFrame) -> np.ndarray:
        return frame["x"].to_numpy() * slope + np.where(frame["letter"] == "b", code, 1.0)

    return Model("line", "", "regression", ("x", "letter"), (), None, "test", "", score)


def drill(project: Path, behaviour: str = "follows the request", **changes: Any) -> Rollback:
    command = [sys.executable, str(SERVER), "{port}", "{registry}", behaviour]
    serving = {"command": tuple(command), "redeploy_request": "POST /reload", **changes.pop("serving", {})}
    settings: dict[str, Any] = {"drill": True, "max_seconds": 20.0, "where": {"path": "registry"}, **changes}
    return open_rollback(project, serving=serving, **settings)


def run(rollback: Rollback, serving: Dataset, prove: bool = False, **inputs: Any) -> CheckResult:
    inputs = {"previous_model": model_of("v2"), **inputs}
    return run_check("infra.7", rollback=rollback, serving=serving, prove=prove, options=QUICK, **inputs)


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    return {found.name: found for found in result.findings if found.verdict == "failed"}


def registry_of(project: Path) -> dict[str, bytes]:
    files = (project / "registry").rglob("*")
    return {str(file.relative_to(project)): file.read_bytes() for file in files if file.is_file()}


def step(result: CheckResult, name: str) -> Any:
    (table,) = [detail for detail in result.details if detail.title == "The drill"]
    return dict(table.data["rows"])[name]


def test_a_hot_swap_passes_every_fault_is_caught_and_all_is_as_it_was(project, serving):
    before = registry_of(project)
    result = run(drill(project), serving, prove=True)
    assert (result.state, result.reason) == ("passed", result.reason), result
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 5
    assert registry_of(project) == before
    assert not (project / ".mltestscore" / "rollback-drill.json").exists()
    assert (step(result, "in service"), step(result, "gone back to")) == ("v3", "v2")
    (picture,) = [detail for detail in result.details if detail.kind == "series"]
    assert sum(picture.data["lines"]["failed"]) == 0
    assert sum(picture.data["lines"]["old version"]) >= 10


@pytest.mark.parametrize(
    ("behaviour", "declared", "name", "cause"),
    [
        ("frozen", 0.6, BACK, "the pointer moved, and after"),
        ("one in ten stays", 0.6, BACK, "some answers were still not those of v2"),
        ("encoder stays", 0.6, DIFFER, ""),
        ("closes 0.5", 5.0, FAILED, "503"),
        ("sleeps 1.7", 1.5, SECONDS, ""),
    ],
)
def test_what_goes_wrong_fails_by_name_and_is_put_back(project, serving, behaviour, declared, name, cause):
    before = registry_of(project)
    result = run(drill(project, behaviour, max_seconds=declared), serving)
    assert result.state == "failed"
    assert cause in failed(result)[name].cause
    assert registry_of(project) == before
    assert behaviour == "one in ten stays" or RESTORED not in failed(result)
    (picture,) = [detail for detail in result.details if detail.kind == "series"]
    assert any(picture.data["lines"]["failed"]) == (name == FAILED)


def test_a_deleted_artefact_fails_and_the_current_version_answers_on(project, serving):
    (project / "registry" / "v2" / "model.json").unlink()
    result = run(drill(project), serving)
    assert "answered 500" in failed(result)[BACK].cause
    assert set(failed(result)) == {BACK, DIFFER}


def test_a_declared_version_that_was_deleted_fails_before_anything_is_changed(project, serving):
    shutil.rmtree(project / "registry" / "v2")
    result = run(drill(project, previous="v2"), serving)
    assert "not in the registry any more; kept: v1, v3" in failed(result)[BACK].cause


def test_healthy_is_a_registry_without_its_oldest_version_and_a_slow_swap_within_its_time(project, serving):
    shutil.rmtree(project / "registry" / "v1")
    assert run(drill(project, "sleeps 1"), serving).state == "passed"


def test_answers_that_wait_for_the_swap_are_healthy_and_shown_second_by_second(project, serving):
    result = run(drill(project, "holds 0.8"), serving)
    (picture,) = [detail for detail in result.details if detail.kind == "series"]
    shown = {name: any(counts) for name, counts in picture.data["lines"].items()}
    assert (result.state, shown["slower than 500 ms"], shown["failed"]) == ("passed", True, False), failed(result)


def test_healthy_is_a_server_that_restarts_within_its_declared_downtime(project, serving):
    how = {"redeploy_request": "", "restart": True}
    result = run(drill(project, downtime_seconds=15.0, serving=how), serving)
    assert result.state == "passed", failed(result)


def test_healthy_is_a_server_that_follows_the_pointer_by_itself(project, serving):
    result = run(drill(project, "follows", serving={"redeploy_request": ""}), serving)
    assert result.state == "passed", failed(result)


def test_on_a_copy_the_registry_is_not_even_written_to(project, serving):
    (project / "registry" / "current").chmod(0o444)
    times = {file: file.stat().st_mtime_ns for file in (project / "registry").rglob("*")}
    assert run(drill(project, on_copy=True), serving).state == "passed"
    assert {file: file.stat().st_mtime_ns for file in (project / "registry").rglob("*")} == times
    assert not (project / ".mltestscore").exists()


def test_without_names_the_answers_alone_show_the_version_and_a_server_of_it_says_what_they_must_be(project, serving):
    alone = project / "alone"
    shutil.copytree(project / "registry", alone)
    (alone / "current").write_text("v2")
    reference = (sys.executable, str(SERVER), "{port}", str(alone), "unnamed")
    result = run(drill(project, "unnamed", serving={"reference_command": reference}), serving, previous_model=None)
    assert result.state == "passed", failed(result)
    assert step(result, "answers of the old version known from") == "a server of that version alone"


def test_without_names_and_answers_nothing_is_changed_and_it_is_undecided(project, serving):
    result = run(drill(project, "unnamed"), serving, previous_model=None)
    assert result.state == "inconclusive"
    assert "nothing tells the versions apart" in result.findings[0].note
    assert step(result, "in service") == "v3"


def test_names_alone_do_not_pass_for_they_may_move_with_the_pointer(project, serving):
    result = run(drill(project), serving, previous_model=None)
    assert result.state == "inconclusive"
    assert [found.name for found in result.findings if found.verdict == "inconclusive"] == [DIFFER]


def test_a_server_that_rounds_its_scores_is_not_accused_by_those_of_a_model(project, serving):
    result = run(drill(project, "rounds"), serving, model=model_of("v3"))
    assert result.state == "inconclusive", failed(result)
    (differ,) = [found for found in result.findings if found.name == DIFFER]
    assert "otherwise than the model in service scores them" in differ.note
    assert run(drill(project), serving, model=model_of("v3")).state == "passed"


def test_answers_that_were_kept_show_an_old_version_that_is_not_what_it_was(project, serving):
    frame = serving.frame()
    kept = frame.assign(score=model_of("v2").predict(frame))
    rollback = drill(project, answers=open_dataset("answers", kept))
    assert run(rollback, serving, previous_model=None).state == "passed"
    (project / "registry" / "v2" / "encoder.json").write_text(json.dumps({"a": 1.0, "b": 6.01}))
    result = run(drill(project, answers=open_dataset("answers", kept), max_seconds=0.5), serving, previous_model=None)
    assert {DIFFER, NEITHER, BACK} <= set(failed(result))


def test_a_server_behind_its_registry_fails_before_anything_is_changed(project, serving):
    stale = project / "stale"
    shutil.copytree(project / "registry", stale)
    (stale / "current").write_text("v1")
    command = (sys.executable, str(SERVER), "{port}", str(stale), "follows the request")
    result = run(drill(project, serving={"command": command}), serving)
    assert "the registry says v3, the server serves v1" in next(iter(failed(result).values())).cause


def test_a_first_version_is_undecided(project, serving):
    (project / "registry" / "current").write_text("v1")
    result = run(drill(project), serving)
    assert (result.state, result.findings[0].verdict) == ("inconclusive", "inconclusive")


def test_without_rows_it_is_undecided_and_without_the_input_not_offered(project):
    assert run_check("infra.7", rollback=drill(project), prove=False).state == "inconclusive"
    assert run_check("infra.7").state == "not_offered"
