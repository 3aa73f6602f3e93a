"""A registered model in MLflow on SQLite: two versions with what made each of them, and the alias on the second."""

import sys
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import infer_signature


class Line(mlflow.pyfunc.PythonModel):
    def __init__(self, slope):
        self.slope = slope

    def predict(self, context, model_input, params=None):
        return pd.DataFrame({"score": model_input["a"] + self.slope * model_input["b"]})


folder = Path(sys.argv[1]).resolve()
mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
mlflow.set_experiment(experiment_id=mlflow.create_experiment("line", artifact_location=(folder / "runs").as_uri()))
rows = pd.DataFrame({"a": [0.5, 1.0], "b": [0.25, 3.0]})
for slope in (1.0, -2.0):
    with mlflow.start_run():
        model = Line(slope)
        mlflow.pyfunc.log_model(
            name="model",
            python_model=model,
            signature=infer_signature(rows, model.predict(None, rows)),
            pip_requirements=[],
            registered_model_name="line",
        )
mlflow.MlflowClient().set_registered_model_alias("line", "champion", "2")
