"""TorchServe: versions are registered beside each other, and one of them is the default.

With ``archive``, a version that is not registered is registered first, and unregistered after the drill; without it,
the drill goes back to one that is registered already.
"""

from mltestscore.settings_servers import Asked, Operations, Step

OPERATIONS = Operations(
    title="TorchServe",
    source="torchserve 0.12.0, docs/management_api.md",
    protocol="torchserve",
    settings={"archive": "", "workers": 1, "synchronous": "true"},
    management=":8081",
    current=Asked(ask="GET /models/{model}", where=["[*].modelVersion"]),
    versions=Asked(ask="GET /models/{model}/all", where=["[*].modelVersion"]),
    promote=[
        Step(
            ask="POST /models?url={archive}&model_name={model}&initial_workers={workers}&synchronous={synchronous}",
            unless_loaded=True,
        ),
        Step(ask="PUT /models/{model}/{version}/set-default"),
    ],
    tidy=[Step(ask="DELETE /models/{model}/{version}", allow=[404])],
    waits="while TorchServe registers a version with its workers, a thread that answers requests is held up",
    hints={"405": "write enable_model_api=true in its config.properties, which lets versions be registered"},
)
