"""Server processes start, tell why they ended, and never outlive us."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mltestscore.errors import InputError
from mltestscore.serving import process

STUB = Path(__file__).parent / "servers" / "stub_server.py"
FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "


def stub(behaviour: str) -> list[str]:
    return [sys.executable, str(STUB), "{port}", behaviour]


def wait(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_server_listens_on_its_port_until_it_is_stopped():
    server = process.start(stub("sound"))
    process.wait_until_listening(server, time.monotonic() + 10)
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert 1e6 < server.memory() < 1e9
    server.stop()
    assert not process.is_listening(server.port)


def test_stopping_ends_the_whole_tree_even_when_it_ignores_the_polite_request():
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    server = process.start([sys.executable, "-c", FAMILY + ignore, "{port}"])
    assert wait(lambda: "up" in server.output() and len(server.processes()) == 2)
    tree = server.processes()
    server.stop(grace=0.2)
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in tree)


def test_stopping_twice_is_harmless():
    server = process.start([sys.executable, "-c", "import time; time.sleep(60)"])
    tree = server.processes()
    server.stop()
    server.stop()
    assert tree
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in tree)
    assert server.exit_code is not None


def test_interpreter_exit_stops_the_server():
    script = (
        "import sys, time; from mltestscore.serving import process\n"
        "server = process.start([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(server._process.pid)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert not psutil.pid_exists(int(done.stdout))


def test_killed_interpreter_takes_the_server_along():
    script = (
        "import os, sys, time; from mltestscore.serving import process\n"
        "server = process.start([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(server._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert wait(lambda: not psutil.pid_exists(int(done.stdout)))


def test_server_that_ends_at_once_is_an_error_with_its_exit_code_and_last_words():
    server = process.start(stub("exits"))
    with pytest.raises(InputError, match=r"exit code 3(?s:.*)cannot open model\.skops"):
        process.wait_until_listening(server, time.monotonic() + 10)
    server.stop()


def test_server_that_never_listens_is_an_error_in_time():
    server = process.start(stub("never listens"))
    with pytest.raises(InputError, match=r"nothing listens on port \d+ in time"):
        process.wait_until_listening(server, time.monotonic() + 0.3)
    server.stop()


def test_taken_port_is_an_error_before_anything_starts():
    other = process.start(stub("sound"))
    process.wait_until_listening(other, time.monotonic() + 10)
    with pytest.raises(InputError, match=f"port {other.port} is taken"):
        process.start(stub("sound"), port=other.port)
    other.stop()


def test_command_that_does_not_exist_is_an_error():
    with pytest.raises(InputError, match=r"no-such-program.*cannot be started"):
        process.start(["no-such-program", "{port}"])


def test_empty_command_is_an_error():
    with pytest.raises(InputError, match="cannot be started"):
        process.start([])


def test_secrets_in_our_environment_are_not_inherited(monkeypatch):
    monkeypatch.setenv("API_TOKEN", "secret")
    shown = "import os; print('API_TOKEN' in os.environ, os.environ.get('MODEL'), 'PATH' in os.environ)"
    server = process.start([sys.executable, "-c", shown], env={"MODEL": "7"})
    assert wait(lambda: "False 7 True" in server.output())
    server.stop()


def test_output_is_bounded_and_keeps_the_end():
    server = process.start([sys.executable, "-c", "for i in range(200_000): print('line', i)"])
    assert wait(lambda: server.exit_code == 0 and "line 199999" in server.output())
    assert sum(map(len, server._output)) <= 2 * process.OUTPUT_BYTES
    server.stop()
