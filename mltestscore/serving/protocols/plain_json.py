"""Plain JSON: ``POST /predict`` with ``{"rows": [{…}]}``, answered by ``{"scores": […], "version": "…"}``.

The usual shape of a hand-written Flask or FastAPI server; path and names are settings, dotted for nested ones in
answers. An empty name of rows or scores means that the body is the list.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="plain JSON (Flask, FastAPI)",
    source="ours; every name in it is a setting",
    settings={
        "path": "/predict",
        "rows_field": "rows",
        "scores_field": "scores",
        "version_field": "version",
        "health": "",
        "named": True,
    },
    predict="POST {path}",
    body={"{rows_field}": "$rows"},
    scores=["{scores_field}"],
    version=["body:{version_field}"],
    ready=Route(ask="GET {health}", version="{version_field}"),
)
