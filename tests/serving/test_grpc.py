"""gRPC as the endpoint sees it: the same answers, the same errors, the same time-outs as over HTTP."""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.endpoint import open_endpoint
from mltestscore.serving import messages, process
from mltestscore.serving.client import Client
from mltestscore.serving.generator import generator_for
from mltestscore.serving.load import schedule
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.transports.base import NotReadyError
from mltestscore.serving.urls import token_header
from mltestscore.settings_serving import Protocol

from .grpc_calls import INFER, READY, ROWS, SUMS, V2, aborting, answer_of, client_of, infer
from .replay import replaying
from .replay_grpc import serving

grpc = pytest.importorskip("grpc")

SERVER = Path(__file__).parent / "servers" / "grpc_server.py"


@pytest.fixture
def endpoint_of():
    """Return a function that opens an endpoint on a server of our own, started by command."""
    opened = []

    def start(behaviour, **given):
        command = [sys.executable, str(SERVER), "{port}", behaviour]
        settings = {"protocol": "triton_grpc", "model": "sum", "ready_timeout": 20.0, **given}
        opened.append(open_endpoint(command=command, **settings))
        return opened[-1]

    yield start
    for endpoint in opened:
        endpoint.close()


def test_started_server_answers_in_row_order_names_its_version_takes_load_and_ends(endpoint_of):
    endpoint, frame = endpoint_of("sound"), pd.DataFrame(ROWS)
    assert endpoint.predict(frame).scores.tolist() == SUMS
    assert endpoint.predict(frame.iloc[::-1]).scores.tolist() == SUMS[::-1]
    load = endpoint.load(frame, rate=100, seconds=0.5, seed=1)
    assert (load.requests, load.errors, load.versions) == (50, {}, ("3",))
    assert endpoint.count(frame)["bytes of an answer"] == endpoint.count(frame)["bytes of an answer"] > 8
    assert (endpoint.version, endpoint.url[:7], endpoint.ours) == ("3", "grpc://", True)
    assert endpoint.memory() > 10_000_000
    port = int(endpoint.url.rpartition(":")[2])
    endpoint.close()
    assert not process.is_listening(port)


def test_server_that_says_ready_is_not_until_a_row_was_answered(endpoint_of):
    endpoint = endpoint_of("loads")
    assert endpoint.predict(pd.DataFrame(ROWS)).scores.tolist() == SUMS


def test_server_that_says_ready_and_never_answers_rows_is_an_error_that_says_so(endpoint_of):
    endpoint = endpoint_of("never", ready_timeout=1.5)
    with pytest.raises(InputError, match=r"not ready in time.*found UNAVAILABLE: 'the model is loading'"):
        endpoint.predict(pd.DataFrame(ROWS))


def test_started_server_without_the_model_is_an_error(endpoint_of):
    with pytest.raises(
        InputError, match=r"ModelInfer: expected gRPC status OK for 1 row.*NOT_FOUND: 'unknown model other'"
    ):
        endpoint_of("sound", model="other").predict(pd.DataFrame(ROWS))


def test_call_without_an_answer_ends_at_the_time_out():
    with serving({INFER: lambda content, context: time.sleep(1.2) or b""}) as url:
        client, started = client_of(url, timeout=0.3), time.monotonic()
        with pytest.raises(NotReadyError, match=r"CALL grpc://.*/ModelInfer: no answer within 0\.3 s"):
            client.predict(ROWS)
        assert time.monotonic() - started < 1.2
        client.close()


def test_dead_line_is_an_error_that_asks_whether_the_server_runs():
    client = client_of(f"grpc://127.0.0.1:{process.free_port()}")
    with pytest.raises(NotReadyError, match=r"no answer .*failed to connect.*Is the server running"):
        client.predict(ROWS)
    client.close()


