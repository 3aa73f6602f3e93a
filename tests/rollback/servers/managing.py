"""A staging server that manages its own versions as TorchServe does, over its routes; behind waitress.

Arguments: port, the versions that are registered (the first is the default), seconds until a worker has loaded the
model, behaviour. A version's model is a line with the version's number as its slope. As with TorchServe, registering
with workers takes until they are ready and holds up requests of one thread; starting them afterwards does not.
"""

import sys
import time

import waitress
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

port, names, seconds, behaviour = sys.argv[1], sys.argv[2].split(","), float(sys.argv[3]), sys.argv[4]
app = Flask(__name__)
registered = {name: f"line-{name}.mar" for name in names}
default = {"version": names[0]}
closed, ready = {"until": 0.0}, dict.fromkeys(names, 0.0)


@app.get("/models/line")
def described() -> ResponseReturnValue:
    return jsonify([{"modelName": "line", "modelVersion": default["version"]}])


@app.get("/models/line/all")
def listed() -> ResponseReturnValue:
    return jsonify([{"modelName": "line", "modelVersion": name} for name in registered])


@app.post("/models")
def register() -> ResponseReturnValue:
    if behaviour == "no model api":
        return jsonify(code=405, type="MethodNotAllowedException", message="Requested method is not allowed"), 405
    version = request.args["url"].removeprefix("line-").removesuffix(".mar")
    if request.args["initial_workers"] != "0":
        closed["until"] = ready[version] = time.monotonic() + seconds
        time.sleep(seconds)
    registered[version] = request.args["url"]
    return jsonify(status="registered")


@app.put("/models/line/<version>")
def start_workers(version: str) -> ResponseReturnValue:
    ready[version] = time.monotonic() + seconds
    return jsonify(status="Processing worker updates..."), 202


@app.get("/models/line/<version>")
def workers(version: str) -> ResponseReturnValue:
    status = "READY" if time.monotonic() > ready.get(version, float("inf")) else "UNLOADED"
    return jsonify([{"modelVersion": version, "workers": [{"id": "9000", "status": status}]}])


@app.put("/models/line/<version>/set-default")
def set_default(version: str) -> ResponseReturnValue:
    if version not in registered:
        return jsonify(code=404, type="ModelVersionNotFoundException", message=f"no {version}"), 404
    default["version"] = version
    return jsonify(status="default")


@app.delete("/models/line/<version>")
def unregister(version: str) -> ResponseReturnValue:
    return jsonify(status="unregistered") if registered.pop(version, "") else (jsonify(code=404), 404)


@app.post("/predictions/line")
def predict() -> ResponseReturnValue:
    if request.get_json()[0]["x"] > 1:  # of the connections, those that one thread has
        time.sleep(max(0.0, closed["until"] - time.monotonic()))
    return jsonify([row["x"] * float(default["version"]) for row in request.get_json()])


if __name__ == "__main__":
    waitress.serve(app, host="127.0.0.1", port=int(port), threads=40)
