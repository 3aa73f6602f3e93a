"""The Open Inference Protocol (V2) of Triton, KServe and MLServer: ``POST /v2/models/{model}[/versions/{v}]/infer``.

Requests may nest their data, answers come flat with a shape. Bodies of the readiness routes differ (``{}``, empty,
``{"ready": true}``), so the HTTP status counts unless the body denies it. Numbers go out as FP64 and INT64, text as
BYTES; ``datatype`` is for a model that declares another, such as FP32. ``tensor``: the name of one input of shape
(rows, features) in place of one of shape (rows, 1) per feature. ``output``: the one to ask for and read (MLServer
needs ``"predict_proba"`` for probabilities); unset: the first.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Open Inference Protocol V2",
    source="kserve/open-inference-protocol specification/protocol/inference_rest.md",
    settings={"model": "model", "model_version": "", "tensor": "", "datatype": "", "output": ""},
    predict="POST /v2/models/{model}[/versions/{model_version}]/infer",
    body={"inputs": "$tensors", "outputs": [{"name": "{output}"}]},
    scores=["outputs[name={output}]"],
    reading="tensor",
    version=["body:model_version"],
    live=Route(ask="GET /v2/health/live", where=["live"], unless=["false"]),
    ready=Route(ask="GET /v2/health/ready", where=["ready"], unless=["false"]),
    model_ready=Route(ask="GET /v2/models/{model}[/versions/{model_version}]/ready", where=["ready"], unless=["false"]),
    metadata=Route(ask="GET /v2/models/{model}[/versions/{model_version}]"),
    admin={
        "load": "POST /v2/repository/models/{model}/load",
        "unload": "POST /v2/repository/models/{model}/unload",
        "list_versions": "POST /v2/repository/index",
    },
)
