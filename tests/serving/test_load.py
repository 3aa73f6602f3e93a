"""Open-loop load sees what a closed loop hides, and knows when it measured itself."""

import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.errors import InputError
from mltestscore.serving import process
from mltestscore.serving.client import Client
from mltestscore.serving.generator import LoadGenerator, most_connections
from mltestscore.serving.load import generator_limit, percentiles, schedule
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.stalls import Stall
from tests.benchmarks.load import truth

STUB = Path(__file__).parent / "servers" / "stub_server.py"
TRUE = Path(__file__).parents[1] / "benchmarks" / "load" / "server.py"
BODIES = [json.dumps({"rows": [{"a": 1.0}]}).encode()]


@pytest.fixture
def generator_of():
    """Return a function that starts a stub server and returns a load generator on it."""
    opened: list[LoadGenerator | Client | process.Server] = []

    def start(behaviour: str, timeout: float = 2.0) -> LoadGenerator:
        server = process.start([sys.executable, str(STUB), "{port}", behaviour, "7"])
        opened.append(server)
        process.wait_until_listening(server, time.monotonic() + 10)
        client = Client(server.url, protocol_named("plain_json"), timeout=timeout)
        generator = LoadGenerator(
            client.predict_url,
            headers=client.headers,
            timeout=timeout,
            decode=lambda reply: client.decode(reply, 1).version,
        )
        opened.extend((client, generator))
        return generator

    yield start
    for thing in reversed(opened):
        thing.stop() if isinstance(thing, process.Server) else thing.close()


@pytest.mark.alone
def test_sound_server_answers_everything_at_the_offered_rate(generator_of):
    load = generator_of("sound").run(BODIES, schedule(100, 1.0, 1))
    assert (load.requests, load.errors, load.versions) == (100, {}, ("7",))
    assert load.achieved == pytest.approx(load.offered, rel=0.05)
    assert (load.service_ms <= load.latencies_ms + 1e-6).all()
    assert load.cpu < 0.5


@pytest.mark.alone
def test_pause_of_200_ms_every_100th_request_shows_in_p99_from_the_intended_start(generator_of):
    load = generator_of("pauses").run(BODIES, schedule(150, 2.0, 1, "fixed"))
    assert load.percentiles()[99] > 150
    assert load.percentiles()[50] < 50


def test_more_requests_than_connections_still_count_from_the_intended_start(generator_of):
    """64 requests due at once on 32 connections, 10 ms each: the last is answered 640 ms after it was due.

    The last that is sent has waited for a connection until half of them were answered, whichever those are.
    """
    load = generator_of("10 ms one at a time").run(BODIES, np.zeros(64))
    assert load.latencies_ms.max() > 600
    assert (load.latencies_ms - load.service_ms).max() > 300


@pytest.mark.alone
def test_a_pause_finds_a_connection_for_every_request_that_is_due_meanwhile(generator_of):
    """60 requests meet a server that hangs: with 32 connections, 28 would wait for their client."""
    load = generator_of("hangs", timeout=0.5).run(BODIES, schedule(200, 0.3, 1, "fixed"))
    assert load.connections >= 58
    assert load.lag_ms_p99 < 100
    assert "not sent in time" not in " ".join(load.errors)


@pytest.mark.alone
def test_connections_follow_from_the_rate_and_the_latencies_seen(generator_of):
    """Little's law with head-room: 400 a second that take 0.2 s each are 80 at once, and half as many again."""
    generator = generator_of("sound")
    assert generator.connections(400).first == 32
    generator.run(BODIES, schedule(100, 0.4, 1), stall=Stall(0.2))
    assert 118 <= generator.connections(400).first <= 180
    assert generator.connections(1e6).first <= 1024


def test_threads_that_the_system_refuses_are_done_without(generator_of, monkeypatch):
    begin, started = threading.Thread.start, []

    def few(thread):
        if thread.name.startswith("load-"):
            if len(started) == 5:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        begin(thread)

    generator = generator_of("sound")
    monkeypatch.setattr(threading.Thread, "start", few)
    load = generator.run(BODIES, schedule(100, 0.3, 1))
    assert (load.errors, load.connections) == ({}, 5)


