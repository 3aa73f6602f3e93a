"""Y-Hat ScienceOps in bulk: a line a row both ways; lines come back in any order, joined by ``bulk_id``."""

from mltestscore.settings_serving import Failure, Protocol

PROTOCOL = Protocol(
    title="Y-Hat ScienceOps, bulk",
    source="docs.yhat.com, ScienceOps: making predictions, bulk API",
    base="yhat",
    predict="POST /{user}/models/{model}/?bulk=true",
    format="ndjson",
    accept="application/x-ndjson",
    answer="ndjson",
    batch=0,
    scores=[""],
    key="bulk_id",
    version=["row:version"],
    failures=[Failure(where="row:error", message="error")],
)
