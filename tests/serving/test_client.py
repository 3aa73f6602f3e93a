"""A server that does not answer as agreed becomes an error that says where, what and what next."""

import json
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from mltestscore.errors import InputError
from mltestscore.serving import process
from mltestscore.serving.answers import Reply
from mltestscore.serving.client import Client
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.transports.base import NotReadyError
from mltestscore.serving.urls import redact, token_header

from .replay import replaying

STUB = Path(__file__).parent / "servers" / "stub_server.py"
ROWS = {"a": [1.0, 2.0, 3.0]}


@pytest.fixture
def client_of():
    """Return a function that starts a stub server and returns a client of it."""
    opened: list[tuple[Client, process.Server]] = []

    def start(behaviour: str, *, protocol: str = "plain_json", settings=None, headers=None, timeout=2.0) -> Client:
        server = process.start([sys.executable, str(STUB), "{port}", behaviour, "7"])
        client = Client(server.url, protocol_named(protocol, settings), timeout=timeout, headers=headers)
        opened.append((client, server))
        process.wait_until_listening(server, time.monotonic() + 10)
        return client

    yield start
    for client, server in opened:
        client.close()
        server.stop()


def test_sound_answer_has_scores_version_and_time(client_of):
    answer = client_of("sound").predict(ROWS)
    assert answer.scores.tolist() == [0.5, 0.5, 0.5]
    assert (answer.version, answer.status) == ("7", 200)
    assert 0 < answer.seconds < 2


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("error 500", "expected HTTP status 200 for 3 row.*found 500: 'the model fell over'"),
        ("garbage", "expected JSON, found"),
        ("html", "expected JSON, found '<!doctype html>"),
        ("nan", "expected finite scores, found nan for row 0"),
        ("one too few", "expected 3 scores, one per row in order, found 2 scores"),
        ("words", "expected 3 numbers, found"),
        ("error in 200", "expected the key 'scores'.*The answer reports an error: 'no such feature'"),
    ],
)
def test_unusable_answer_is_an_error_that_names_the_url(client_of, behaviour, message):
    client = client_of(behaviour)
    with pytest.raises(InputError, match=f"{client.url}/predict.*{message}") as caught:
        client.predict(ROWS)
    assert not isinstance(caught.value, NotReadyError)


def test_server_that_hangs_is_an_error_after_the_time_out(client_of):
    client = client_of("hangs", timeout=0.3)
    started = time.monotonic()
    with pytest.raises(NotReadyError, match=r"no answer within 0\.3 s"):
        client.predict(ROWS)
    assert time.monotonic() - started < 30


def test_kept_connection_that_the_server_closed_meanwhile_is_opened_anew():
    """As uvicorn does after an exception, too late for the client to see before it asks again."""
    body = b'{"scores": [0.5, 0.5, 0.5]}'

    def serve(listening: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection, connection.makefile("rwb") as stream:
                for answered in (True, False):
                    lengths = (int(line[16:]) for line in stream if line.lower().startswith(b"content-length: "))
                    if not (length := next(lengths, 0)):  # the client has what it wanted
                        return
                    while stream.readline().strip():
                        pass
                    stream.read(length)
                    if answered:
                        stream.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
                        stream.flush()
                        accepted.append(answered)

    accepted: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", protocol_named("plain_json"), timeout=2.0)
        for _ in range(2):
            assert client.predict(ROWS).scores.tolist() == [0.5, 0.5, 0.5]
        client.close()
    assert len(accepted) == 2


def test_silent_url_is_an_error():
    client = Client(f"http://127.0.0.1:{process.free_port()}", protocol_named("plain_json"), timeout=1.0)
    with pytest.raises(NotReadyError, match=r"no answer.*Is the server running"):
        client.predict(ROWS)
    client.close()


def test_tensorflow_serving_names_its_version_in_the_status(client_of):
    client = client_of("sound", protocol="tensorflow", settings={"model": "iris"})
    assert client.status() == (True, "10")
    assert client.predict(ROWS).scores.tolist() == [1.0, 2.0, 3.0]


def test_open_inference_names_its_version_in_the_answer(client_of):
    client = client_of("sound", protocol="open_inference", settings={"model": "iris", "column": 1})
    assert client.status() == (True, "")
    answer = client.predict(ROWS)
    assert (answer.scores.tolist(), answer.version) == ([0.75] * 3, "2")


def test_missing_status_route_means_not_ready(client_of):
    assert client_of("sound", settings={"health": "/nowhere"}).status() == (False, "")


def test_routes_of_operators_and_metadata_can_be_asked():
    index = [{"name": "iris", "version": "v1", "state": "READY"}]
    calls = [
        {"ask": "POST /v2/repository/index", "body": {"ready": True}, "status": 200, "reply": index},
        {"ask": "GET /v2/models/iris", "status": 200, "reply": {"name": "iris", "versions": []}},
    ]
    with replaying(calls) as url:
        client = Client(url, protocol_named("triton", {"model": "iris"}), timeout=2.0)
        declared = client.protocol.declared
        assert json.loads(client.ask(declared.admin["list_versions"], {"ready": True}).content) == index
        assert json.loads(client.ask(declared.metadata).content)["name"] == "iris"
        client.close()


def test_route_whose_setting_is_empty_cannot_be_asked():
    client = Client("http://127.0.0.1:1", protocol_named("torchserve"), timeout=1.0)
    with pytest.raises(InputError, match="a setting is empty"):
        client.ask(client.protocol.declared.admin["list_versions"])
    client.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "me:secret@example.org"])
