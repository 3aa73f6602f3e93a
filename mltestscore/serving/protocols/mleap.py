"""MLeap's Spring Boot server: a leap frame in, the same with columns appended out.

``output`` is the column that holds the score. A failure is ``STATUS_ERROR`` in HTTP status 200. A server that takes
encoded frames only is spoken to by ``mleap_encoded``.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="MLeap Spring Boot",
    source="combust/mleap mleap_serving_1.0.0_swagger.yaml",
    settings={"model": "model", "output": "prediction"},
    predict="POST /models/{model}/transform",
    body={"schema": {"fields": "$schema"}, "rows": "$lists"},
    scores=["rows"],
    names="schema.fields[*].name",
    score=["{output}"],
    ready=Route(ask="GET /actuator/health", where=["status"], unless=["DOWN", "OUT_OF_SERVICE"]),
    model_ready=Route(ask="GET /models/{model}/meta"),
    metadata=Route(ask="GET /models/{model}/meta"),
    failures=[Failure(where="body:status", values=["STATUS_ERROR"], message="error")],
    admin={"load": "POST /models", "unload": "DELETE /models/{model}"},
)
