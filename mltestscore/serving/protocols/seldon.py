"""Seldon Core v1: names and an array, both ways.

A failure says so in ``status``; an unknown route is HTTP status 500 with the 404 inside.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="Seldon Core v1",
    source="seldon-core 1.18.2, SeldonMessage",
    settings={"path": "/api/v1.0/predictions", "health": "/health/ping"},
    predict="POST {path}",
    body={"data": {"names": "$names", "ndarray": "$lists"}},
    scores=["data.ndarray"],
    ready=Route(ask="GET {health}"),
    metadata=Route(ask="GET /metadata"),
    failures=[Failure(where="body:status.status", values=["1", "FAILURE"], message="status.info")],
)
