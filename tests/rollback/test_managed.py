"""Servers that manage their own versions: switched by their routes, put back, also after a drill that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs import offered_infra
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.rollback import Rollback
from mltestscore.result import CheckResult
from mltestscore.rollback.managed import ServerVersions, _made
from mltestscore.rollback.servers import NAMES, operations_named
from mltestscore.serving import process
from mltestscore.serving.protocols import declaration
from mltestscore.settings_servers import Asked, Operations, Step
from mltestscore.testing import run_check

SERVER = Path(__file__).parent / "servers" / "managing.py"
FAILED = "requests that fail while swapping"
DRILL = "import sys; sys.path.insert(0, {tests!r}); import test_managed; test_managed.again({folder!r})"

Started = Callable[..., str]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts a server and returns its URL."""
    servers = []

    def start(names: str = "2,1", seconds: float = 0.0, behaviour: str = "swaps") -> str:
        command = [sys.executable, str(SERVER), "{port}", names, str(seconds), behaviour]
        deadline = time.monotonic() + 20
        servers.append(process.start_listening(command, cwd=tmp_path, env=None, port=0, deadline=deadline))
        return servers[-1].url

    yield start
    for server in servers:
        server.stop()


def drill(folder: Path, url: str, *lines: str, permission: str = "drill = true") -> Rollback:
    table = [permission, 'server = "torchserve"', f'url = "{url}"', f'management_url = "{url}"', 'model = "line"']
    text = ["[tool.mltestscore.rollback]", "max_seconds = 10", "settings.named = true", *table, *lines]
    (folder / "pyproject.toml").write_text("\n".join(text))
    return offered_infra.rollback(read_config(folder / "pyproject.toml"))


def run(rollback: Rollback, hold: float = 0.3) -> CheckResult:
    frame = pd.DataFrame({"x": np.arange(1, 21) / 8})
    first = Model("line", "1", "regression", ("x",), (), None, "", "", lambda rows: np.asarray(rows["x"]))
    data, options = open_dataset("serving", frame), {"hold": hold, "rows": 20}
    return run_check("infra.7", rollback=rollback, serving=data, previous_model=first, prove=False, options=options)


def again(folder: str) -> None:
    """Perform the drill that stands in ``folder``, slowly: what a test kills."""
    run(offered_infra.rollback(read_config(Path(folder) / "pyproject.toml")), hold=20.0)


def state(url: str) -> tuple[str, list[str]]:
    """Return the default version and those that are registered."""
    default = httpx.get(f"{url}/models/line").json()[0]["modelVersion"]
    return default, sorted(one["modelVersion"] for one in httpx.get(f"{url}/models/line/all").json())


def failed(result: CheckResult) -> dict[str, str]:
    return {one.name: one.cause for one in result.findings if one.verdict == "failed"}


HOT = ('previous = "1"', 'settings.archive = "line-{version}.mar"')
AT_ONCE = (
    "[tool.mltestscore.servers.torchserve]",
    "promote = [{ask = 'POST /models?url={archive}&initial_workers=1', unless_loaded = true},",
    "{ask = 'PUT /models/{model}/{version}/set-default'}]",
)


def test_a_registered_version_becomes_the_default_and_all_is_put_back(tmp_path, started):
    url = started()
    result = run(drill(tmp_path, url))
    assert (result.state, state(url)) == ("passed", ("2", ["1", "2"])), result


def test_a_version_is_registered_for_the_drill_and_unregistered_after_it(tmp_path, started):
    url = started("2", 0.3)
    result = run(drill(tmp_path, url, *HOT))
    assert (result.state, state(url)) == ("passed", ("2", ["2"])), result
    (table,) = [detail for detail in result.details if detail.title == "The drill"]
    assert 0.3 <= dict(table.data["rows"])["seconds that switching took by itself"] < 5


@pytest.mark.slow
def test_requests_that_time_out_while_a_version_is_registered_are_reported_by_name(tmp_path, started):
    url = started("2", 2.0)
    result = run(drill(tmp_path, url, *HOT, "request_timeout = 0.5", *AT_ONCE))
    assert set(failed(result)) == {FAILED}, result
    cause = failed(result)[FAILED]
    assert "timed out" in cause
    assert "of them while versions were switched, which took 2." in cause
    assert "holds up a thread that answers requests" in cause
    assert state(url) == ("2", ["2"])