def test_server_that_comes_up_later_is_found_at_once():
    port = process.free_port()
    client = client_of(f"grpc://127.0.0.1:{port}")
    with pytest.raises(NotReadyError):
        client.predict({"a": [1.0]})
    server = process.start([sys.executable, str(SERVER), str(port), "sound"], port=port)
    try:
        process.wait_until_listening(server, time.monotonic() + 20)
        deadline = time.monotonic() + 2
        while True:
            try:
                assert client.status() == (True, "")
                break
            except NotReadyError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        client.close()
        server.stop()


@pytest.mark.parametrize(
    ("code", "later"), [("UNAVAILABLE", True), ("RESOURCE_EXHAUSTED", True), ("INVALID_ARGUMENT", False)]
)
def test_status_of_a_refused_call_is_told_and_says_whether_to_ask_again(code, later):
    with serving({INFER: aborting(code, "no such input 'c'")}) as url:
        client = client_of(url)
        with pytest.raises(InputError, match=f"found {code}: .no such input 'c'") as caught:
            client.predict(ROWS)
        assert isinstance(caught.value, NotReadyError) is later
        client.close()


def test_token_travels_as_metadata_and_is_not_shown(monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "open-sesame")

    def guarded(content, context):
        if ("authorization", "Bearer open-sesame") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")
        return infer([1.0, 2.0, 3.0])(content, context)

    with serving({INFER: guarded}) as url:
        client = client_of(url, headers=token_header("MODEL_TOKEN"))
        assert client.predict(ROWS).scores.tolist() == [1.0, 2.0, 3.0]
        client.close()
        client = client_of(url, headers={"authorization": "Bearer wrong"})
        with pytest.raises(InputError, match="found UNAUTHENTICATED: 'who are you'") as caught:
            client.predict(ROWS)
        assert "wrong" not in str(caught.value)
        client.close()


def test_grpcs_is_encrypted_and_trusts_the_machines_authorities(certificate, monkeypatch):
    key, chain = certificate
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())])
    with serving({INFER: infer([1.0, 2.0, 3.0])}, credentials=credentials) as url:
        client = client_of(url)
        with pytest.raises(NotReadyError, match="failed to connect"):  # nobody vouches for it
            client.predict(ROWS)
        client.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        client = client_of(url)
        assert client.predict(ROWS).scores.tolist() == [1.0, 2.0, 3.0]
        client.close()
        client = client_of(url.replace("grpcs", "grpc"))
        with pytest.raises(NotReadyError):
            client.predict(ROWS)
        client.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://127.0.0.1:1", r"spoken over GRPC.*write it as grpc://host:port"),
        ("grpc://me:secret@127.0.0.1:1", r"grpc://\*\*\*@127.0.0.1:1'.*token_variable"),
        ("grpc://127.0.0.1:1/prefix", "knows only host and port"),
    ],
)
def test_address_that_grpc_cannot_reach_is_an_error(url, message):
    with pytest.raises(InputError, match=message) as caught:
        client_of(url)
    assert "secret" not in str(caught.value)


def test_grpc_address_of_a_protocol_over_http_is_an_error():
    with pytest.raises(InputError, match=r"'mlflow' is spoken over HTTP.*http://host:port, or name another protocol"):
        client_of("grpc://127.0.0.1:1", protocol="mlflow")


def test_missing_library_is_an_error_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(InputError, match=r"'open_inference_grpc' needs gRPC.*pip install 'mltestscore\[grpc\]'"):
        client_of("grpc://127.0.0.1:1")


