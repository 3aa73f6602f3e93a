"""MLServer's folder: one model in two versions, told apart by their answers; `mlserver start` serves it."""

import json

import joblib
from model import folder_and_port, trained
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier

folder, port = folder_and_port()
models = {"v1": DummyClassifier().fit(*load_iris(return_X_y=True)), "v2": trained(folder)}
for version, model in models.items():
    place = folder / "models" / version
    place.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, place / "model.joblib")
    settings = {
        "name": "iris",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"version": version, "uri": "./model.joblib"},
    }
    (place / "model-settings.json").write_text(json.dumps(settings))
if port:
    import os
    import sys
    from pathlib import Path

    ports = {"http_port": port, "grpc_port": int(sys.argv[3]), "metrics_port": int(sys.argv[4])}
    server = {"host": "127.0.0.1", **ports, "parallel_workers": 0}
    (folder / "models" / "settings.json").write_text(json.dumps(server))
    program = str(Path(sys.executable).with_name("mlserver"))
    os.execv(program, [program, "start", str(folder / "models")])
