"""MLeap's Spring Boot server by its route for encoded frames: a leap frame as JSON in base64, both ways.

``ml.combust.mleap.json`` is one of its two formats; the other, ``ml.combust.mleap.binary``, is MLeap's own.
"""

from mltestscore.settings_serving import Protocol

PROTOCOL = Protocol(
    title="MLeap Spring Boot, encoded frames",
    source="combust/mleap mleap_serving_1.0.0_swagger.yaml, JsonScoringController.scala, JsonScoringSpec.scala",
    base="mleap",
    predict="POST /models/transform",
    body={
        "modelName": "{model}",
        "format": "ml.combust.mleap.json",
        "tag": 0,
        "frame": {"$base64": {"schema": {"fields": "$schema"}, "rows": "$lists"}},
    },
    encoded="frame",
    scores=["frame.rows"],
    names="frame.schema.fields[*].name",
)
