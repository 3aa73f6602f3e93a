"""Skymind's SKIL: an array in, an array out, in row order (``c``) or column order (``f``).

``token_variable`` holds what ``POST /login`` gave. The version asked for is the model's version name.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Skymind SKIL",
    source="skil-client 1.2.2, DefaultApi and INDArray",
    settings={"deployment": "deployment", "model": "model", "model_version": "default"},
    predict="POST /endpoints/{deployment}/model/{model}/{model_version}/predict",
    body={
        "id": "mltestscore",
        "needsPreProcessing": False,
        "prediction": {"ordering": "c", "shape": "$shape", "data": "$flat"},
    },
    scores=["prediction"],
    reading="tensor",
    metadata=Route(ask="GET /endpoints/{deployment}/model/{model}/{model_version}/meta"),
)
