"""Model servers that do not start, hang or answer nonsense: one message each, and nothing keeps running."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import psutil
import pytest

from .refusals import told, uses

STUB = Path(__file__).parents[1] / "serving" / "servers" / "stub_server.py"
START = 'command = ["{{python}}", "stub.py", "{{port}}", "{}"]'

SERVERS = {
    "no such program": ('command = ["no-such-program", "{port}"]', ["no-such-program", "cannot be started in"]),
    "exits": (START.format("exits"), ["ended by itself with exit code 3", "cannot open model.skops"]),
    "never listens": (
        START.format("never listens") + "\nready_timeout = 1",
        ["nothing listens", "Raise ready_timeout"],
    ),
    "hangs": (
        START.format("hangs") + "\nready_timeout = 1\nrequest_timeout = 0.3",
        ["not ready in time (ready_timeout)", "no answer within 0.3 s", "raise request_timeout"],
    ),
    "error 500": (START.format("error 500"), ["found 500: 'the model fell over'", "the server's log"]),
    "garbage": (START.format("garbage"), ["expected JSON, found", "Check that the path is the prediction route"]),
    "one too few": (START.format("one too few"), ["expected 1 scores, one per row in order, found 0"]),
    "no port": ('command = ["{python}", "stub.py"]', ["write {port} where the port goes"]),
    "nothing": ('model = "iris"', ["neither command nor url is given", "[tool.mltestscore.endpoint] of"]),
    "nobody there": ('url = "http://127.0.0.1:1"', ["Connection refused", "Is the server running and the URL right?"]),
    "no url": ('url = "localhost"', ["'localhost' is no URL of a server; write it as http://host:port"]),
    "no such port": ('url = "http://127.0.0.1:99999"', ["no valid host and port; write it as http://host:port"]),
    "protocol": ('url = "http://127.0.0.1:1"\nprotocol = "tensorflw"', ["Did you mean 'tensorflow'"]),
    "token": ('url = "http://127.0.0.1:1"\ntoken_variable = "NO_TOKEN"', ["'NO_TOKEN' (token_variable) is not set"]),
}


@pytest.fixture
def said(project):
    """Return a function that runs a check of the endpoint with a table of settings and returns what it said."""

    def run(table: str) -> str:
        settings = f'[tool.mltestscore.data.training]\nsource = "rows.csv"\n[tool.mltestscore.endpoint]\n{table}\n'
        project.write("pyproject.toml", (project.folder / "pyproject.toml").read_text() + settings)
        project.write("rows.csv", "a,b\n1,2\n3,4\n5,6\n")
        project.write("quality/lengths.py", uses(["answer"]))
        shutil.copy(STUB, project.folder / "stub.py")
        return told(project, project.run("-k", "check_uses or check_sound"))["answer"]

    return run


@pytest.mark.parametrize("case", SERVERS)
def test_a_server_that_does_not_serve_is_told_with_the_remedy_and_stopped(said, case):
    table, expected = SERVERS[case]

    message = said(table)

    for part in expected:
        assert part in message
    started = [child.as_dict(["cmdline"])["cmdline"] or [] for child in psutil.Process().children(recursive=True)]
    assert not [words for words in started if "stub.py" in " ".join(words)]


def test_a_port_that_is_taken_is_told_before_the_server_is_started(said):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = said(f'command = ["{{python}}", "stub.py", "{port}", "sound"]\nurl = "http://127.0.0.1:{port}"')

    assert f"port {port} is taken by another process" in message
    assert "write {port} in the command" in message
    assert "[tool.mltestscore.endpoint] of" in message
