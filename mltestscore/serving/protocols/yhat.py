"""Y-Hat ScienceOps: one row a call to ``/{user}/models/{model}/``; the answer names the version.

``output`` is the result's field that is the score. ``token_variable`` holds the whole header (``Basic …``).
"""

from mltestscore.settings_serving import Failure, Protocol

PROTOCOL = Protocol(
    title="Y-Hat ScienceOps",
    source="docs.yhat.com, ScienceOps: making predictions, REST API",
    settings={"user": "", "model": "model", "output": ""},
    predict="POST /{user}/models/{model}/",
    body="$object",
    batch=1,
    score=["result.{output}"],
    version=["body:version"],
    failures=[Failure(where="body:error")],
)
