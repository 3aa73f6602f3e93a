"""Broken requests to real servers: refused, answered with a silent default, with a reason, or by the model itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.endpoint import Endpoint, open_endpoint
from mltestscore.inputs.model import as_model
from mltestscore.inputs.tracer import Tracer
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check
from mltestscore.tracing.names import DEFAULT

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
port, mode = int(sys.argv[1]), sys.argv[2]
WEIGHTS = {"heat": 0.5, "wear": 0.25, "load": -0.1}

def score(row):
    if mode == "imputes":
        row = {name: row.get(name) if isinstance(row.get(name), float) else 1.0 for name in WEIGHTS}
    if mode == "other":
        row["passenger"]
    return sum(weight * float(row[name]) for name, weight in WEIGHTS.items())

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["rows"]
        status, answer = 200, {}
        try:
            answer = {"scores": [score(row) for row in rows]}
        except Exception as error:
            answer = {"scores": [0.5] * len(rows)}
            if mode == "reasons":
                answer["fallback"] = str(error)
            if mode in ("refuses", "other"):
                status, answer = 400, {"error": str(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(RNG.normal(size=(200, 3)), columns=["heat", "wear", "load"])
TARGET = ROWS @ [0.5, 0.25, -0.1]


@pytest.fixture
def server(tmp_path: Path) -> Any:
    opened: list[Endpoint] = []

    def start(mode: str) -> Endpoint:
        (tmp_path / "server.py").write_text(SERVER)
        opened.append(open_endpoint(command=[sys.executable, str(tmp_path / "server.py"), "{port}", mode]))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def run(endpoint: Endpoint, prove: bool = False, **settings: Any) -> CheckResult:
    from sklearn.linear_model import LinearRegression

    model = as_model(LinearRegression().fit(ROWS, TARGET))
    holdout = open_dataset("holdout", ROWS.assign(id=range(200)), Roles(key=("id",)))
    return run_check("infra.5", prove=prove, model=model, tracer=Tracer(**settings), holdout=holdout, endpoint=endpoint)


def found(result: CheckResult) -> FindingRecord:
    return next(one for one in result.findings if one.name == DEFAULT)


def test_a_server_that_refuses_passes_and_the_planted_default_is_caught(server):
    result = run(server("refuses"), prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), result
    assert any(fault.by == DEFAULT for fault in result.proof.faults)


def test_a_swallowed_exception_fails_and_a_declared_reason_does_not(server):
    silent = found(run(server("swallows")))
    assert (silent.verdict, silent.value) == ("failed", 6)
    assert "0.5, whatever the row" in silent.cause
    assert found(run(server("reasons"))).verdict == "failed"
    assert found(run(server("reasons"), reason="fallback")).verdict == "passed"


def test_a_server_that_fills_in_what_is_missing_passes(server):
    assert run(server("imputes")).state == "passed"


def test_a_server_that_does_not_take_these_rows_tells_nothing(server):
    result = run(server("other"))
    assert (result.state, found(result).verdict) == ("inconclusive", "inconclusive")
    assert "does not take the rows" in found(result).note


def test_a_server_that_is_not_ours_is_sent_nothing_broken(server):
    ours = server("swallows")
    ours.predict(ROWS.head(1))
    result = run(open_endpoint(url=ours.url))
    assert result.state == "passed"
    assert DEFAULT not in [one.name for one in result.findings]