def test_teams_own_messages_are_spoken(tmp_path):
    ours = Path(messages.__file__).parent / "open_inference.binpb"
    (tmp_path / "scorer.binpb").write_bytes(ours.read_bytes())
    own = Protocol(
        predict=f"CALL {READY}",
        messages=str(tmp_path / "scorer.binpb"),
        body={"name": "{who}", "version": "$index"},
        settings={"who": "us"},
        batch=1,
        scores=["ready"],
        ready={"ask": "CALL /inference.GRPCInferenceService/ServerLive", "where": ["live"], "values": ["true"]},
    )
    asked = []

    def answered(content, context):
        request, answer = answer_of(V2, READY, content)
        asked.append((request.name, request.version))
        answer.ready = True
        return answer.SerializeToString()

    with serving({READY: answered}) as url:
        client = Client(url, protocol_named("ours", {}, declared={"ours": own}), timeout=5)
        assert client.predict({"x": [1, 2]}).scores.tolist() == [1.0, 1.0]
        client.close()
    assert asked == [("us", "0"), ("us", "0")]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"messages": ""}, "names no messages"),
        ({"messages": "nowhere.binpb"}, "'nowhere.binpb' cannot be read"),
        ({"messages": __file__}, "no compiled descriptor set.*protoc --include_imports"),
        (
            {"predict": "CALL /inference.GRPCInferenceService/Infer"},
            "have no call /inference.GRPCInferenceService/Infer",
        ),
        ({"body": {"model": "m"}}, "ModelInferRequest has no field 'model'"),
        ({"body": "$list"}, "must be a table of the message's fields"),
        ({"ready": "RUN PING"}, "beside its own transport a protocol can ask over HTTP only"),
    ],
)
def test_declared_protocol_that_cannot_be_spoken_is_an_error(changed, message):
    base = {"predict": f"CALL {INFER}", "messages": "open_inference", "body": {"model_name": "m"}}
    own = Protocol.model_validate({**base, **changed})
    with pytest.raises((ConfigError, InputError), match=message):
        _ask(own)


def _ask(own):
    client = Client("grpc://127.0.0.1:1", protocol_named("ours", {}, declared={"ours": own}), timeout=0.2)
    try:
        client.predict(ROWS)
    finally:
        client.close()


def test_status_and_metrics_may_be_asked_over_http_at_another_port():
    calls = [
        {"ask": "GET /healthz", "status": 200, "reply": {"up": True}},
        {"ask": "GET /healthz", "status": 503, "reply": {"up": False}},
        {"ask": "GET /metrics", "status": 200, "reply_text": "calls_total 3"},
    ]
    with serving({INFER: infer([1.0])}) as url, replaying(calls) as http:
        port = http.rpartition(":")[2]
        own = Protocol.model_validate({"base": "open_inference_grpc", "model_ready": f"GET :{port}/healthz"})
        client = Client(url, protocol_named("ours", {}, declared={"ours": own}), timeout=5)
        assert client.predict({"a": [1.0]}).scores.tolist() == [1.0]
        assert client.status() == (True, "")
        assert f"http://127.0.0.1:{port}/healthz does not say ready (HTTP status 503)" in client.describe_status()
        assert client.ask(f"GET :{port}/metrics").content == b"calls_total 3"
        client.close()


def test_load_from_several_processes_tells_what_each_call_was_answered():
    calls, peers = iter(range(100)), set()

    def every_tenth(content, context):
        peers.add(context.peer())
        refused = next(calls) % 10 == 0
        return (aborting("INVALID_ARGUMENT", "no") if refused else infer([1.0]))(content, context)

    with serving({INFER: every_tenth}) as url:
        client = client_of(url, timeout=2.0)
        generator = generator_for(client, processes=2)
        load = generator.run([client.body({"a": [1.0]})], schedule(100, 0.4, 1))
        assert (load.requests, load.failed, load.versions, load.processes) == (40, 4, ("2",), 2)
        assert all("found INVALID_ARGUMENT: 'no'" in error for error in load.errors)
        assert len(peers) == 2  # a client's calls share one connection
        generator.close()
        client.close()


def test_load_of_a_hanging_server_ends_and_counts_every_request():
    with serving({INFER: lambda content, context: time.sleep(1.0) or b""}, workers=2) as url:
        client = client_of(url, timeout=0.3)
        generator = generator_for(client)
        started = time.monotonic()
        load = generator.run([client.body({"a": [1.0]})], np.zeros(5))
        assert (load.failed, set(load.errors)) == (5, {"no answer within 0.3 s"})
        assert time.monotonic() - started < 2.0
        generator.close()
        client.close()
