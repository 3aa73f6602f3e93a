"""KServe's V1 protocol: TensorFlow Serving's predict route, but its own status bodies."""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="KServe V1",
    source="kserve/website docs, V1 protocol; kserve 0.21.0",
    settings={"model": "model", "named": True, "output": ""},
    predict="POST /v1/models/{model}:predict",
    body={"instances": "$rows"},
    scores=["predictions"],
    score=["{output}"],
    live=Route(ask="GET /", where=["status"], values=["alive"]),
    model_ready=Route(ask="GET /v1/models/{model}", where=["ready"], values=["true"]),
    metadata=Route(ask="GET /v1/models"),
)
