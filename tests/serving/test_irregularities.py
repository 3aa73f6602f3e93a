"""What real servers do against expectation, each a case of its own; found by running them, or in their documents."""

import base64
import json

import numpy as np
import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.serving.client import Client
from mltestscore.serving.protocols import protocol_named
from mltestscore.serving.transports.base import NotReadyError

from .replay import replaying

TWO = {"a": [1.0, 2.0]}
ONE = {"a": [1.0]}


def ask(protocol, calls, columns=None, **settings):
    """Return the answer to the columns, or the status where there are none, from a server that replays the calls."""
    with replaying(calls) as url:
        client = Client(url, protocol_named(protocol, settings), timeout=5)
        try:
            return client.predict(columns) if columns else client.status()
        finally:
            client.close()


def post(path, reply=None, status=200, **more):
    return {"ask": f"POST {path}", "status": status, **({} if reply is None else {"reply": reply}), **more}


def get(path, reply=None, status=200, **more):
    return {"ask": f"GET {path}", "status": status, **({} if reply is None else {"reply": reply}), **more}


def test_01_clipper_unwraps_a_batch_of_one():
    assert ask("clipper", [post("/model/predict", {"query_id": 1, "output": 3})], ONE).scores.tolist() == [3]


def test_01_clipper_default_is_no_prediction():
    rows = [{"output": 0.5, "default": False}, {"output": -1, "default": True, "default_explanation": "too late"}]
    with pytest.raises(InputError, match="row 1: the model did not answer, a default stands in its place: too late"):
        ask("clipper", [post("/model/predict", {"batch_predictions": rows})], TWO)


def test_01_clipper_output_may_be_a_text_that_holds_json():
    rows = [{"output": "[0.1, 0.9]"}, {"output": "[0.7, 0.3]"}]
    assert ask("clipper", [post("/model/predict", {"batch_predictions": rows})], TWO, column=1).scores.tolist() == [
        0.9,
        0.3,
    ]


def test_02_tensorflow_rows_and_columns_have_other_keys():
    path = "/v1/models/model:predict"
    rows = ask("tensorflow", [post(path, {"predictions": [1, 2]}, body={"instances": [{"a": 1.0}, {"a": 2.0}]})], TWO)
    columns = ask("tensorflow_columns", [post(path, {"outputs": [[1], [2]]}, body={"inputs": {"a": [1.0, 2.0]}})], TWO)
    assert rows.scores.tolist() == columns.scores.tolist() == [1, 2]


def test_02_tensorflow_versions_are_texts_and_compare_as_numbers():
    states = [{"version": number, "state": "AVAILABLE"} for number in ("9", "10")]
    assert ask("tensorflow", [get("/v1/models/model", {"model_version_status": states})]) == (True, "10")


def test_02_tensorflow_writes_bare_nan_and_that_is_no_score():
    with pytest.raises(InputError, match="expected finite scores, found nan for row 1"):
        ask("tensorflow", [post("/v1/models/model:predict", reply_text='{"predictions": [0.5, NaN]}')], TWO)


def test_03_open_inference_answers_flat_data_with_a_shape():
    tensor = {"name": "p", "shape": [2, 2], "datatype": "FP64", "data": [0.1, 0.9, 0.7, 0.3]}
    answer = ask("triton", [post("/v2/models/m/infer", {"model_version": "2", "outputs": [tensor]})], TWO, model="m")
    assert (answer.scores.tolist(), answer.version) == ([[0.1, 0.9], [0.7, 0.3]], "2")


def test_03_kserve_refuses_a_pinned_version():
    reply = {"error": "Model versioning not supported yet."}
    with pytest.raises(InputError, match="found 501: 'Model versioning not supported yet"):
        ask("kserve_v2", [post("/v2/models/model/versions/1/infer", reply, 501)], ONE, model_version="1")


@pytest.mark.parametrize("body", ["", "{}", '{"ready": true}', '{"name": "m", "ready": true}'])
def test_03_readiness_bodies_differ(body):
    assert ask("open_inference", [get("/v2/models/model/ready", reply_text=body)]) == (True, "")


