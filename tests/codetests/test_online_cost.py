"""What the serving path costs: store calls counted exactly, time as the fastest try, failures in words."""

from __future__ import annotations

import http.client
import sqlite3
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mltestscore.codetests.online_cost import online_cost
from mltestscore.codetests.online_cost_process import cost, counted
from mltestscore.errors import InputError
from tests.codetests.shop import PATHS, features, write

AGAIN = "mltestscore.codetests.path_faults:asking_again"


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[int]:
    """A server on this machine; returns its port."""
    server = HTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_statements_of_a_database_are_counted_one_by_one():
    connection = sqlite3.connect(":memory:")
    with counted() as counter:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        connection.cursor().execute("SELECT x FROM t").fetchall()
    connection.execute("SELECT 1")
    connection.close()
    assert counter.calls == 3


def test_a_request_with_head_and_body_is_one_call(store):
    client = http.client.HTTPConnection("127.0.0.1", store, timeout=5)
    with counted() as counter:
        for _ in range(3):
            client.request("POST", "/", body=b"x" * 10)
            assert client.getresponse().read() == b"ok"
    client.close()
    assert counter.calls == 3


def test_code_that_asks_nobody_has_no_calls():
    with counted() as counter:
        sorted(map(str, range(100)))
    assert counter.calls == 0


@pytest.mark.alone
def test_the_fastest_of_several_tries_counts():
    pauses = iter([0, 0, 0.05, 0.001, 0.05])
    found = cost(lambda _: time.sleep(next(pauses)) or {}, [{"x": 1}], repeats=3, seconds=5)
    assert 1 <= found["milliseconds"][0] < 40


def test_at_least_one_row_is_measured_however_slow_it_is():
    found = cost(lambda _: time.sleep(0.02) or {}, [{"x": 1}] * 50, repeats=5, seconds=0.01)
    assert (len(found["milliseconds"]), len(found["calls"])) == (1, 1)


def test_a_row_is_not_changed_by_the_row_before():
    seen: list[int] = []

    def online(row: dict[str, int]) -> dict[str, int]:
        row["x"] += 1
        seen.append(row["x"])
        return row

    cost(online, [{"x": 1}, {"x": 5}], repeats=2, seconds=5)
    assert set(seen) == {2, 6}


def test_a_path_is_measured_in_its_own_process(tmp_path):
    given = features(write(tmp_path))
    found = online_cost(given)
    assert (len(found.milliseconds), set(found.calls)) == (8, {0})
    assert all(0 < one < 1000 for one in found.milliseconds)
    assert online_cost(given) is found


def test_a_planted_query_is_counted(tmp_path):
    assert set(online_cost(features(write(tmp_path)).wrapped("online", AGAIN)).calls) == {5}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("def online", "def offline"), "has no function 'online'. Did you mean 'offline'"),
        (('missing = pd.isna(row["price"])', 'raise KeyError("no such row")'), "failed. It said:\n.*no such row"),
        (('missing = pd.isna(row["price"])', "import os; os._exit(3)"), "failed. It said:"),
    ],
)
def test_a_path_that_fails_says_so(tmp_path, change, says):
    with pytest.raises(InputError, match=f"(?s){says}"):
        online_cost(features(write(tmp_path, paths=PATHS.replace(*change))))


def test_a_path_that_hangs_is_stopped(tmp_path, monkeypatch):
    from mltestscore.codetests import online_cost as measuring

    monkeypatch.setattr(measuring, "START", 1.0)
    monkeypatch.setattr(measuring, "SECONDS", 1.0)
    hanging = PATHS.replace('missing = pd.isna(row["price"])', "import time; time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(InputError, match="did not come back within 2 s"):
        online_cost(features(write(tmp_path, paths=hanging)))
    assert time.monotonic() - began < 30
