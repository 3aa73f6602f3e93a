"""MXNet's Multi Model Server: as TorchServe, but models have no version."""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Multi Model Server",
    source="multi-model-server 1.1.11",
    base="torchserve",
    predict="POST /predictions/{model}",
    model_ready=Route(
        ask="GET :{management_port}/models/{model}",
        where=["[*].workers[*].status", "workers[*].status"],
        values=["READY"],
    ),
    admin={"load": "POST :{management_port}/models", "unload": "DELETE :{management_port}/models/{model}"},
)
