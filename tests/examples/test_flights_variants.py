"""The Triton variant of flights: its configuration changes the server alone, and its last real run is on record."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module

import pytest

from mltestscore.config import read_config
from mltestscore.serving.protocols import protocol_named
from tests.examples import variants

HOME = variants.HOME
SERVER = {"endpoint", "canary", "rollback", "pipeline", "dependencies"}
OWN = {"extends", "system", "output"}


@pytest.fixture
def triton(monkeypatch):
    """The modules of the example that serve by Triton, which need nothing of Triton's themselves."""
    monkeypatch.syspath_prepend(str(HOME))
    from flights.triton import follow, serve

    return {"serve": serve, "follow": follow}


@pytest.fixture
def repository_api():
    """A server with the two routes of Triton that are asked; what it was asked comes with it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply({"backend": "python", "version_policy": {"specific": {"versions": [2]}}})

        def do_POST(self):
            self.reply(None)

        def reply(self, body):
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((self.path, json.loads(sent or b"null")))
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_the_variant_changes_the_server_and_nothing_else():
    flask, triton = (read_config(HOME / variants.VARIANTS[name][1]) for name in ("flask", "triton"))
    differing = {name for name in type(flask).model_fields if getattr(flask, name) != getattr(triton, name)}
    assert differing - {"file"} == SERVER | OWN | {"checks"}
    assert [one.name for one in triton.pipeline.stages] == [one.name for one in flask.pipeline.stages]
    assert triton.pipeline.stages[:-1] == flask.pipeline.stages[:-1]
    assert triton.canary.ramp == flask.canary.ramp


def test_every_server_of_the_variant_is_asked_as_triton_is():
    config = read_config(HOME / "triton.toml")
    for table in (config.endpoint, config.rollback, config.pipeline.answers):
        wire = protocol_named(table.protocol, table.settings)
        assert (wire.name, wire.predict_path) == ("triton", "/v2/models/flights/infer")
        assert table.health == ""
    assert config.canary.server(config.endpoint.model_dump())["protocol"] == "triton"


def test_commands_of_the_variant_are_modules_of_the_example_and_take_their_options(triton, monkeypatch, capsys):
    config = read_config(HOME / "triton.toml")
    commands = [
        config.endpoint.command,
        config.endpoint.previous_command,
        config.canary.command,
        config.rollback.command,
        config.rollback.redeploy_command,
    ]
    for words in commands:
        python, flag, module, *options = words
        assert (python, flag) == ("{python}", "-m")
        monkeypatch.setattr(sys, "argv", [module, "--help"])
        with pytest.raises(SystemExit, match="0"):
            import_module(module).main()
        told = capsys.readouterr().out
        assert [one for one in options if one.startswith("--") and one not in told] == []


def test_the_repository_holds_every_version_and_loads_the_one_in_service(triton, tmp_path):
    registry = tmp_path / "registry"
    for version in ("v1", "v2"):
        (registry / version).mkdir(parents=True)
        (registry / version / "model.skops").write_text(version)
    models = triton["serve"].repository(tmp_path / "models", registry, "v1") / "flights"
    assert {one.name for one in models.iterdir()} == {"1", "2", "config.pbtxt"}
    assert (models / "2" / "model.skops").read_text() == "v2"
    assert (models / "1" / "model.py").is_file()
    text = (models / "config.pbtxt").read_text()
    assert "version_policy: { specific { versions: [1] } }" in text
    assert text.count("TYPE_STRING") == 3


def test_without_triton_the_server_says_how_to_install_it(triton, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["serve", "--environment", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"python -m flights\.triton\.install"):
        triton["serve"].main()


def test_following_loads_the_version_of_the_pointer_and_no_other(triton, tmp_path, repository_api):
    (tmp_path / "current").write_text("v1\n")
    url, asked = repository_api
    triton["follow"].follow(tmp_path, url)
    assert [path for path, _ in asked] == ["/v2/models/flights/config", "/v2/repository/models/flights/load"]
    config = json.loads(asked[-1][1]["parameters"]["config"])
    assert config == {"backend": "python", "version_policy": {"specific": {"versions": [1]}}}


def test_the_last_run_of_every_variant_passed_all_items_with_all_faults_caught():
    rows = variants.KEPT.rows()
    assert list(rows) == list(variants.VARIANTS)
    for row in rows.values():
        assert tuple(row["items"]) == variants.ITEMS
        assert variants.passed(row)


def test_the_page_is_made_of_the_record():
    assert variants.KEPT.written() == variants.KEPT.page(variants.KEPT.rows())
