"""Multi Model Server: one archive a model, which is unregistered before another takes its place: no hot swap.

A version is the name of its archive, such as ``iris-1.mar``; the server knows the one in service alone, so ``previous``
must be written.
"""

from mltestscore.settings_servers import Asked, Operations, Step

OPERATIONS = Operations(
    title="Multi Model Server",
    source="multi-model-server 1.1.11, docs/management_api.md",
    protocol="multi_model_server",
    settings={"workers": 1},
    management=":8081",
    current=Asked(ask="GET /models/{model}", where=["modelUrl", "[*].modelUrl"], absent=[404]),
    versions=Asked(ask="GET /models/{model}", where=["modelUrl", "[*].modelUrl"], absent=[404]),
    promote=[
        Step(ask="DELETE /models/{model}", allow=[404]),
        Step(ask="POST /models?url={version}&model_name={model}&initial_workers={workers}&synchronous=true"),
    ],
    waits="Multi Model Server has no versions: the model is gone until its other archive is registered",
)
