"""An endpoint answers once it is ready, says why it is not, and stops what it started."""

import json
import sys
import time
from contextlib import closing
from pathlib import Path

import pandas as pd
import psutil
import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import offered, offered_infra
from mltestscore.inputs.endpoint import Endpoint, open_endpoint
from mltestscore.serving import process

SERVERS = Path(__file__).parents[1] / "serving" / "servers"
FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", None]})


def stub(behaviour: str, version: str = "7") -> list[str]:
    return [sys.executable, str(SERVERS / "stub_server.py"), "{port}", behaviour, version]


@pytest.fixture
def opened():
    """Return :func:`open_endpoint`; what it opens is closed after the test."""
    endpoints: list[Endpoint] = []

    def start(command=(), **options) -> Endpoint:
        endpoints.append(open_endpoint(command=command, **options))
        return endpoints[-1]

    yield start
    for endpoint in endpoints:
        endpoint.close()


def test_flask_behind_waitress_answers_in_row_order_with_its_version(opened):
    endpoint = opened([sys.executable, str(SERVERS / "flask_server.py"), "{port}", "7", "1"], health="/health")
    answer = endpoint.predict(FRAME)
    assert answer.scores.tolist() == [0.1, 0.2, 0.3]
    assert (answer.version, endpoint.version) == ("7", "7")
    load = endpoint.load(FRAME, rate=50, seconds=0.5, seed=1)
    assert (load.requests, load.errors, load.versions) == (25, {}, ("7",))


SECRETIVE = ["sh", "-c", '[ "$MODEL_TOKEN $STORE" = "open-sesame there" ] && exec "$@"', "sh"]


def test_servers_inherit_their_token_and_what_is_named_for_them(tmp_path, monkeypatch):
    monkeypatch.setenv("MODEL_TOKEN", "open-sesame")
    command = json.dumps([*SECRETIVE, *stub("sound")])
    (tmp_path / "pyproject.toml").write_text(
        f"""
        [tool.mltestscore.endpoint]
        command = {command}
        environment = {{STORE = "there"}}
        settings = {{path = "/secret"}}
        token_variable = "MODEL_TOKEN"
        [tool.mltestscore.canary]
        command = {command}
        """
    )
    config = read_config(tmp_path / "pyproject.toml")
    start = offered_infra.canary(config).start
    assert start is not None
    for opening in (lambda: offered.endpoint(config), start):
        with closing(opening()) as endpoint:
            assert endpoint.predict(FRAME).scores.tolist() == [0.5] * 3


def test_module_that_a_server_cannot_import_comes_with_a_hint(opened):
    with pytest.raises(InputError, match=r"No module named 'nowhere'(?s:.*)environment = \{PYTHONPATH"):
        opened([sys.executable, "-c", "import nowhere", "{port}"])


def test_server_that_starts_slowly_is_waited_for(opened):
    assert opened(stub("starts slowly")).predict(FRAME).scores.tolist() == [0.5] * 3


def test_server_that_listens_before_it_is_ready_is_waited_for(opened):
    assert opened(stub("busy at first")).predict(FRAME).status == 200


def test_server_that_says_ready_but_hangs_is_an_error_in_time(opened):
    started = time.monotonic()
    with pytest.raises(InputError, match=r"not ready in time(?s:.*)no answer within 0\.3 s"):
        opened(stub("hangs"), ready_timeout=1.0, request_timeout=0.3, probe=FRAME)
    assert time.monotonic() - started < 30


def test_status_route_that_never_says_ready_is_an_error_in_time(opened):
    with pytest.raises(InputError, match="/nowhere does not say ready"):
        opened(stub("sound"), health="/nowhere", ready_timeout=0.5, probe=FRAME)


def test_server_that_fails_on_the_first_row_is_an_error_at_once(opened):
    with pytest.raises(InputError, match="found 500: 'the model fell over'"):
        opened(stub("error 500"), probe=FRAME)


def test_server_that_ends_at_once_is_an_error_with_its_last_words(opened):
    with pytest.raises(InputError, match=r"exit code 3(?s:.*)cannot open model\.skops"):
        opened(stub("exits"))


def test_server_that_ends_later_is_noticed(opened):
    endpoint = opened(stub("sound"), probe=FRAME)
    psutil.Process(endpoint._server._process.pid).kill()
    time.sleep(0.2)
    with pytest.raises(InputError, match="was ended by SIGKILL"):
        endpoint.load(FRAME, rate=10, seconds=0.1, seed=1)


