"""Registries: folders with a pointer or a link, the team's commands and requests, and a real MLflow on SQLite."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.rollback import open_rollback
from mltestscore.rollback.registries import Commands, FolderPointer
from mltestscore.testing import run_check

SERVER = Path(__file__).parent / "servers" / "following.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for version in ("v1", "v2", "v10"):
        (tmp_path / version).mkdir()
    (tmp_path / "current").write_text("v10\n")
    return tmp_path


def test_versions_of_a_folder_are_ordered_by_number_and_the_pointer_keeps_its_form(folder):
    registry = FolderPointer(folder)
    assert list(registry.versions()) == ["v1", "v2", "v10"]
    assert registry.current() == "v10"
    (folder / "current").chmod(0o640)
    registry.promote("v2", 1.0)
    assert (folder / "current").read_text() == "v2\n"
    assert (folder / "current").stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in folder.iterdir()) == ["current", "v1", "v10", "v2"]


def test_with_lineage_versions_are_ordered_by_their_training(folder):
    for version, day in (("v1", 3), ("v2", 1), ("v10", 2)):
        (folder / version / "lineage.json").write_text(json.dumps({"trained_at": f"2026-01-0{day}T00:00:00+00:00"}))
    assert list(FolderPointer(folder).versions()) == ["v2", "v10", "v1"]


def test_a_link_is_moved_in_one_step(folder):
    (folder / "live").symlink_to("v10")
    registry = FolderPointer(folder, "live")
    assert (registry.current(), list(registry.versions())) == ("v10", ["v1", "v2", "v10"])
    registry.promote("v1", 1.0)
    assert (folder / "live").readlink() == Path("v1")


def test_a_pointer_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"the pointer .*current cannot be read"):
        FolderPointer(tmp_path).current()


def test_commands_are_asked_and_told(tmp_path):
    (tmp_path / "now").write_text("7")
    write = "import sys, pathlib; pathlib.Path('now').write_text(sys.argv[1])"
    registry = Commands(
        tmp_path,
        ("{python}", "-c", "import sys; print(open('now').read()); print('a warning', file=sys.stderr)"),
        ("{python}", "-c", "print('6\\n7')"),
        ("{python}", "-c", write, "{version}"),
    )
    assert (registry.current(), list(registry.versions())) == ("7", ["6", "7"])
    registry.promote("6", 10.0)
    assert registry.current() == "6"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise SystemExit('no such model')", "failed .status 1.. It said: no such model"),
        ("pass", "printed nothing"),
        ("import time; time.sleep(60)", "was stopped after 0 s"),
    ],
)
def test_a_command_that_fails_says_which_and_how(tmp_path, monkeypatch, code, says):
    monkeypatch.setattr("mltestscore.rollback.registries.PATIENCE", 0.4 if "sleep" in code else 20.0)
    registry = Commands(tmp_path, (sys.executable, "-c", code), ("true",))
    with pytest.raises(InputError, match=f"current_command {says}" if "stopped" in says else says):
        registry.current()


def test_a_request_that_is_refused_says_so(tmp_path):
    registry = Commands(tmp_path, ("true",), ("true",), promote_request="PUT http://127.0.0.1:9/{version}/default")
    with pytest.raises(InputError, match=r"promote_request: PUT http://127\.0\.0\.1:9/a%2Fb/default"):
        registry.promote("a/b", 1.0)


@pytest.fixture(scope="module")
def mlflow_store(tmp_path_factory) -> Path:
    """A real registry of MLflow on SQLite, with two versions of a model and an alias on the second."""
    folder = tmp_path_factory.mktemp("mlflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies
        client = pytest.importorskip("mlflow").MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
        client.create_registered_model("line's")
        for _ in range(2):
            client.create_model_version("line's", source=str(folder))
        client.set_registered_model_alias("line's", "champion", "2")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("redeployed", [True, False])
def test_an_alias_in_mlflow_is_moved_and_a_server_that_stays_is_caught(mlflow_store, redeployed):
    where = {"uri": "sqlite:///mlflow.db", "name": "line's", "alias": "champion"}
    asked = f"sqlite:///{mlflow_store / 'mlflow.db'} line's champion"
    command = (sys.executable, str(SERVER), "{port}", asked, "unnamed")
    serving = {"command": command, "redeploy_request": "POST /reload" if redeployed else "", "ready_timeout": 60.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rollback = open_rollback(
            mlflow_store, drill=True, max_seconds=20.0 if redeployed else 2.0, registry="mlflow", where=where,
            serving=serving,
        )  # fmt: skip
        frame = pd.DataFrame({"x": np.arange(20) / 8, "letter": ["a", "b"] * 10})
        first = Model("line", "1", "regression", ("x", "letter"), (), None, "", "", lambda rows: rows["x"] + 1.0)
        options = {"hold": 0.3, "rows": 20}
        result = run_check(
            "infra.7", rollback=rollback, serving=open_dataset("serving", frame), previous_model=first, options=options,
            prove=redeployed,
        )  # fmt: skip
        assert rollback.registry.current() == "2"
    if redeployed:
        assert (result.state, result.proof.state) == ("passed", "proven"), result.findings
        return
    causes = {found.name: found.cause for found in result.findings if found.verdict == "failed"}
    assert "the pointer moved, and after" in causes["roll-backs after which the old version did not answer"]
