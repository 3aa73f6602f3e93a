"""TensorFlow Serving's REST API, row format: ``POST /v1/models/{model}[/versions/{version}]:predict``.

It reads and writes the tokens NaN and Infinity, reports versions as texts (int64 in JSON) and has no health route:
``GET /v1/models/{model}`` with a version in state AVAILABLE is its sign of readiness. KServe's V1 servers, whose status
says ``{"ready": true}``, are understood too. ``label``s of versions: ``version_label``. ``output``: the one that is the
score, where the signature has several. ``named = false``: rows as lists in the features' order.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="TensorFlow Serving, REST, rows",
    source="tensorflow/serving tensorflow_serving/g3doc/api_rest.md",
    settings={
        "model": "model",
        "model_version": "",
        "version_label": "",
        "named": True,
        "signature": "",
        "output": "",
    },
    predict="POST /v1/models/{model}[/versions/{model_version}][/labels/{version_label}]:predict",
    body={"signature_name": "{signature}", "instances": "$rows"},
    scores=["predictions"],
    score=["{output}"],
    model_ready=Route(
        ask="GET /v1/models/{model}[/versions/{model_version}][/labels/{version_label}]",
        where=["model_version_status[*].state", "ready"],
        values=["AVAILABLE", "true"],
        version="model_version_status[state=AVAILABLE].version",
    ),
    metadata=Route(ask="GET /v1/models/{model}[/versions/{model_version}][/labels/{version_label}]/metadata"),
)