def test_failed_start_leaves_no_process(opened):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(InputError):
        opened(stub("never listens"), ready_timeout=0.3)
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_fixed_port_that_is_taken_is_an_error(opened):
    port = process.free_port()
    command = [word.replace("{port}", str(port)) for word in stub("sound")]
    opened(command, url=f"http://127.0.0.1:{port}")
    with pytest.raises(InputError, match=f"port {port} is taken"):
        opened(command, url=f"http://127.0.0.1:{port}")


def test_port_lost_to_another_process_meanwhile_is_replaced(opened, monkeypatch):
    taken = opened(stub("sound"))._server.port
    offered = iter([taken, process.free_port()])
    monkeypatch.setattr(process, "free_port", lambda: next(offered))
    monkeypatch.setattr(process, "is_listening", lambda port, known=process.is_listening: port != taken and known(port))
    assert opened(stub("sound"))._server.port != taken


def test_command_that_names_no_port_is_an_error(opened):
    with pytest.raises(ConfigError, match="says nowhere on which port"):
        opened(["python", "serve.py"])


def test_nothing_offered_is_an_error(opened):
    with pytest.raises(ConfigError, match="neither command nor url"):
        opened()


def test_setting_that_the_protocol_does_not_have_is_an_error(opened):
    with pytest.raises(ConfigError, match="'plain_json' has no setting 'model'"):
        opened(url="http://127.0.0.1:1", model="iris")


def test_running_server_is_reached_by_url_and_left_alone(opened):
    ours = opened(stub("sound"))
    other = opened(url=ours.url)
    assert other.predict(FRAME).version == "7"
    assert other.memory() is None
    other.close()
    assert ours.predict(FRAME).version == "7"


def test_version_comes_from_the_status_route_where_answers_do_not_name_it(opened):
    endpoint = opened(stub("sound"), protocol="tensorflow", model="iris")
    assert endpoint.predict(FRAME).version == ""
    assert endpoint.version == "10"


def test_previous_version_starts_on_first_use_and_stops_with_the_current(opened):
    endpoint = opened(stub("sound", "7"), previous_command=stub("sound", "6"))
    assert len(psutil.Process(endpoint._server._process.pid).children()) == 0
    previous = endpoint.previous
    assert previous is endpoint.previous
    assert previous.predict(FRAME).version == "6"
    endpoint.close()
    assert not process.is_listening(previous._server.port)


def test_without_a_previous_version_there_is_none(opened):
    assert opened(url="http://127.0.0.1:1").previous is None


def test_only_the_features_are_sent(opened):
    endpoint = opened(stub("sound"), protocol="tensorflow", model="iris", features=("a",))
    assert endpoint.predict(FRAME[["b", "a"]]).scores.tolist() == [1.0, 2.0, 3.0]


def test_missing_feature_is_an_error_with_near_names(opened):
    endpoint = opened(url="http://127.0.0.1:1", features=("temperature",))
    with pytest.raises(InputError, match=r"no column 'temperature'.*Did you mean 'temperatur'"):
        endpoint.predict(pd.DataFrame({"temperatur": [1]}))


def test_empty_frame_is_an_error(opened):
    with pytest.raises(InputError, match="no row to send"):
        opened(url="http://127.0.0.1:1").load(FRAME.head(0), rate=1, seconds=1, seed=1)


def test_slowed_view_is_late_and_the_original_is_not(opened):
    endpoint = opened(stub("sound"))
    slow = endpoint.slowed(0.1)
    assert slow.load(FRAME, rate=20, seconds=0.25, seed=1).latencies_ms.min() >= 100
    assert endpoint.load(FRAME, rate=20, seconds=0.25, seed=1).latencies_ms.min() < 100


def test_leaking_view_grows_with_every_request(opened):
    endpoint = opened(stub("sound"), probe=FRAME)
    leaking = endpoint.leaking(10_000_000)
    before = leaking.memory()
    leaking.load(FRAME, rate=50, seconds=0.2, seed=1)
    assert leaking.memory() - before > 90_000_000
    assert endpoint.memory() < before + 90_000_000


def test_closing_a_view_leaves_the_server_running(opened):
    endpoint = opened(stub("sound"))
    endpoint.slowed(0.0).close()
    assert endpoint.predict(FRAME).status == 200
