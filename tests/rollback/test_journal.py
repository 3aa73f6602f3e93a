"""Drills that do not end as they should: killed half-way, two at once, a registry that others change meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.rollback import Rollback, open_rollback
from mltestscore.result import CheckResult
from mltestscore.rollback.journal import DrillJournal, Open
from mltestscore.rollback.registries import FolderPointer
from mltestscore.serving import process
from mltestscore.testing import run_check

SERVER = Path(__file__).parent / "servers" / "following.py"
ROWS = pd.DataFrame({"x": np.arange(20) / 8, "letter": ["a", "b"] * 10})

DRILL = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_journal import run
run(Path({folder!r}), {url!r}, hold=5.0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for version, slope in (("v1", 1.0), ("v2", 2.0)):
        folder = tmp_path / "registry" / version
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({"slope": slope}))
        (folder / "encoder.json").write_text(json.dumps({"a": 1.0, "b": slope}))
    (tmp_path / "registry" / "current").write_text("v2\n")
    return tmp_path


@pytest.fixture
def url(project: Path) -> Iterator[str]:
    """A staging server that runs already, and is slow to load."""
    command = [sys.executable, str(SERVER), "{port}", str(project / "registry"), "sleeps 0.7"]
    deadline = time.monotonic() + 20
    server = process.start_listening(command, cwd=project, env=None, port=0, deadline=deadline)
    yield server.url
    server.stop()


def drill(project: Path, url: str, **changes: Any) -> Rollback:
    settings: dict[str, Any] = {"drill": True, "max_seconds": 20.0, "where": {"path": "registry"}, **changes}
    return open_rollback(project, serving={"url": url, "redeploy_request": "POST /reload"}, **settings)


def run(project: Path, url: str, hold: float = 0.3, **changes: Any) -> CheckResult:
    options, serving = {"hold": hold, "rows": 20}, open_dataset("serving", ROWS)
    return run_check("infra.7", rollback=drill(project, url, **changes), serving=serving, prove=False, options=options)


def pointer(project: Path) -> str:
    return (project / "registry" / "current").read_text()


def version(url: str) -> str:
    import httpx

    return httpx.post(f"{url}/predict", json={"rows": [{"x": 1, "letter": "a"}]}).json()["version"]


def test_what_a_killed_drill_left_is_put_back_before_the_next_one(project, url):
    code = DRILL.format(tests=str(Path(__file__).parent), folder=str(project), url=url)
    killed = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 30
        while version(url) != "v1":
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    journal = project / ".mltestscore" / "rollback-drill.json"
    assert (pointer(project), version(url), json.loads(journal.read_text())["current"]) == ("v1\n", "v1", "v2")
    with pytest.raises(NotOffered, match="before it put back 'v2'"):
        drill(project, url, drill=False)

    result = run(project, url)
    (table,) = [detail for detail in result.details if detail.title == "The drill"]
    assert "v2 was put back before this one" in dict(table.data["rows"])["put back before the drill"]
    assert dict(table.data["rows"])["in service"] == "v2"
    assert (pointer(project), version(url), journal.exists()) == ("v2\n", "v2", False)


def test_a_journal_of_another_target_is_not_acted_upon(project, url):
    DrillJournal(project / ".mltestscore").file.parent.mkdir()
    DrillJournal(project / ".mltestscore").write(Open("elsewhere", "v7", "v6", ""))
    result = run(project, url)
    assert result.state == "error"
    assert "on elsewhere was killed before it put back 'v7'" in result.reason
    assert pointer(project) == "v2\n"


def test_a_version_that_somebody_promoted_since_is_left_alone(project, url):
    found = drill(project, url)
    found.journal.file.parent.mkdir()
    found.journal.write(Open(found.source, "v9", "v8", "v9"))
    result = run(project, url)
    (table,) = [detail for detail in result.details if detail.title == "The drill"]
    assert "somebody has promoted v2 since" in dict(table.data["rows"])["put back before the drill"]
    assert pointer(project) == "v2\n"


def test_a_version_promoted_by_somebody_during_the_drill_is_left_alone_and_told(project, url):
    class Contested(FolderPointer):
        def current(self) -> str:
            if super().current() == "v1":
                self.promote("v3", 1.0)
            return super().current()

    result = run(project, url, registry=Contested(project / "registry"))
    (left,) = [found for found in result.findings if found.name == "drills that were not put back"]
    assert (left.verdict, left.cause) == ("failed", "somebody promoted v3 during the drill, which was left alone")
    assert pointer(project) == "v3\n"
    assert (project / ".mltestscore" / "rollback-drill.json").exists()


def test_an_interrupted_drill_puts_back_before_it_ends(project, url):
    class Interrupted(FolderPointer):
        def promote(self, version: str, timeout: float) -> None:
            super().promote(version, timeout)
            if version == "v1":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, url, registry=Interrupted(project / "registry"))
    assert (pointer(project), version(url)) == ("v2\n", "v2")
    assert not (project / ".mltestscore" / "rollback-drill.json").exists()


def test_a_promotion_that_leaves_nothing_in_service_is_put_back(project, url):
    class Emptied(FolderPointer):
        def promote(self, version: str, timeout: float) -> None:
            if version == "v1":
                (self.folder / self.pointer).write_text("")
                raise InputError("v2 is unloaded, and v1 cannot be loaded")
            super().promote(version, timeout)

    result = run(project, url, registry=Emptied(project / "registry"))
    causes = {found.name: found.cause for found in result.findings if found.verdict == "failed"}
    assert causes["roll-backs after which the old version did not answer"].endswith("v1 cannot be loaded")
    assert "drills that were not put back" not in causes
    assert (pointer(project), version(url)) == ("v2", "v2")
    assert not (project / ".mltestscore" / "rollback-drill.json").exists()


def test_two_drills_at_once_are_refused(project, url):
    found = drill(project, url)
    with found.journal.alone():
        result = run(project, url)
    assert (result.state, "another roll-back drill of this project" in result.reason) == ("error", True)


def test_an_unreadable_journal_says_what_to_do(tmp_path):
    journal = DrillJournal(tmp_path)
    journal.file.write_text("{")
    with pytest.raises(InputError, match="See that the right version is in service, then delete the file"):
        journal.pending()


def test_without_permission_nothing_is_touched(project):
    with pytest.raises(NotOffered, match="write drill = true"):
        drill(project, "http://127.0.0.1:9", drill=False)
    assert not (project / ".mltestscore").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"max_seconds": 0.0}, "max_seconds must be above 0"),
        ({"on_copy": True}, "on_copy is for a folder"),
        ({"registry": "ftp"}, "registry is 'ftp'"),
        ({"registry": "mlflow", "where": {"uri": "sqlite:///no.db", "name": "m", "alias": "a"}}, "there is no file"),
        (
            {"registry": "commands", "where": {"current_command": ("a",), "versions_command": ("b",)}},
            "promote_command or promote_request",
        ),
        (
            {
                "registry": "commands",
                "where": {"current_command": ("a",), "versions_command": ("b",), "promote_command": ("c",)},
            },
            "write {version} where it goes",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(project, changes, says):
    with pytest.raises(ConfigError, match=says):
        drill(project, "http://127.0.0.1:9", **changes)
