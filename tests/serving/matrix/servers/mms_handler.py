"""A handler of the Multi Model Server: JSON in, JSON out."""

import json
from pathlib import Path

import joblib

model = None


def handle(data, context):
    global model  # noqa: PLW0603 - what the server calls is a function
    if model is None:
        model = joblib.load(Path(context.system_properties["model_dir"]) / "model.joblib")
    if not data:
        return None
    body = data[0].get("body") or data[0].get("data")
    rows = json.loads(body) if isinstance(body, str | bytes | bytearray) else body
    return [model.predict_proba(rows).tolist()]
