"""A server on the standard library that misbehaves on request. Arguments: port, behaviour, model version.

Many behaviours cost nothing to start here; the sound look of a real framework is ``flask_server.py``'s job.
"""

import itertools
import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, behaviour, version = [*sys.argv[1:], "1"][:3] if __name__ == "__main__" else ("0", "sound", "1")
gate = threading.Lock()
counter = itertools.count(1)
kept: list[bytes] = []
started = time.monotonic()


def answer(rows: int) -> tuple[int, bytes]:
    """Return status and body of the prediction for so many rows."""
    sound = json.dumps({"scores": [0.5] * rows, "version": version}).encode()
    return {
        "error 500": (500, b'{"error": "the model fell over"}'),
        "error in 200": (200, b'{"error": "no such feature"}'),
        "garbage": (200, b"\x00\xff garbage"),
        "html": (200, b"<!doctype html><title>Sign in</title>"),
        "nan": (200, json.dumps({"scores": [float("nan")] * rows}).encode()),
        "one too few": (200, json.dumps({"scores": [0.5] * (rows - 1)}).encode()),
        "counts": (200, json.dumps({"scores": [0.5] * rows, "work": {"rows": 3}}).encode()),
        "debugs": (200, json.dumps({"scores": [0.5] * rows, "trace": "x" * 20_000}).encode()),
        "full digits": (200, json.dumps({"scores": [1 / 3] * rows, "version": f"{version}.0-nightly"}).encode()),
        "many classes": (200, json.dumps({"scores": [chances(version)] * rows}).encode()),
        "request ids": (200, json.dumps({"scores": [0.5] * rows, "id": "x" * random.randint(1, 3_000)}).encode()),
        "words": (200, json.dumps({"scores": ["high"] * rows}).encode()),
        "busy at first": (200, sound) if time.monotonic() - started > 0.6 else (503, b"loading"),
    }.get(behaviour, (200, sound))


def chances(seed: str) -> list[float]:
    """Return a long vector of class probabilities with all their digits, another for each version."""
    drawn = random.Random(seed)
    return [drawn.random() / 500 for _ in range(1_000)]


def misbehave() -> None:
    """Wait, stall, leak or end as the behaviour says."""
    number = next(counter)
    if behaviour == "hangs":
        time.sleep(60)
    elif behaviour == "10 ms one at a time":
        with gate:
            time.sleep(0.01)
    elif behaviour == "10 ms":
        time.sleep(0.01)
    elif behaviour == "pauses":
        with gate:
            if number % 100 == 0:
                time.sleep(0.2)
    elif behaviour == "allocates":
        bytearray(10_000_000)
    elif behaviour == "slower":
        time.sleep(0.004)
    elif behaviour == "counts":
        kept.append(b"")
    elif behaviour == "leaks" or (behaviour.startswith("caches") and number <= int(behaviour.split()[1])):
        kept.append(b"x" * 20_000)


class Handler(BaseHTTPRequestHandler):
    """Speaks plain JSON, and both TensorFlow Serving's and the Open Inference Protocol."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        misbehave()
        if self.path == "/secret" and self.headers["authorization"] != "Bearer open-sesame":
            self.reply(401, b'{"error": "who are you?"}')
        elif self.path == "/v1/models/iris:predict":
            self.reply(200, json.dumps({"predictions": [[row["a"]] for row in body["instances"]]}).encode())
        elif self.path == "/v2/models/iris/infer":
            rows = body["inputs"][0]["shape"][0]
            tensor = {"name": "p", "shape": [rows, 2], "datatype": "FP64", "data": [0.25, 0.75] * rows}
            self.reply(200, json.dumps({"model_name": "iris", "model_version": "2", "outputs": [tensor]}).encode())
        else:
            self.reply(*answer(len(body["rows"])))
        if behaviour == "closes idle connections":
            self.close_connection = True

    def do_GET(self) -> None:
        states = [{"version": v, "state": s} for v, s in (("9", "AVAILABLE"), ("10", "AVAILABLE"), ("11", "LOADING"))]
        bodies = {"/v1/models/iris": {"model_version_status": states}, "/v2/models/iris/ready": {}}
        if self.path == "/metrics" and behaviour == "counts":
            self.reply(200, f'# TYPE queries_total counter\nqueries_total{{to="store"}} {7 * len(kept)}\n'.encode())
        else:
            self.reply(200 if self.path in bodies else 404, json.dumps(bodies.get(self.path, {})).encode())

    def reply(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} x\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        head += "x-store-calls: 7\r\n\r\n" if behaviour == "counts" else "\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *args: object) -> None:
        if behaviour == "talks":
            print("served", "x" * 1000)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if behaviour == "exits":
        print("cannot open model.skops")
        sys.exit(3)
    if behaviour == "starts slowly":
        time.sleep(1.0)
    if behaviour == "never listens":
        time.sleep(60)
    Server(("127.0.0.1", int(port)), Handler).serve_forever()
