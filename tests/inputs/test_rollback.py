"""``[tool.mltestscore.rollback]``: what is opened from it, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, NotOffered
from mltestscore.inputs import offered_infra
from mltestscore.inputs.rollback import Rollback

SERVER = 'command = ["serve", "{port}", "{registry}"]'


def opened(folder: Path, *lines: str) -> Rollback:
    file = folder / "pyproject.toml"
    file.write_text("\n".join(["[tool.mltestscore.rollback]", "max_seconds = 60", *lines]))
    return offered_infra.rollback(read_config(file))


def test_without_the_table_or_the_permission_it_is_not_offered(tmp_path):
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.mltestscore]")
    with pytest.raises(NotOffered, match=r"tool\.mltestscore\.rollback"):
        offered_infra.rollback(read_config(file))
    with pytest.raises(NotOffered, match="write drill = true"):
        opened(tmp_path, 'path = "registry"', SERVER)


def test_a_folder_is_that_of_the_registry_unless_another_is_named(tmp_path):
    lines = ["drill = true", SERVER]
    assert opened(tmp_path, *lines, 'path = "versions"').registry.source == str(tmp_path / "versions" / "current")
    table = ["[tool.mltestscore.registry]", 'path = "registry"']
    assert opened(tmp_path, *lines, *table).registry.source == str(tmp_path / "registry" / "current")


def test_the_digest_is_of_what_is_drilled_and_promised(tmp_path):
    lines = ["drill = true", 'path = "versions"', SERVER]
    found = opened(tmp_path, *lines)
    assert found.digest == opened(tmp_path, *lines).digest
    assert found.digest != opened(tmp_path, *lines, "downtime_seconds = 2").digest


def test_a_password_in_a_request_is_not_shown(tmp_path):
    found = opened(
        tmp_path,
        *("drill = true", 'registry = "commands"', 'current_command = ["a"]', 'versions_command = ["b"]', SERVER),
        'promote_request = "PUT https://me:sesame@example.org/{version}?key=sesame"',
    )
    assert found.source == "PUT https://***@example.org/{version}?***; serve {port} {registry}"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([SERVER], 'has registry = "folder" and no path'),
        ([SERVER, 'registry = "mlflow"', 'uri = "sqlite:///a.db"'], 'has registry = "mlflow" and no name'),
        (['path = "versions"'], "neither command nor url says which staging server"),
        (['path = "versions"', 'url = "http://localhost:1"', "restart = true"], "restart is for a server that command"),
        (['path = "versions"', 'command = ["serve", "{port}"]', "on_copy = true"], r"write \{registry\} there"),
        (['path = "versions"', SERVER, 'protocol = "soap"'], "there is no protocol 'soap'"),
        (['path = "versions"', SERVER, "hot = true"], "hot is not a known key"),
    ],
)
def test_what_does_not_fit_is_refused_with_table_and_key(tmp_path, lines, says):
    with pytest.raises(ConfigError, match=says):
        opened(tmp_path, "drill = true", *lines)


def test_a_request_that_is_none_is_refused(tmp_path):
    from mltestscore.errors import InputError

    with pytest.raises(InputError, match="redeploy_request is 'reload'; write it as \"POST /reload\""):
        opened(tmp_path, "drill = true", 'path = "versions"', SERVER, 'redeploy_request = "reload"')
