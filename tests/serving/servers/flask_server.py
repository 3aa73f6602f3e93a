"""A sound server as teams write it: Flask behind waitress. Arguments: port, model version, milliseconds of work."""

import sys
import time

import waitress
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

port, version, work = sys.argv[1:4] if __name__ == "__main__" else ("0", "1", "0")
app = Flask(__name__)


@app.post("/predict")
def predict() -> ResponseReturnValue:
    time.sleep(float(work) / 1000)
    return jsonify(scores=[row["a"] / 10 for row in request.get_json()["rows"]], version=version)


@app.get("/health")
def health() -> ResponseReturnValue:
    return jsonify(status="ok")


if __name__ == "__main__":
    waitress.serve(app, host="127.0.0.1", port=int(port), threads=4)