def test_management_port_is_on_the_same_host(host):
    client = Client(f"http://{host}:8080/prefix", protocol_named("torchserve"), timeout=1.0)
    assert client._transport.at(":8081/models/m") == f"http://{host}:8081/models/m"
    client.close()


def test_what_each_status_route_says_is_told(client_of):
    client = client_of("sound", protocol="open_inference", settings={"model": "iris"})
    assert client.describe_status() == (
        f"{client.url}/v2/models/iris/ready says ready; "
        f"{client.url}/v2/health/ready does not say ready (HTTP status 404); "
        f"{client.url}/v2/health/live does not say ready (HTTP status 404)"
    )


def test_token_comes_from_the_environment(client_of, monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "open-sesame")
    client = client_of("sound", settings={"path": "/secret"}, headers=token_header("MODEL_TOKEN"))
    assert client.predict(ROWS).status == 200


def test_refused_token_is_an_error_that_does_not_show_it(client_of):
    client = client_of("sound", settings={"path": "/secret"}, headers={"authorization": "Bearer wrong"})
    with pytest.raises(InputError, match="found 401: 'who are you") as caught:
        client.predict(ROWS)
    assert "wrong" not in str(caught.value)


def test_unset_token_variable_is_an_error(monkeypatch):
    monkeypatch.delenv("MODEL_TOKEN", raising=False)
    with pytest.raises(InputError, match=r"'MODEL_TOKEN'.*is not set"):
        token_header("MODEL_TOKEN")


def test_token_with_a_line_break_at_its_end_is_taken_without_it(monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "abc\n")
    assert token_header("MODEL_TOKEN") == {"authorization": "Bearer abc"}


def test_token_that_no_header_can_hold_is_an_error_that_does_not_show_it(monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "abc\ndef")
    with pytest.raises(InputError, match="holds what no header can") as caught:
        token_header("MODEL_TOKEN")
    assert "abc" not in str(caught.value)


def test_answer_nested_too_deeply_is_an_error():
    client = Client("http://127.0.0.1:1", protocol_named("plain_json", {"scores_field": ""}), timeout=1.0)
    for depth in (400, 950, 100_000):
        with pytest.raises(InputError):
            client.decode(Reply(200, b"[" * depth + b"]" * depth), 1)
    client.close()


def test_whole_authorization_header_is_kept(monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "Basic abc")
    assert token_header("MODEL_TOKEN") == {"authorization": "Basic abc"}


@pytest.mark.parametrize("url", ["ftp://example.org", "localhost:8080", "http://"])
def test_url_must_be_one_of_a_server(url):
    with pytest.raises(InputError, match="is no URL of a server"):
        Client(url, protocol_named("plain_json"), timeout=1.0)


def test_time_out_is_mandatory():
    with pytest.raises(InputError, match="request_timeout must be above 0"):
        Client("http://localhost", protocol_named("plain_json"), timeout=0)


def test_credentials_are_redacted_in_messages():
    client = Client("http://me:secret@127.0.0.1:9/?key=abc", protocol_named("plain_json"), timeout=0.5)
    with pytest.raises(InputError) as caught:
        client.predict(ROWS)
    assert "secret" not in str(caught.value)
    assert "abc" not in str(caught.value)
    client.close()


def test_redaction_keeps_what_helps():
    assert redact("http://127.0.0.1:8080/predict") == "http://127.0.0.1:8080/predict"
