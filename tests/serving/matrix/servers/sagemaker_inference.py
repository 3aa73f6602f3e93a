"""A SageMaker inference script, by the names that the toolkit asks for."""

from pathlib import Path

import joblib
import numpy as np


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def predict_fn(data, model):
    return model.predict_proba(np.atleast_2d(data))