def test_03_readiness_body_may_deny_it():
    assert ask("open_inference", [get("/v2/models/model/ready", {"ready": False})]) == (False, "")


def test_03_mlserver_traceback_is_cut_to_its_last_line():
    text = "Traceback (most recent call last):\n  File x\nValueError: X has 3 features"
    with pytest.raises(InputError, match="found 500: 'ValueError: X has 3 features'"):
        ask("mlserver", [post("/v2/models/model/infer", status=500, reply_text=text)], ONE)


def test_03_triton_errors_are_json_whatever_their_content_type():
    reply, headers = {"error": "Request for unknown model: 'm' version 9 is not found"}, {"content-type": "text/plain"}
    with pytest.raises(InputError, match="unknown model: 'm' version 9"):
        ask("triton", [post("/v2/models/model/infer", reply, 400, headers=headers)], ONE)


def test_04_kserve_v1_status_is_not_tensorflows():
    assert ask("kserve_v1", [get("/v1/models/iris", {"name": "iris", "ready": True})], model="iris") == (True, "")
    assert ask("kserve_v1", [get("/v1/models/iris", {"name": "iris", "ready": False})], model="iris") == (False, "")


def test_05_sagemaker_error_stands_in_the_http_reason():
    call = post("/invocations", status=500, reply_text="", reason="application/xml is not supported")
    with pytest.raises(InputError, match="found 500: 'application/xml is not supported: nothing'"):
        ask("sagemaker", [call], ONE)


def test_05_sagemaker_variant_stands_in_a_header_alone():
    call = post("/invocations", [0.5], headers={"x-Amzn-Invoked-Production-Variant": "green"})
    assert ask("sagemaker", [call], ONE).version == "green"


def test_05_sagemaker_424_holds_the_models_own_message():
    reply = {"Message": "Received server error (500)", "OriginalMessage": "no column b", "OriginalStatusCode": 500}
    with pytest.raises(InputError, match="found 424: 'no column b'"):
        ask("sagemaker", [post("/invocations", reply, 424)], ONE)


def test_06_datarobot_rows_are_joined_by_their_id():
    rows = [{"rowId": 1, "prediction": 0.2}, {"rowId": 0, "prediction": 0.1}]
    call = post("/predApi/v1.0/deployments/d/predictions", {"data": rows})
    assert ask("datarobot", [call], TWO, model="d").scores.tolist() == [0.1, 0.2]


def test_06_drum_takes_csv_as_a_form_and_answers_by_label():
    rows = [{"2": 0.1, "10": 0.9}, {"10": 0.25, "2": 0.75}]  # classes in the order of numbers, not of texts
    assert ask("drum", [post("/predict/", {"predictions": rows})], TWO).scores.tolist() == [[0.1, 0.9], [0.75, 0.25]]


def test_07_watson_names_fields_apart_from_values():
    reply = {"predictions": [{"fields": ["prediction", "probability"], "values": [["N", 0.9], ["T", 0.2]]}]}
    call = post("/ml/v4/deployments/d/predictions?version=2026-01-31", reply)
    assert ask("watson", [call], TWO, model="d", api_date="2026-01-31").scores.tolist() == [0.9, 0.2]


def test_07_watson_rows_in_another_block_are_missed_and_not_made_up():
    blocks = [{"fields": ["prediction", "probability"], "values": [["N", one]]} for one in (0.9, 0.2)]
    call = post("/ml/v4/deployments/d/predictions?version=2020-09-01", {"predictions": blocks})
    with pytest.raises(InputError, match="expected 2 scores, one per row in order, found 1"):
        ask("watson", [call], TWO, model="d")


def test_07_watsons_predecessor_reports_errors_in_status_200():
    call = post("/ml/v4/deployments/d/predictions?version=2020-09-01", {"flag": False, "message": "no stream"})
    with pytest.raises(InputError, match="an error in status 200: 'no stream'"):
        ask("watson", [call], ONE, model="d")


