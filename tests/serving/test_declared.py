"""A team declares a protocol of its own, or changes one of ours, in ``[tool.mltestscore.protocols.<name>]``."""

from pathlib import Path

import pandas as pd
import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError
from mltestscore.inputs import offered
from mltestscore.serving.client import Client
from mltestscore.serving.places import find, is_place
from mltestscore.serving.protocols import protocol_named

from .replay import replaying

OWN = """
[tool.mltestscore.protocols.ours]
predict = "POST /models/{model}/score"
body = {rows = {"$each" = {id = "$index", fields = "$object"}}, threshold = "{threshold}"}
scores = "answers"
score = "p"
key = "id"
version = "header:x-model"
ready = "GET /up"
settings = {model = "", threshold = ""}
failures = [{where = "row:fallback", values = ["true"], degraded = true}]
"""


def configured(folder: Path, text: str):
    file = folder / "pyproject.toml"
    file.write_text("[tool.mltestscore]\n" + text, encoding="utf-8")
    return read_config(file)


def test_own_protocol_is_spoken_from_the_configuration(tmp_path):
    rows = [{"id": "1", "p": 0.2}, {"id": "0", "p": 0.1}]
    body = {"rows": [{"id": "0", "fields": {"a": 1}}, {"id": "1", "fields": {"a": 2}}]}
    calls = [
        {"ask": "GET /up", "status": 200, "reply": {}},
        {
            "ask": "POST /models/iris/score",
            "body": body,
            "status": 200,
            "reply": {"answers": rows},
            "headers": {"X-Model": "v7"},
        },
    ]
    with replaying(calls) as url:
        reach = f'[tool.mltestscore.endpoint]\nurl = "{url}"\nprotocol = "ours"\nmodel = "iris"\n'
        endpoint = offered.endpoint(configured(tmp_path, reach + OWN))
        assert endpoint.version == ""
        answer = endpoint.predict(pd.DataFrame({"a": [1, 2]}))
        endpoint.close()
    assert (answer.scores.tolist(), answer.version) == ([0.1, 0.2], "v7")


def test_version_in_a_header_is_read_under_load_too(tmp_path):
    call = {"ask": "POST /models/iris/score", "status": 200, "reply": {"answers": [{"id": 0, "p": 1}]}}
    with replaying([{**call, "headers": {"X-Model": "v7"}}] * 3) as url:
        reach = f'[tool.mltestscore.endpoint]\nurl = "{url}"\nprotocol = "ours"\nmodel = "iris"\n'
        endpoint = offered.endpoint(configured(tmp_path, reach + OWN))
        load = endpoint.load(pd.DataFrame({"a": [1]}), rate=10, seconds=0.3, seed=1, arrivals="fixed")
        endpoint.close()
    assert (load.requests, load.errors, load.versions) == (3, {}, ("v7",))


def test_table_named_like_one_of_ours_changes_that_one(tmp_path):
    config = configured(tmp_path, '[tool.mltestscore.protocols.mlflow]\nready = "GET /health"\n')
    wire = protocol_named("mlflow", declared=config.protocols)
    assert [route.ask for route in wire.status_routes] == ["GET /health"]
    assert wire.predict_path == "/invocations"


def test_base_gives_what_is_not_said(tmp_path):
    text = '[tool.mltestscore.protocols.rows]\nbase = "mlflow"\nbody = {dataframe_records = "$objects"}\n'
    wire = protocol_named("rows", declared=configured(tmp_path, text).protocols)
    assert wire.encode({"a": [1]}) == b'{"dataframe_records": [{"a": 1}]}'


def test_content_types_of_sagemaker_in_and_out_are_independent(tmp_path):
    text = """[tool.mltestscore.protocols.sagemaker]
format = "ndjson"
body = {features = "$list"}
content_type = "application/jsonlines"
accept = "text/csv"
answer = "csv"
scores = ""
"""
    call = {
        "ask": "POST /invocations",
        "text": '{"features": [1]}\n{"features": [2]}\n',
        "sends": {"content-type": "application/jsonlines", "accept": "text/csv"},
        "status": 200,
        "reply_text": "0.1,0.9\n0.7,0.3\n",
    }
    with replaying([call]) as url:
        client = Client(url, protocol_named("sagemaker", declared=configured(tmp_path, text).protocols), timeout=5)
        assert client.predict({"a": [1, 2]}).scores.tolist() == [[0.1, 0.9], [0.7, 0.3]]
        client.close()


