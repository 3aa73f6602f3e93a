"""A function or a model's file that the application calls as a library: ``url = "python:package.module:predict"``.

``rows`` is what the function takes: ``frame`` (pandas), ``array`` (float64, in the order of the features), ``objects``
(a dict a row), ``object`` (one dict, a call for each row). ``threads``: how many calls at once, as the application has;
one is the main thread. It returns one score a row, or ``{"scores": …, "version": …}``, of which ``scores_field`` and
``version_field`` are the names; ``version`` names what else tells the version: ``package.module:VERSION``, a text or a
function; without it, ``version`` of the function or of the object it belongs to.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="a function or a model's file, called in a process of its own",
    source="ours",
    settings={
        "rows": "frame",
        "threads": 1,
        "version": "",
        "scores_field": "scores",
        "version_field": "version",
    },
    predict="APPLY predict",
    body={
        "rows": "{rows}",
        "columns": "$columns",
        "schema": "$schema",
        "times": "$times",
    },
    scores=["{scores_field}", "scores"],
    version=["body:{version_field}", "body:version"],
    model_ready=Route(ask="APPLY version", version="version"),
)
