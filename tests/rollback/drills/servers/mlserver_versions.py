"""Two versions of a model in folders of their own, and MLServer's folder with a link to the second."""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

folder, *ports = Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:5])
rows = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 3.0]])
for version, slopes in {"1": (1.0, 1.0), "2": (1.0, -2.0)}.items():
    place = folder / "versions" / version
    place.mkdir(parents=True)
    joblib.dump(LinearRegression().fit(rows, rows @ np.array(slopes)), place / "model.joblib")
    settings = {
        "name": "line",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"version": version, "uri": "./model.joblib"},
    }
    (place / "model-settings.json").write_text(json.dumps(settings))
(folder / "models").mkdir()
(folder / "models" / "line").symlink_to("../versions/2")
server = dict(zip(("http_port", "grpc_port", "metrics_port"), ports, strict=True))
(folder / "models" / "settings.json").write_text(json.dumps({"host": "127.0.0.1", **server, "parallel_workers": 0}))
