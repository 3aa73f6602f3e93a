"""LitServe: ``POST /predict``, one row a request by default; what the team's API decodes and encodes."""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="LitServe",
    source="litserve 0.2.19",
    settings={"path": "/predict", "field": "input", "named": False, "scores_field": "output"},
    predict="POST {path}",
    body={"{field}": "$row"},
    batch=1,
    scores=["{scores_field}"],
    version=["metadata:model.version"],
    ready=Route(ask="GET /health"),
    metadata=Route(ask="GET /info"),
)