def test_08_one_row_a_call_is_asked_as_often_as_there_are_rows():
    calls = [post("/queries.json", {"label": value}, body={"a": value}) for value in (1.0, 2.0)]
    assert ask("predictionio", calls, TWO).scores.tolist() == [1.0, 2.0]


def test_08_yhat_bulk_lines_come_in_any_order():
    lines = "".join(f'{{"bulk_id": {n}, "result": {{"p": 0.{n}}}, "version": 1}}\n' for n in (2, 1))
    call = post("/u/models/m/?bulk=true", reply_text=lines)
    assert ask("yhat_bulk", [call], TWO, user="u", model="m", output="p").scores.tolist() == [0.1, 0.2]


def test_09_deepdetect_one_item_is_an_object_and_rows_are_joined_by_uri():
    one = {"uri": "1", "classes": {"prob": 0.75, "cat": "0"}}
    assert ask("deepdetect", [post("/predict", {"body": {"predictions": one}})], ONE).scores.tolist() == [0.75]
    two = [{"uri": uri, "classes": [{"prob": p, "cat": "0"}]} for uri, p in (("2", 0.2), ("1", 0.1))]
    assert ask("deepdetect", [post("/predict", {"body": {"predictions": two}})], TWO).scores.tolist() == [0.1, 0.2]


def test_10_mleap_failure_in_status_200():
    with pytest.raises(InputError, match="an error in status 200: 'key not found: b'"):
        ask("mleap", [post("/models/model/transform", {"status": "STATUS_ERROR", "error": "key not found: b"})], ONE)


def test_10_mleap_columns_are_appended():
    fields = [{"name": "a", "type": "double"}, {"name": "prediction", "type": "double"}]
    reply = {"schema": {"fields": fields}, "rows": [[1.0, 0.25], [2.0, 0.5]]}
    assert ask("mleap", [post("/models/model/transform", reply)], TWO).scores.tolist() == [0.25, 0.5]


def test_10_mleap_encoded_frame_is_read_and_its_failure_too():
    fields = [{"name": "prediction", "type": "double"}, {"name": "???????", "type": "double"}]
    frame = {"schema": {"fields": fields}, "rows": [[0.25, 1.0], [0.5, 1.0]]}
    encoded = base64.b64encode(json.dumps(frame).encode()).decode()
    assert "/" in encoded
    for text in (encoded, encoded.translate(str.maketrans("+/", "-_"))):
        call = post("/models/transform", {"tag": 0, "frame": text})
        assert ask("mleap_encoded", [call], TWO).scores.tolist() == [0.25, 0.5]
    call = post("/models/transform", {"frame": "", "status": "STATUS_ERROR", "error": "key not found: b"})
    with pytest.raises(InputError, match="an error in status 200: 'key not found: b'"):
        ask("mleap_encoded", [call], ONE)


@pytest.mark.parametrize("frame", ["no base64", "T2JqAQQ", "bm8ganNvbg==", "ä"])
def test_10_mleap_frame_in_another_format_says_what_must_be_asked_for(frame):
    with pytest.raises(InputError, match=r"expected JSON in base64 under 'frame'.*must be asked for JSON"):
        ask("mleap_encoded", [post("/models/transform", {"frame": frame})], ONE)


def test_11_openscoring_record_fails_by_itself():
    rows = [{"id": "0", "results": {"p": 0.5}}, {"id": "1", "message": "field a is invalid"}]
    with pytest.raises(InputError, match="row 1: field a is invalid"):
        ask("openscoring", [post("/openscoring/model/model/batch", {"responses": rows})], TWO, output="p")


def test_12_h2o_scores_frames_not_rows_so_the_mojo_is_the_way():
    with pytest.raises(ConfigError, match=r"no route that scores rows.*MOJO"):
        protocol_named("h2o")


@pytest.mark.parametrize(("protocol", "path"), [("azureml", "/score"), ("bentoml", "/predict")])
def test_13_bare_list_is_an_answer(protocol, path):
    assert ask(protocol, [post(path, [0, 2])], TWO).scores.tolist() == [0, 2]


