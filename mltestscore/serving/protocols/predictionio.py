"""PredictionIO: ``POST /queries.json``, one query a call; ``output`` is the result's field that is the score.

The engine that answers cannot be chosen. Its health is a page, and its errors are text.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="PredictionIO",
    source="apache/predictionio CreateServer.scala and the classification quick start",
    settings={"output": "label"},
    predict="POST /queries.json",
    body="$object",
    batch=1,
    score=["{output}"],
    ready=Route(ask="GET /"),
    metadata=Route(ask="GET /plugins.json"),
    admin={"reload": "POST /reload"},
)
