"""A model in MLflow's format with a signature of named columns; `mlflow models serve` serves it."""

import mlflow.pyfunc
import pandas as pd
from mlflow.models import infer_signature
from model import NAMES, folder_and_port, trained


class Probabilities(mlflow.pyfunc.PythonModel):
    def __init__(self, model):
        self.model = model

    def predict(self, context, model_input, params=None):
        return self.model.predict_proba(model_input.to_numpy())


folder, _ = folder_and_port()
model = trained(folder)
sample = pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=NAMES)
mlflow.pyfunc.save_model(
    str(folder / "model"),
    python_model=Probabilities(model),
    signature=infer_signature(sample, model.predict_proba(sample.to_numpy())),
    pip_requirements=[],
)
