"""DeepDetect: ``POST /predict`` with CSV lines; ``model`` is the service's name.

One prediction is an object, several are a list, and likewise classes. Rows come back in another order: each is
joined by its ``uri``, which counts them from 1.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="DeepDetect",
    source="jolibrain/deepdetect docs/api.md and src/csvinputfileconn.cc",
    settings={"model": "model", "best": 1000},
    predict="POST /predict",
    body={
        "service": "{model}",
        "parameters": {"input": {}, "mllib": {}, "output": {"best": "{best}"}},
        "data": "$csv",
    },
    scores=["body.predictions"],
    key="uri",
    score=["classes", "vector"],
    pair=("cat", "prob"),
    live=Route(ask="GET /info"),
    model_ready=Route(ask="GET /services/{model}", where=["status.code"], values=["200"]),
    metadata=Route(ask="GET /services/{model}"),
    failures=[Failure(where="body:status.code", unless=["200", "201"], message="status.dd_msg")],
)
