"""Feast's feature server: keys in, features out, column by column; ``output`` is the feature that is the score.

Its errors are JSON in a JSON text. A key without a value gives no number, hence an error here.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Feast feature server",
    source="feast 0.67.0, feast serve, /openapi.json",
    settings={"output": "", "feature_service": "", "feature": ""},
    predict="POST /get-online-features",
    body={"feature_service": "{feature_service}", "features": ["{feature}"], "entities": "$columns"},
    scores=["results[*].values"],
    reading="columns",
    names="metadata.feature_names",
    score=["{output}"],
    ready=Route(ask="GET /health"),
    metadata=Route(ask="GET /openapi.json"),
)