def test_13_azureml_failure_stands_in_a_header():
    call = post("/score", {"message": "An unexpected error occurred"}, headers={"x-ms-run-function-failed": "True"})
    with pytest.raises(InputError, match="an error in status 200: 'An unexpected error occurred'"):
        ask("azureml", [call], ONE)


def test_14_vertex_content_type_does_not_say_json():
    call = post("/predict", {"predictions": [0.5]}, headers={"content-type": "*/*"})
    assert ask("vertex", [call], ONE).scores.tolist() == [0.5]


def test_15_mlflow_gets_exactly_one_key_with_named_columns():
    body = {"dataframe_split": {"columns": ["a"], "data": [[1.0], [2.0]]}}
    assert ask("mlflow", [post("/invocations", {"predictions": [1, 2]}, body=body)], TWO).scores.tolist() == [1, 2]


def test_15_mlflows_version_route_is_not_taken_for_the_models():
    assert ask("mlflow", [get("/ping", reply_text="\n")]) == (True, "")


def test_16_torchserve_503_of_a_handler_is_not_a_server_that_starts():
    reply = {"code": 503, "type": "InternalServerException", "message": "Prediction failed"}
    with pytest.raises(InputError, match="found 503: 'Prediction failed'") as caught:
        ask("torchserve", [post("/predictions/model", reply, 503)], ONE)
    assert not isinstance(caught.value, NotReadyError)


def test_16_torchserve_503_without_workers_is_one_that_may_start():
    reply = {"code": 503, "type": "ServiceUnavailableException", "message": "no worker is available"}
    with pytest.raises(NotReadyError, match="no worker is available"):
        ask("torchserve", [post("/predictions/model", reply, 503)], ONE)


@pytest.mark.parametrize(("state", "ready"), [("READY", True), ("UNLOADED", False)])
def test_16_torchserve_workers_are_asked_on_the_management_port(state, ready):
    with replaying([get("/models/m", [{"modelVersion": "1.0", "workers": [{"status": state}]}])]) as management:
        settings = {"model": "m", "management_port": int(management.rpartition(":")[2])}
        client = Client("http://127.0.0.1:1", protocol_named("torchserve", settings), timeout=5)
        assert client.status() == (ready, "1.0" if ready else "")
        client.close()


def test_17_seldon_unknown_route_is_500_with_the_404_inside():
    reply = {"status": {"code": -1, "info": "404 Not Found", "reason": "MICROSERVICE_INTERNAL_ERROR", "status": 1}}
    with pytest.raises(InputError, match="found 500: '404 Not Found'"):
        ask("seldon", [post("/api/v1.0/predictions", reply, 500)], ONE)


def test_18_feast_error_is_json_in_a_json_text():
    call = post("/get-online-features", status=404, reply_text='"{\\"error\\": \\"no view stats\\"}"')
    with pytest.raises(InputError, match="found 404: 'no view stats'"):
        ask("feast", [call], ONE, feature="stats:rate", output="rate")


def test_18_feast_answers_column_by_column():
    names = {"feature_names": ["driver_id", "rate"]}
    reply = {"metadata": names, "results": [{"values": [1, 2]}, {"values": [0.9, 0.2]}]}
    call = post("/get-online-features", reply, body={"features": ["stats:rate"], "entities": {"driver_id": [1, 2]}})
    answer = ask("feast", [call], {"driver_id": [1, 2]}, feature="stats:rate", output="rate")
    assert answer.scores.tolist() == [0.9, 0.2]


def test_19_doubles_are_sent_and_read_without_loss():
    value = 0.1 + 0.2
    tensor = {"name": "a", "shape": [1, 1], "datatype": "FP64", "data": [value]}
    reply = {"outputs": [{"name": "p", "shape": [1], "data": [0.981656829444016]}]}
    call = post("/v2/models/model/infer", reply, body={"inputs": [tensor]})
    np.testing.assert_array_equal(ask("open_inference", [call], {"a": [value]}).scores, [0.981656829444016])
