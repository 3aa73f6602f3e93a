"""DataRobot's prediction API: records in, one entry a row out, joined by ``rowId``.

Class probabilities are pairs of label and value. ``model`` is the deployment's id; ``key_variable`` names the
environment variable that holds the ``DataRobot-Key`` of managed clouds.
"""

from mltestscore.settings_serving import Protocol

PROTOCOL = Protocol(
    title="DataRobot",
    source="DataRobot documentation, prediction API: making predictions",
    settings={"model": "", "path": "/predApi/v1.0/deployments", "key_variable": ""},
    predict="POST {path}/{model}/predictions",
    body="$objects",
    secrets={"datarobot-key": "{key_variable}"},
    scores=["data"],
    key="rowId",
    score=["predictionValues", "prediction"],
)
