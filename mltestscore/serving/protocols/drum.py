"""DataRobot's open custom-model server: CSV as a file named ``X``, paths with a slash at their end.

JSON is refused. Probabilities come by label, rounded to ten decimals.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="DataRobot DRUM",
    source="datarobot-drum 1.18.1, drum server",
    predict="POST /predict/",
    format="multipart",
    part="X",
    scores=["predictions"],
    live=Route(ask="GET /ping/"),
    ready=Route(ask="GET /health/"),
    metadata=Route(ask="GET /info/"),
)
