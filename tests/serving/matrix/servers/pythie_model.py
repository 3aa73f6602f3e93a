"""The model as pythie-serving takes it; with a port, its server: TensorFlow Serving's gRPC without TensorFlow."""

import json
import os
import sys

import cloudpickle
from model import NAMES, folder_and_port, trained


class Probabilities:
    """What the server calls ``predict`` of, and which must not need this file."""

    def __init__(self, model):
        self.model = model

    def predict(self, rows):
        return self.model.predict_proba(rows)


CONFIG = 'model_config_list {{ config {{ name: "iris" base_path: "{folder}" model_platform: "sklearn" }} }}'

folder, port = folder_and_port()
cloudpickle.register_pickle_by_value(sys.modules[__name__])
(folder / "iris.pickled").write_bytes(cloudpickle.dumps(Probabilities(trained(folder))))
(folder / "metadata.json").write_text(json.dumps({"feature_names": NAMES}))
(folder / "models.config").write_text(CONFIG.format(folder=folder))
if port:
    words = [str(folder / "models.config"), "--port", str(port), "--maximum-concurrent-rpcs", "-1"]
    os.execv(sys.executable, [sys.executable, "-m", "pythie_serving.run", *words])
