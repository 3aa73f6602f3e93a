"""TorchServe: versions are registered beside each other, and one of them is the default.

With ``archive``, a version that is not registered is registered first, and unregistered after the drill; without it,
the drill goes back to one that is registered already. Workers are started after registering, not by it: a request that
registers with workers holds up a thread that answers other requests, until they have loaded the model.
"""

from mltestscore.settings_servers import Asked, Operations, Step
from mltestscore.settings_serving import Route

READY = Route(ask="GET /models/{model}/{version}", where=["[*].workers[*].status"], values=["READY"])

OPERATIONS = Operations(
    title="TorchServe",
    source="torchserve 0.12.0, docs/management_api.md",
    protocol="torchserve",
    settings={"archive": "", "workers": 1},
    management=":8081",
    current=Asked(ask="GET /models/{model}", where=["[*].modelVersion"]),
    versions=Asked(ask="GET /models/{model}/all", where=["[*].modelVersion"]),
    promote=[
        Step(ask="POST /models?url={archive}&model_name={model}&initial_workers=0", unless_loaded=True),
        Step(ask="PUT /models/{model}/{version}?min_worker={workers}", unless_loaded=True, until=READY),
        Step(ask="PUT /models/{model}/{version}/set-default"),
    ],
    tidy=[Step(ask="DELETE /models/{model}/{version}", allow=[404])],
    waits="TorchServe holds up a thread that answers requests while it registers a version with its workers",
    hints={"405": "write enable_model_api=true in its config.properties, which lets versions be registered"},
)
