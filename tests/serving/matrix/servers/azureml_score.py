"""A scoring script of AzureML; `azmlinfsrv` serves it."""

import json
import os
from pathlib import Path

import joblib

model = None


def init():
    global model  # noqa: PLW0603 - what the server calls is a function
    model = joblib.load(Path(os.environ["AZUREML_MODEL_DIR"]) / "model.joblib")


def run(raw_data):
    return model.predict_proba(json.loads(raw_data)["data"]).tolist()
