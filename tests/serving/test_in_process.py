"""Functions and models' files as an endpoint: called in a process of their own, which ends where a call hangs."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import offered
from mltestscore.inputs.endpoint import Endpoint, open_endpoint
from mltestscore.rollback.staging import Serving, opened
from mltestscore.serving.in_process import command_for
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.transports.base import TimedOutError

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", None]})
OBJECTS = {"rows": "objects"}
APP = """
import os, re, sys, threading, time

VERSION = "2024-02-29"

def objects(rows):
    return [row["a"] / 10 for row in rows]

objects.version = 7

def named(rows):
    return {"scores": objects(rows), "version": "9"}

def one(row):
    return {"low": 0.25, "high": row["a"]}

def array(rows):
    return rows.sum(axis=1, keepdims=True)

class Scorer:
    version = "c1"

    def __init__(self):
        import numpy as np
        self.np = np

    def predict_proba(self, rows):
        high = self.np.array([row["a"] for row in rows], dtype="float32") / 4
        return self.np.column_stack([1 - high, high])

service = Scorer()

def dtypes(frame):
    if len(frame) == 1:
        return frame["a"]  # the probe
    assert frame["when"].dt.year.tolist() == [2024, 2023], frame
    assert [str(kind)[:5] for kind in frame.dtypes[:4]] == ["float", "int64", "bool", "float"], frame.dtypes
    assert frame["gap"].isna().tolist() == [False, True] and frame["text"].tolist() == ["x", "y"]
    return frame["a"]

def hangs(rows):
    if rows[0]["a"] == 3.0:
        re.match(r"(a+)+$", "a" * 60 + "b")  # it holds the interpreter's lock for years
    return objects(rows)

def once(rows):
    time.sleep(0.2)
    return [threading.current_thread() is threading.main_thread() for row in rows]

def fails(rows):
    raise ValueError("no such city: " + rows[0]["b"] * 2000)

def ends(rows):
    os._exit(7)

def nan(rows):
    return [float("nan") for row in rows]

async def later(rows):
    return objects(rows)
"""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "acme.py").write_text(APP)
    return tmp_path


@pytest.fixture
def called(app):
    """Open what the application's module has under a name; close it after the test."""
    endpoints: list[Endpoint] = []

    def start(name, *, settings=OBJECTS, **options) -> Endpoint:
        url = name if ":" in name else f"python:acme:{name}"
        endpoints.append(open_endpoint(url=url, cwd=app, settings=settings, **options))
        return endpoints[-1]

    yield start
    for endpoint in endpoints:
        endpoint.close()


def test_a_function_answers_in_row_order_with_its_version_and_takes_load(called):
    endpoint = called("objects")
    answer = endpoint.predict(FRAME)
    assert (answer.scores.tolist(), answer.version, endpoint.version) == ([0.1, 0.2, 0.3], "7", "7")
    assert endpoint.source == "python:acme:objects"
    load = endpoint.load(FRAME, rate=200, seconds=0.5, seed=1)
    assert (load.requests, load.errors, load.versions) == (100, {}, ("7",))
    assert 10e6 < endpoint.memory() < 100e6
    assert endpoint.ours
    assert endpoint.count(FRAME)["bytes of an answer"] > 20


@pytest.mark.parametrize(
    ("name", "settings", "scores", "version"),
    [
        ("named", OBJECTS, [0.1, 0.2, 0.3], "9"),
        ("named", {**OBJECTS, "version": "acme:VERSION"}, [0.1, 0.2, 0.3], "9"),
        ("objects", {**OBJECTS, "version": "acme:VERSION"}, [0.1, 0.2, 0.3], "2024-02-29"),
        ("one", {"rows": "object", "label": "high"}, [1.0, 2.0, 3.0], ""),
        ("Scorer", {**OBJECTS, "column": 1}, [0.25, 0.5, 0.75], "c1"),
        ("service.predict_proba", {**OBJECTS, "column": 1}, [0.25, 0.5, 0.75], "c1"),
    ],
)
def test_what_is_called_and_how_it_tells_its_version(called, name, settings, scores, version):
    endpoint = called(name, settings=settings)
    assert endpoint.predict(FRAME).scores.tolist() == scores
    assert endpoint.version == version


def test_a_frame_is_typed_as_the_rows_were(called):
    frame = pd.DataFrame({"a": [1.0, 2.0], "n": [1, 2], "yes": [True, False], "gap": [1.5, None], "text": ["x", "y"]})
    frame["when"] = pd.to_datetime(["2024-02-29 10:30:00.25", "2023-01-01"], format="ISO8601")
    assert called("dtypes", settings={}).predict(frame).scores.tolist() == [1.0, 2.0]


def test_an_array_and_another_interpreter(called):
    endpoint = called("array", settings={"rows": "array"}, command=[sys.executable, "-X", "utf8"], features=["a"])
    assert endpoint.predict(FRAME).scores.tolist() == [1.0, 2.0, 3.0]
    assert any("utf8" in word for one in endpoint._server.processes() for word in one.cmdline())


def test_a_call_that_hangs_ends_and_the_next_is_answered(called):
    endpoint = called("hangs", request_timeout=0.4)
    sound = FRAME.head(2)
    assert endpoint.predict(sound).scores.tolist() == [0.1, 0.2]
    began = time.monotonic()
    with pytest.raises(TimedOutError, match=r"no answer within 0\.4 s.*process is ended and started anew"):
        endpoint.predict(FRAME.tail(1))
    assert time.monotonic() - began < 2
    for _ in range(20):  # while the process is replaced, requests wait, each for its time-out
        try:
            scores = endpoint.predict(sound).scores.tolist()
            break
        except TimedOutError:
            continue
    assert scores == [0.1, 0.2]
    assert re.search(r'acme\.py", line \d+ in hangs', endpoint._server.output())
    load = endpoint.load(sound, rate=50, seconds=0.2, seed=1)
    assert load.errors == {}


