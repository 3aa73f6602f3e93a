"""Several processes that share a schedule: nothing lost, nothing told to others, and all of them always end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import psutil
import pytest

from mltestscore.errors import InputError
from mltestscore.serving import process
from mltestscore.serving.generator import Learned, LoadGenerator
from mltestscore.serving.load import schedule
from mltestscore.serving.sending import Connections, Target
from mltestscore.serving.stalls import Bottleneck, Stall, as_told
from mltestscore.serving.workers import Workers

STUB = Path(__file__).parent / "servers" / "stub_server.py"
BODIES = [json.dumps({"rows": [{"a": 1.0}]}).encode(), json.dumps({"rows": [{"a": 1.0}, {"a": 2.0}]}).encode()]
SECRET = "Bearer open-sesame"


@pytest.fixture
def server():
    with contextlib.ExitStack() as stack:

        def start(behaviour: str) -> str:
            started = process.start([sys.executable, str(STUB), "{port}", behaviour, "7"])
            stack.callback(started.stop)
            process.wait_until_listening(started, time.monotonic() + 10)
            return f"{started.url}/secret"

        yield start


def opened(url: str, **options) -> LoadGenerator:
    how = {"headers": {"Authorization": SECRET}, "timeout": 2.0, **options}
    return LoadGenerator(url, decode=lambda reply: str(len(json.loads(reply.content)["scores"])), **how)


def test_requests_of_all_processes_come_back_in_their_places(server):
    generator = opened(server("sound"), processes=2)
    try:
        load = generator.run(BODIES, schedule(100, 0.5, 1))
        assert (load.requests, load.errors, load.processes) == (50, {}, 2)
        assert load.versions == ("1", "2")  # both bodies were sent
        assert (load.service_ms <= load.latencies_ms + 1e-6).all()
        assert not np.isnan(load.latencies_ms).any()
        again = generator.run(BODIES, schedule(100, 0.3, 2))  # the same processes, with their connections
        assert again.errors == {}
    finally:
        generator.close()


def test_bodies_stay_with_their_requests():
    """The k-th request of a schedule sends the k-th body in turn, whichever process sends it."""
    with Recorder() as recorder:
        workers = Workers(Target(recorder.url, {}, 2.0), 3)
        bodies = [str(number).encode() for number in range(4)]
        sent, _ = workers.send(bodies, np.arange(10) * 0.02, Connections(4, 8), None)
        workers.close()
    assert [one.content for one in sent.answers] == [bodies[place % 4] for place in range(10)]


def test_processes_end_with_the_generator(server):
    generator = opened(server("sound"), processes=2)
    generator.run(BODIES, schedule(50, 0.2, 1))
    pids = [one.pid for one in generator._workers._processes]
    assert all(psutil.pid_exists(pid) for pid in pids)
    generator.close()
    generator.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_process_that_is_killed_is_an_error_and_stops_the_others(server):
    workers = Workers(Target(server("sound"), {}, 2.0), 2)
    pids = [one.pid for one in workers._processes]
    threading.Timer(0.7, os.kill, [pids[0], signal.SIGKILL]).start()
    with pytest.raises(InputError, match="ended by itself"):
        workers.send(BODIES, np.linspace(0, 3, 30), Connections(2, 8), None)
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_processes_end_with_whoever_started_them(server, tmp_path):
    """Killed in the middle of a schedule: nothing is left to tidy up, and the workers stop sending at once."""
    script = tmp_path / "load.py"
    script.write_text(
        "import numpy as np\n"
        "from mltestscore.serving.sending import Connections, Target\n"
        "from mltestscore.serving.workers import Workers\n"
        f"workers = Workers(Target({server('sound')!r}, {{}}, 2.0), 2)\n"
        "print(*[one.pid for one in workers._processes], flush=True)\n"
        "workers.send([b'{}'], np.linspace(0, 30, 300), Connections(2, 8), None)\n"
    )
    started = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    pids = [int(word) for word in started.stdout.readline().split()]
    time.sleep(0.5)
    started.kill()
    started.communicate()
    deadline = time.monotonic() + 5
    while any(psutil.pid_exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_credentials_do_not_stand_in_the_list_of_processes(server):
    workers = Workers(Target(server("sound"), {"Authorization": SECRET}, 2.0), 1)
    words = psutil.Process(workers._processes[0].pid).cmdline()
    workers.close()
    assert "open-sesame" not in " ".join(words)


def test_a_module_of_the_folder_at_hand_is_not_taken_for_ours(server, tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit('a stranger')")
    monkeypatch.chdir(tmp_path)
    generator = opened(server("sound"), processes=2)
    assert generator.run(BODIES, schedule(50, 0.2, 1)).errors == {}
    generator.close()


@pytest.mark.parametrize("hold", [Stall(0.1), Stall(0.1, every=10), Bottleneck(50.0)])
def test_faults_are_the_same_in_several_processes(hold, server):
    """A tenth of a second for each, for every tenth and all behind it, or fifty a second: late in any case."""
    generator = opened(server("sound"), processes=2)
    load = generator.run(BODIES, schedule(100, 0.6, 1, "fixed"), stall=hold)
    generator.close()
    assert load.percentiles()[95] > 90


def test_a_share_of_a_fault_takes_as_much_of_the_time():
    assert as_told(Stall(0.2, every=10).told(2)).every == 5
    assert as_told(Stall(0.2).told(2)).every == 1
    assert as_told(Bottleneck(100.0).told(4)).rate == 25.0
    assert as_told(None) is None


def test_one_core_is_enough_until_its_requests_cost_more(server, monkeypatch):
    monkeypatch.setattr("mltestscore.serving.generator.cores", lambda: 4)
    monkeypatch.setattr("mltestscore.serving.generator.LEARNED", Learned())
    generator = opened(server("sound"))
    assert generator.processes(10_000) == 1  # nothing is known yet
    load = generator.run(BODIES, schedule(400, 0.5, 1))
    assert (load.processes, generator.processes(200)) == (1, 1)
    assert generator.processes(1e9) == 4
    assert generator.processes(0) == 1
    generator.close()


def test_a_core_that_was_used_up_is_not_again_whatever_the_target(server, monkeypatch):
    """For the other version too, so that both are measured alike."""
    monkeypatch.setattr("mltestscore.serving.generator.cores", lambda: 4)
    monkeypatch.setattr("mltestscore.serving.generator.LEARNED", Learned())
    generator, other = opened(server("sound")), opened("http://127.0.0.1:1")
    with monkeypatch.context() as patched:
        patched.setattr("mltestscore.serving.generator.MAX_CPU", 0.0)
        generator.run(BODIES, schedule(200, 0.2, 1))
    assert (generator.processes(200), other.processes(200)) == (2, 2)
    assert (other.processes(100), other.processes(0)) == (1, 1)
    generator.close()


class Recorder:
    """A server that answers with what it was sent."""

    def __enter__(self):
        class Echo(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