def test_values_that_look_like_words_of_a_template_are_data():
    body = protocol_named("plain_json").encode({"a": ["$rows", "{model}"]})
    assert body == b'{"rows": [{"a": "$rows"}, {"a": "{model}"}]}'


def test_path_and_health_of_the_endpoint_replace_those_of_any_protocol():
    wire = protocol_named("mlflow", predict="/v1/score", health="/up")
    assert wire.predict_path == "/v1/score"
    assert [route.ask for route in wire.status_routes] == ["GET /up"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('predct = "POST /"', r"protocols\.ours\.predct is not a known key.*Did you mean 'predict'"),
        ('predict = "/score"', r"protocols\.ours\.predict is '/score'.*a route is a method and a path"),
        ('predict = "POST /"\nready = {path = "GET /"}', r"protocols\.ours\.ready"),
        ('predict = "POST /"\nformat = "xml"', r"protocols\.ours\.format is 'xml'"),
        ('predict = "POST /"\nversion = "model"', r"write body:PLACE, header:NAME"),
        ('predict = "POST /"\nfailures = [{where = "status"}]', r"protocols\.ours\.failures\.0\.where"),
        ('predict = "POST /"\nbatch = -1', r"protocols\.ours\.batch is -1"),
    ],
)
def test_malformed_table_is_an_error_that_names_the_key(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        configured(tmp_path, f"[tool.mltestscore.protocols.ours]\n{text}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('scores = "p"', r"'ours' says nowhere where rows are sent"),
        ('base = "mlfow"', r"no protocol 'mlfow'.*Did you mean 'mlflow'"),
        ('base = "ours"', "have each other as base"),
        ('predict = "POST /{model}"', r"has \{model\} but no setting 'model'"),
        ('predict = "POST /"\nscores = "a[0"', r"'a\[0', which names no place"),
    ],
)
def test_table_that_cannot_be_spoken_is_an_error(tmp_path, text, message):
    config = configured(tmp_path, f"[tool.mltestscore.protocols.ours]\n{text}\n")
    with pytest.raises(ConfigError, match=message):
        protocol_named("ours", declared=config.protocols)


def test_unknown_word_in_a_body_is_an_error_with_near_words(tmp_path):
    config = configured(tmp_path, '[tool.mltestscore.protocols.ours]\npredict = "POST /"\nbody = "$rowz"\n')
    with pytest.raises(ConfigError, match=r"no word '\$rowz'.*Did you mean '\$row"):
        protocol_named("ours", declared=config.protocols).encode({"a": [1]})


def test_text_that_begins_with_a_dollar_is_sent_where_it_is_doubled(tmp_path):
    text = '[tool.mltestscore.protocols.ours]\npredict = "POST /"\nbody = {currency = "$$US", x = "$lists"}\n'
    wire = protocol_named("ours", declared=configured(tmp_path, text).protocols)
    assert wire.encode({"a": [1]}) == b'{"currency": "$US", "x": [[1]]}'


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("", [{"a": {"b": [1, 2]}, "x.y": 3, "s": [{"k": "u", "v": 4}, {"k": "w", "v": 5}]}]),
        ("a.b", [[1, 2]]),
        ("a.b[0]", [1]),
        ("a.b[-1]", [2]),
        ("a.b[2]", []),
        ("x.y", [3]),
        ("s[*].v", [4, 5]),
        ("s[k=w].v", [5]),
        ("s[k=].v", [4, 5]),
        ("a[0]", []),
        ("nothing.here", []),
    ],
)
def test_places(place, found):
    body = {"a": {"b": [1, 2]}, "x.y": 3, "s": [{"k": "u", "v": 4}, {"k": "w", "v": 5}]}
    assert is_place(place)
    assert find(body, place) == found


@pytest.mark.parametrize("text", ["a[", "a]", "a..b", ".a", "a.", "[=x]"])
def test_what_is_no_place(text):
    assert not is_place(text)