def test_calls_are_made_one_after_the_other_in_the_main_thread_or_as_many_at_once_as_the_application_makes(called):
    alone, together = called("once"), called("once", settings={**OBJECTS, "threads": 3})
    spent = []
    for endpoint, main in ((alone, 1.0), (together, 0.0)):
        assert endpoint.predict(FRAME).scores.tolist() == [main] * 3
        load = endpoint.send(FRAME, np.zeros(3))
        assert load.errors == {}
        spent.append(load.latencies_ms.max())
    assert spent[0] > 590  # three waits of 200 ms
    assert spent[1] < spent[0] - 150


def test_errors_are_the_functions_own_and_short(called):
    with pytest.raises(InputError, match=r"status 200 for 1 row.*found 500: 'ValueError: no such city: x") as error:
        called("fails").predict(FRAME)
    assert len(str(error.value)) < 1500
    with pytest.raises(InputError, match="expected finite scores, found nan for row 0"):
        called("nan").predict(FRAME)
    with pytest.raises(InputError, match="write frame, array, objects or object"):
        called("objects", settings={"rows": "table"}).predict(FRAME)


def test_what_cannot_be_called_is_said_with_the_last_words(called):
    with pytest.raises(InputError, match=r"exit code 1(?s:.*)'acme' has no 'objets'"):
        called("objets")
    with pytest.raises(InputError, match=r"exit code 1(?s:.*)str is no function of rows"):
        called("VERSION")
    with pytest.raises(InputError, match=r"exit code 1(?s:.*)is async; name a plain function"):
        called("later")
    with pytest.raises(InputError, match=r"(?s)exit code 7"):
        called("ends").predict(FRAME)


def test_every_process_ends_with_the_endpoint(called):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    endpoint = called("objects", probe=FRAME)
    ours = [child.pid for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert len(ours) == 3  # the supervisor, the application's, and the one that guards them
    endpoint.close()
    assert not any(psutil.pid_exists(pid) for pid in ours)


def test_the_previous_version_may_be_another_function_or_another_interpreter(called):
    assert called("objects", previous_url="python:acme:named").previous.predict(FRAME).version == "9"
    again = called("objects", previous_command=[sys.executable, "-X", "utf8"]).previous
    assert (again.source, again.predict(FRAME).version) == ("python:acme:objects", "7")
    assert called("objects").previous is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "python:acme"}, 'what follows "python:" is .acme.; write "module:function"'),
        ({"url": "file:"}, 'write it as "file:models/model.onnx"'),
        ({"url": "python:acme:f", "protocol": "mlflow"}, "the protocol 'mlflow' is one of servers; leave protocol out"),
        ({"url": "python:acme:f", "settings": {"threads": 0}}, "threads is 0; write 1 to 256"),
        (
            {"url": "python:acme:f", "settings": {"version": "2"}},
            "the setting version is '2'; write \"module:function\"",
        ),
        ({"url": "python:acme:f", "settings": {"thread": 2}}, "Did you mean 'threads'"),
        ({"url": "python:acme:f", "command": ["serve", "{port}"]}, "command is only the interpreter for it"),
        ({"url": "python:acme:f", "previous_url": "http://127.0.0.1:1"}, "are asked in two ways"),
        ({"url": "http://127.0.0.1:1", "previous_url": "python:acme:f"}, "are asked in two ways"),
    ],
)
def test_settings_that_do_not_fit_are_errors(options, message):
    with pytest.raises(ConfigError, match=message):
        open_endpoint(**options)


def written(app, text):
    (app / "pyproject.toml").write_text('[tool.mltestscore]\nsystem = "acme"\n' + text)
    return read_config(app / "pyproject.toml")


@pytest.mark.slow
def test_a_models_file_is_read_as_the_model_is_and_without_pickle(app):
    frame = pd.DataFrame({"a": np.linspace(-1, 1, 40), "c": np.tile([0.0, 1.0], 20)})
    model = LogisticRegression().fit(frame, frame["a"] > 0)
    skops.io.dump(model, app / "m.skops")
    (app / "m.pickle").write_bytes(b"\x80\x04N.")
    tables = '[tool.mltestscore.model]\npath = "m.skops"\nversion = "5"\n[tool.mltestscore.endpoint]\n'
    endpoint = offered.endpoint(written(app, tables + 'url = "file:m.skops"\n'))
    try:
        np.testing.assert_allclose(endpoint.predict(frame).scores, model.predict_proba(frame)[:, 1])
        assert endpoint.source == "file:m.skops"
    finally:
        endpoint.close()
    with pytest.raises(InputError, match=r"(?s)allow_pickle.*Configured in \[tool\.mltestscore\.endpoint\]"):
        offered.endpoint(written(app, tables + 'url = "file:m.pickle"\n'))


def test_as_a_command_it_serves_where_a_servers_command_is_taken(app):
    command = (sys.executable, "-m", "mltestscore.serving.in_process", "python:acme:{version}", "{port}")
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    serving = Serving(protocol_named("in_process", OBJECTS), command, restart=True, environment={"PYTHONPATH": path})
    with opened(serving, app, str(app), "named") as staging:
        assert staging.served_version({"a": [1.0]}) == "9"
        staging.redeploy("objects", 5.0)


def test_the_interpreter_is_ours_where_none_is_named():
    words = command_for("python:acme:f", [], protocol_named("in_process"), timeout=5.0, loading={})
    assert words[words.index("--") + 1 :] == [sys.executable]