@pytest.mark.slow
def test_what_a_killed_drill_registered_is_unregistered_by_the_next_one(tmp_path, started):
    url = started("2", 0.2)
    rollback = drill(tmp_path, url, *HOT)
    code = DRILL.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    killed = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 30
        while state(url) != ("1", ["1", "2"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    result = run(rollback)
    (table,) = [detail for detail in result.details if detail.title == "The drill"]
    assert "2 was put back before this one" in dict(table.data["rows"])["put back before the drill"]
    assert state(url) == ("2", ["2"])


def test_a_management_that_refuses_says_what_to_switch_on_and_nothing_is_lost(tmp_path, started):
    url = started("2", 0.0, "no model api")
    result = run(drill(tmp_path, url, *HOT))
    cause = failed(result)["roll-backs after which the old version did not answer"]
    assert "answered 405" in cause
    assert "enable_model_api=true" in cause
    assert state(url) == ("2", ["2"])


def test_a_version_that_is_neither_registered_nor_to_be_had_says_what_is_needed(tmp_path, started):
    url = started("2")
    result = run(drill(tmp_path, url, 'previous = "1"'))
    cause = failed(result)["roll-backs after which the old version did not answer"]
    assert "settings: archive is needed for POST /models" in cause


def test_without_permission_no_server_is_asked(tmp_path):
    with pytest.raises(NotOffered, match="write drill = true"):
        drill(tmp_path, "http://127.0.0.1:9", permission="drill = false")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            ['server = "torchsrve"', 'url = "http://localhost:1"', 'model = "m"'],
            "no server is called 'torchsrve'.*torch",
        ),
        (['server = "torchserve"', 'url = "http://localhost:1"'], "and no model"),
        (
            ['server = "torchserve"', 'model = "m"', 'command = ["serve", "{port}"]'],
            "start it yourself and write its url",
        ),
        (['server = "mlserver"', 'url = "http://localhost:1"'], "and no model"),
        (['registry = "server"', 'url = "http://localhost:1"'], "and no server; write one of"),
        (['server = "mlflow"', 'uri = "sqlite:///a.db"'], 'has registry = "mlflow" and no name'),
    ],
)
def test_what_does_not_fit_is_refused_with_table_and_key(tmp_path, lines, says):
    text = ["[tool.mltestscore.rollback]", "drill = true", "max_seconds = 9", *lines]
    (tmp_path / "pyproject.toml").write_text("\n".join(text))
    with pytest.raises(ConfigError, match=says):
        offered_infra.rollback(read_config(tmp_path / "pyproject.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_with_us_is_whole(name):
    operations = operations_named(name)
    declaration(operations.protocol)
    assert operations.registry != "server" or (operations.current and operations.versions and operations.promote)
    assert operations.registry == "server" or operations.redeploy or operations.restart


def opened(folder: Path, *lines: str) -> Rollback:
    text = ["[tool.mltestscore.rollback]", "drill = true", "max_seconds = 9", *lines]
    (folder / "pyproject.toml").write_text("\n".join(text))
    return offered_infra.rollback(read_config(folder / "pyproject.toml"))


def test_what_a_server_needs_is_filled_in_and_what_a_team_writes_stands(tmp_path):
    found = opened(tmp_path, 'server = "mlserver"', 'model = "my line"', 'url = "http://localhost:1"', 'path = "all"')
    assert found.serving.redeploy_request == "POST /v2/repository/models/my%20line/load"
    assert found.serving.protocol.name == "mlserver"
    (tmp_path / "m.db").touch()
    lines = ['server = "mlflow"', 'name = "line"', 'uri = "sqlite:///m.db"', "restart = false"]
    found = opened(tmp_path, *lines)
    assert found.serving.command[:6] == ("{python}", "-m", "mlflow", "models", "serve", "-m")
    assert "models:/line@champion" in found.serving.command
    assert found.serving.environment["MLFLOW_TRACKING_URI"] == "sqlite:///m.db"
    assert (found.serving.restart, opened(tmp_path, *lines[:3]).serving.restart) == (False, True)
    assert not opened(tmp_path, *lines[:3], 'redeploy_command = ["again"]').serving.restart


def test_a_model_in_mlflow_is_that_of_the_registry_unless_another_is_named(tmp_path):
    (tmp_path / "m.db").touch()
    table = ["[tool.mltestscore.registry]", 'mlflow = "sqlite:///m.db"', 'name = "line"', 'alias = "live"']
    found = opened(tmp_path, 'server = "mlflow"', *table)
    assert "models:/line@live" in found.serving.command
    assert found.registry.source.startswith("models:/line@live in sqlite:")


def test_a_team_declares_a_server_or_changes_one_of_ours(tmp_path):
    lines = ["[tool.mltestscore.servers.torchserve]", 'management = ":9081"', "settings.workers = 4"]
    table = ['server = "torchserve"', 'model = "m"', 'url = "http://localhost:1"']
    registry = opened(tmp_path, *table, *lines).registry
    assert isinstance(registry, ServerVersions)
    assert (registry.url, registry.settings["workers"]) == ("http://localhost:9081", 4)
    own = ["[tool.mltestscore.servers.ours]", 'current.ask = "GET /now"', 'versions.ask = "GET /all"']
    own += ['promote = [{ask = "PUT /now/{version}"}]']
    registry = opened(tmp_path, 'server = "ours"', *table[1:], *own).registry
    assert registry.source == "m on a server at http://localhost:1"


def test_what_is_kept_of_a_server_is_put_back_with_changes_in_between():
    body = {"parameters": {"config": {"$text": {"$kept": {"policy": {"specific": ["1"]}}}}}}
    kept = {"policy": "latest", "name": "{version}"}
    assert _made(body, kept)["parameters"]["config"] == '{"policy": {"specific": ["1"]}, "name": "{version}"}'
    assert _made({"config": {"$kept": {}}}, kept) == {"config": kept}


def test_a_server_that_never_says_ready_is_given_up_in_time(started):
    url = started()
    until = {"ask": "GET /models/line", "where": ["[*].modelVersion"], "values": ["{version} ready"]}
    step = Step.model_validate({"ask": "PUT /models/line/{version}/set-default", "until": until})
    where = Asked(ask="GET /models/line/all", where=["[*].modelVersion"])
    server = ServerVersions(Operations(current=where, versions=where, promote=[step]), url, {"model": "line"})
    with pytest.raises(InputError, match="says 1 of 1 to the end of its time"):
        server.promote("1", 0.3)
