"""BentoML services: ``POST /{method}`` with the method's arguments by name; the answer is bare JSON."""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="BentoML",
    source="BentoML 1.4: its generated /docs.json and /schema.json",
    settings={"path": "/predict", "health": "/readyz", "argument": "input_data", "named": False, "scores_field": ""},
    predict="POST {path}",
    body={"{argument}": "$rows"},
    scores=["{scores_field}"],
    live=Route(ask="GET /livez"),
    ready=Route(ask="GET {health}"),
    metadata=Route(ask="GET /schema.json"),
)