@pytest.mark.parametrize(("files", "most"), [(256, 64), (1024, 256), (64, 32), (1 << 20, 1024)])
def test_connections_leave_files_for_others(files, most, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_connections() == most


def test_connections_of_the_team_s_own_number_stay_that(generator_of):
    url = generator_of("10 ms one at a time")._target.url
    generator = LoadGenerator(url, headers={}, timeout=2.0, decode=lambda *_: "", connections=3)
    load = generator.run(BODIES, schedule(150, 0.3, 1, "fixed"))
    generator.close()
    assert load.connections == 3
    assert (load.latencies_ms - load.service_ms).max() > 50


def test_server_slower_than_offered_is_seen_in_the_achieved_rate(generator_of):
    load = generator_of("10 ms one at a time").run(BODIES, schedule(150, 1.0, 1, "fixed"))
    assert load.offered == pytest.approx(150)
    assert load.achieved < 115


def test_failed_requests_are_counted_by_reason(generator_of):
    load = generator_of("error 500").run(BODIES, schedule(50, 0.2, 1))
    assert load.failed == 10
    assert "the model fell over" in next(iter(load.errors))


@pytest.mark.alone
def test_server_that_hangs_costs_one_time_out(generator_of):
    started = time.monotonic()
    load = generator_of("hangs", timeout=0.4).run(BODIES, schedule(200, 0.3, 1))
    assert load.failed == load.requests == 60
    assert load.achieved == 0
    assert time.monotonic() - started < 2.5
    assert "no answer within 0.4 s" in load.errors


def test_closed_connections_are_opened_again(generator_of):
    generator = generator_of("closes idle connections")
    assert generator.run(BODIES, schedule(50, 0.4, 1)).errors == {}
    assert generator.run(BODIES, schedule(50, 0.4, 2)).errors == {}


def test_stopped_server_is_counted_and_not_waited_for(generator_of):
    generator = LoadGenerator(f"http://127.0.0.1:{process.free_port()}", headers={}, timeout=1.0, decode=lambda *_: "")
    load = generator.run(BODIES, schedule(50, 0.2, 1))
    assert load.errors == {"no answer: ConnectionRefusedError": 10}


@pytest.mark.alone
@pytest.mark.parametrize(("arrivals", "processes"), [("fixed", 0), ("poisson", 2)])
def test_percentiles_are_the_truth_that_follows_from_the_server_s_own_pauses(arrivals, processes, tmp_path):
    """``python -m tests.benchmarks.load`` holds the same to 5 % at 2,000 requests a second."""
    server = process.start([sys.executable, str(TRUE), "{port}", str(tmp_path / "pauses")])
    try:
        process.wait_until_listening(server, time.monotonic() + 10)
        generator = LoadGenerator(
            f"{server.url}/predict", headers={}, timeout=2.0, decode=lambda *_: "", processes=processes
        )
        generator.run(BODIES, schedule(100, 0.2, 1))
        load = generator.run(BODIES, schedule(400, 2.5, 1, arrivals))
        generator.close()
    finally:
        server.stop()
    said, true = (
        load.percentiles(),
        truth.of_schedule(load.origin_s + load.intended_s, truth.pauses(tmp_path / "pauses")),
    )
    assert true[99.0] > 100
    assert (load.failed, load.processes) == (0, processes or 1)
    assert load.connections > 32 or processes
    if not load.generator_limited:
        assert {share: said[share] for share in true} == pytest.approx(true, rel=0.15)


@pytest.mark.alone
def test_every_answer_held_back_is_late_by_that_much(generator_of):
    load = generator_of("sound").run(BODIES, schedule(50, 0.5, 1), stall=Stall(0.05))
    assert load.latencies_ms.min() >= 50
    assert load.percentiles()[50] < 100


def test_stall_of_the_whole_server_delays_what_is_due_meanwhile(generator_of):
    load = generator_of("sound").run(BODIES, schedule(100, 1.0, 1, "fixed"), stall=Stall(0.2, every=20))
    assert load.percentiles()[95] > 150
    assert (load.latencies_ms > 20).mean() > 0.3


def test_load_without_rows_is_an_error(generator_of):
    with pytest.raises(InputError, match="no row to send"):
        LoadGenerator("http://127.0.0.1:1", headers={}, timeout=1.0, decode=lambda *_: "").run([], np.zeros(1))


@pytest.mark.parametrize(("rate", "seconds"), [(0, 1), (10, 0), (-1, 1), (float("inf"), 1), (float("nan"), 1)])
def test_impossible_schedule_is_an_error(rate, seconds):
    with pytest.raises(InputError, match="must be above 0"):
        schedule(rate, seconds, 1)


@settings(deadline=None)
@given(st.floats(0.5, 500), st.floats(0.1, 3), st.integers(0, 2**64 - 1), st.sampled_from(["poisson", "fixed"]))
def test_schedule_is_ascending_bounded_and_repeatable(rate, seconds, seed, arrivals):
    intended = schedule(rate, seconds, seed, arrivals)
    assert len(intended) == max(1, round(rate * seconds))
    assert (np.diff(intended) >= 0).all()
    assert intended[0] >= 0
    assert intended[-1] <= seconds + 1 / rate
    assert (intended == schedule(rate, seconds, seed, arrivals)).all()


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 10_000), min_size=1, max_size=200))
def test_percentiles_hold_three_digits_and_rise(values):
    found = percentiles(np.array(values))
    assert list(found.values()) == sorted(found.values())
    assert found[99.9] == pytest.approx(max(values), rel=2e-3, abs=2e-3)


def test_late_generator_says_so():
    assert "12.0 ms late" in generator_limit(12.0, 0.1, 10.0)


def test_lateness_small_beside_the_latency_is_no_limit():
    assert generator_limit(12.0, 0.1, 100.0) == ""


def test_busy_generator_says_so():
    assert "90% of one core" in generator_limit(0.1, 0.9, 10.0)
