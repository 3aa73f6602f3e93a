"""Openscoring: PMML served; a record has an id, and fails by itself in an answer of HTTP status 200.

``output`` is the result that is the score, for example ``Probability_setosa``.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="Openscoring",
    source="openscoring/openscoring README and openscoring-service/src/etc",
    settings={"model": "model", "output": ""},
    predict="POST /openscoring/model/{model}/batch",
    body={"id": "mltestscore", "requests": {"$each": {"id": "$index", "arguments": "$object"}}},
    scores=["responses"],
    key="id",
    score=["results.{output}"],
    model_ready=Route(ask="GET /openscoring/model/{model}"),
    metadata=Route(ask="GET /openscoring/model/{model}"),
    failures=[Failure(where="row:message", message="message")],
    admin={"load": "PUT /openscoring/model/{model}", "unload": "DELETE /openscoring/model/{model}"},
)
