"""TorchServe: ``POST /predictions/{model}[/{version}]``; body and answer are the handler's.

A handler's exception is HTTP status 503, and ``/ping`` says Healthy while every worker is dead: with
``management_port`` the workers are asked, and the probe prediction decides in any case.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="TorchServe",
    source="torchserve 0.12.0",
    settings={"model": "model", "model_version": "", "named": False, "management_port": None, "output": ""},
    predict="POST /predictions/{model}[/{model_version}]",
    scores=["predictions", ""],
    score=["{output}"],
    ready=Route(ask="GET /ping", where=["status"], unless=["Unhealthy", "Partial Healthy"]),
    model_ready=Route(
        ask="GET :{management_port}/models/{model}[/{model_version}]",
        where=["[*].workers[*].status"],
        values=["READY"],
        version="[*].modelVersion",
    ),
    failures=[Failure(where="body:type", values=["InternalServerException"], message="message")],
    admin={
        "list_versions": "GET :{management_port}/models/{model}/all",
        "set_version": "PUT :{management_port}/models/{model}/{model_version}/set-default",
    },
)
