"""A staging server as teams write it: Flask behind waitress, serving what a folder of versions or MLflow points to.

Arguments: port, registry (a folder, or ``sqlite:///file`` with ``name@alias``), behaviour. A version is a model
(a slope) and its encoder (a code a letter). ``POST /reload`` loads the version that the registry names now.
"""

import json
import sys
import threading
import time
from pathlib import Path

import waitress
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

port, registry, behaviour = sys.argv[1:4] if __name__ == "__main__" else ("0", ".", "")
app = Flask(__name__)
served: dict = {}
first: dict = {}
closed, asked, gate = {"until": 0.0}, {"times": 0}, threading.Lock()


def pointed_to() -> str:
    if not registry.startswith("sqlite:"):
        return Path(registry, "current").read_text().strip()
    from mlflow import MlflowClient

    uri, name, alias = registry.split(" ")
    return str(MlflowClient(tracking_uri=uri).get_registered_model(name).aliases[alias])


def artefact(version: str, name: str) -> dict:
    if not registry.startswith("sqlite:"):
        return json.loads(Path(registry, version, name).read_text())
    return {"slope": float(version)} if name == "model.json" else {"a": 1.0, "b": int(version)}


def load() -> None:
    version = pointed_to()
    model = artefact(version, "model.json")
    encoder = artefact(version, "encoder.json")
    if behaviour == "encoder stays" and served:
        encoder = served["encoder"]
    served.update(version=version, model=model, encoder=encoder)
    if not first:
        first.update(served)


@app.post("/reload")
def reload() -> ResponseReturnValue:
    if behaviour.startswith("sleeps"):
        time.sleep(float(behaviour.split()[1]))
    if behaviour.startswith("holds"):
        with gate:
            time.sleep(float(behaviour.split()[1]))
    if behaviour.startswith("closes"):
        closed["until"] = time.monotonic() + float(behaviour.split()[1])
    if behaviour != "frozen":
        load()
    return jsonify(status="ok")


@app.post("/predict")
def predict() -> ResponseReturnValue:
    asked["times"] += 1
    with gate:
        pass
    now = dict(first if behaviour == "one in ten stays" and asked["times"] % 10 == 0 else served)
    if time.monotonic() < closed["until"]:
        return jsonify(error="loading"), 503
    slope, encoder = now["model"]["slope"], now["encoder"]
    scores = [row["x"] * slope + encoder[row["letter"]] for row in request.get_json()["rows"]]
    if behaviour == "rounds":
        scores = [round(score, 1) for score in scores]
    return jsonify(scores=scores) if behaviour == "unnamed" else jsonify(scores=scores, version=now["version"])


def follow() -> None:
    while True:
        time.sleep(0.1)
        if pointed_to() != served["version"]:
            load()


if __name__ == "__main__":
    load()
    if behaviour == "follows":
        threading.Thread(target=follow, daemon=True).start()
    waitress.serve(app, host="127.0.0.1", port=int(port), threads=4)
