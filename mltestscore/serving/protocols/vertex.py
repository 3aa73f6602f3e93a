"""The contract of a Vertex AI container (``AIP_PREDICT_ROUTE``), and of the endpoint in front of it.

The container answers with content type ``*/*``. The endpoint's answer names the model version.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Vertex AI",
    source="google-cloud-aiplatform 2.7.0, prediction; Vertex AI, endpoints.predict",
    settings={"path": "/predict", "health": "/health", "named": False, "output": ""},
    predict="POST {path}",
    body={"instances": "$rows"},
    scores=["predictions"],
    score=["{output}"],
    version=["body:modelVersionId", "body:deployedModelId"],
    ready=Route(ask="GET {health}"),
)
