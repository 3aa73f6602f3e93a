"""TensorFlow Serving's REST API, column format: an output alone comes without its name."""

from mltestscore.settings_serving import Protocol

PROTOCOL = Protocol(
    title="TensorFlow Serving, REST, columns",
    source="tensorflow/serving tensorflow_serving/g3doc/api_rest.md",
    base="tensorflow",
    body={"signature_name": "{signature}", "inputs": "$columns"},
    scores=["outputs.{output}"],
    score=[""],
)
