"""Conformance: what each system publishes as request and answer, over real HTTP, gRPC or RESP; a file a system.

These are the systems that cannot be run here (tests/serving/matrix.md says which are run).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from mltestscore.errors import InputError
from mltestscore.serving.client import Client
from mltestscore.serving.protocols import protocol_named

from .replay import MISMATCH, replaying
from .replay_grpc import calling
from .replay_resp import running

PUBLISHED = sorted((Path(__file__).parent / "published").glob("*.json"))
REPLAYS = {"http": replaying, "grpc": calling, "resp": running}
EXCHANGES = [
    pytest.param(system, exchange, id=f"{file.stem}: {exchange['name']}")
    for file in PUBLISHED
    for system in [json.loads(file.read_text(encoding="utf-8"))]
    for exchange in system["exchanges"]
]


@pytest.mark.parametrize(
    "other",
    [
        {"ask": "POST /v1/models/other:predict"},
        {"body": {"instances": [{"x": 2.0}]}},
        {"sends": {"accept": "text/csv"}},
    ],
)
def test_request_that_is_not_the_published_one_is_refused(other):
    call = {"ask": "POST /v1/models/model:predict", "status": 200, "reply": {"predictions": [3.5]}, **other}
    with replaying([call]) as url:
        client = Client(url, protocol_named("tensorflow"), timeout=5)
        with pytest.raises(InputError, match=f"found {MISMATCH}: .not as published"):
            client.predict({"x": [1.0]})
        client.close()


@pytest.mark.parametrize(("system", "exchange"), EXCHANGES)
def test_published_exchange(system, exchange, monkeypatch):
    monkeypatch.setenv("PUBLISHED_KEY", "published-key")
    settings = {**system["settings"], **exchange.get("settings", {})}
    wire = protocol_named(system["protocol"], settings)
    with REPLAYS[wire.transport](exchange["calls"]) as url:
        client = Client(url, wire, timeout=5)
        try:
            if "ready" in exchange:
                assert client.status() == tuple(exchange["ready"])
            elif "error" in exchange:
                with pytest.raises(InputError, match=exchange["error"]):
                    client.predict(exchange["columns"])
            else:
                answer = client.predict(exchange["columns"])
                np.testing.assert_array_equal(answer.scores, np.array(exchange["scores"], dtype=float))
                assert answer.version == exchange.get("version", "")
        finally:
            client.close()
