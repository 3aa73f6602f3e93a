"""Ray Serve: the team's own route and body; health at the proxy. Its errors are plain text."""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Ray Serve",
    source="ray[serve] 2.60",
    settings={"path": "/", "rows_field": "", "scores_field": "", "version_field": "", "named": True},
    predict="POST {path}",
    body={"{rows_field}": "$rows"},
    scores=["{scores_field}"],
    version=["body:{version_field}"],
    ready=Route(ask="GET /-/healthz"),
    metadata=Route(ask="GET /-/routes"),
)
