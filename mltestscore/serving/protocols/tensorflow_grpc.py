"""TensorFlow Serving over gRPC: ``PredictionService/Predict``, ready by ``ModelService/GetModelStatus``.

The URL is ``grpc://host:8500``, ``grpcs://`` under TLS. A signature's inputs have types that are not converted:
``datatype`` names that of the numbers, such as FP32 (DT_FLOAT), which is what most models take. ``flat = false``: each
feature in a column of shape (rows, 1), as Keras has it; ``tensor``: all features in one of shape (rows, features).
``output``: the one that is the score, where the signature has several. A missing number is NaN; ``missing_text``: what
stands for a missing text, for which a tensor has nothing.
"""

from mltestscore.settings_serving import Protocol, Route

SPEC = {
    "name": "{model}",
    "version": "{model_version}",
    "version_label": "{version_label}",
    "signature_name": "{signature}",
}

PROTOCOL = Protocol(
    title="TensorFlow Serving, gRPC",
    source="tensorflow/serving tensorflow_serving/apis/prediction_service.proto, model_service.proto",
    settings={
        "model": "model",
        "model_version": "",
        "version_label": "",
        "signature": "",
        "tensor": "",
        "datatype": "",
        "flat": True,
        "missing_text": "",
        "output": "",
    },
    messages="tensorflow_serving",
    predict="CALL /tensorflow.serving.PredictionService/Predict",
    body={"model_spec": SPEC, "inputs": "$named_tensors", "output_filter": ["{output}"]},
    scores=["outputs.{output}"],
    reading="tensor",
    version=["body:model_spec.version"],
    model_ready=Route(
        ask="CALL /tensorflow.serving.ModelService/GetModelStatus",
        body={"model_spec": {key: value for key, value in SPEC.items() if key != "signature_name"}},
        where=["model_version_status[*].state"],
        values=["AVAILABLE"],
        version="model_version_status[state=AVAILABLE].version",
    ),
    metadata=Route(
        ask="CALL /tensorflow.serving.PredictionService/GetModelMetadata",
        body={"model_spec": SPEC, "metadata_field": ["signature_def"]},
    ),
)
