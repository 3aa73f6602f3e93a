"""Clipper's query frontend: ``POST /{app}/predict``.

A batch of one comes back unwrapped; outputs are texts that hold JSON. A missed deadline is HTTP status 200 with
``"default": true``: the model did not answer. ``model`` is the application's name.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="Clipper",
    source="ucbrise/clipper src/frontends/src/query_frontend.hpp and management_frontend.hpp",
    settings={"model": "model", "model_version": "", "named": False, "management_port": None},
    predict="POST /{model}/predict",
    body={"input_batch": "$rows", "version": "{model_version}"},
    scores=["batch_predictions", ""],
    score=["output"],
    ready=Route(ask="GET /metrics"),
    failures=[
        Failure(where="row:default", values=["true"], message="default_explanation", degraded=True),
        Failure(where="body:error", message="cause"),
    ],
    admin={
        "list_versions": "POST :{management_port}/admin/get_all_models",
        "set_version": "POST :{management_port}/admin/set_model_version",
    },
)
