"""A scoring server on the standard library whose faults are planted. Arguments: port, kind, number of the server.

``kind`` is a JSON object: ``noise`` added to scores, ``errors`` (share of rows refused, at random), ``refuses`` (rows
whose ``id`` is a multiple), ``nan`` (share), ``shift`` (scores of the next row), ``starts`` (a file that counts starts;
the first one fails), ``library`` (a module that it cannot import), ``needs`` (columns of one letter that it
takes besides).
"""

import importlib
import json
import math
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

port, kind = int(sys.argv[1]), json.loads(sys.argv[2])
drawn = random.Random(kind.get("seed", 1))


def score(row: dict) -> float:
    """Return the score of a row, which the kind may spoil."""
    if drawn.random() < kind.get("nan", 0):
        return float("nan")
    value = row["x"] + kind.get("noise", 0) * math.sin(977 * row["id"])
    if kind.get("shift"):
        value = math.sin(12.9898 * (row["id"] + 1)) * 43758.5453 % 1
    return min(1.0, max(0.0, value))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        time.sleep(kind.get("waits", 0))
        rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["rows"]
        strange = any(set(row) != {"id", "x", *kind.get("needs", "")} for row in rows)
        refused = strange or any(kind.get("refuses") and row["id"] % kind["refuses"] == 0 for row in rows)
        if refused or (len(rows) == 1 and drawn.random() < kind.get("errors", 0)):
            self.reply(500, {"error": "cannot read <b>this</b> row"})
        else:
            self.reply(200, {"scores": [score(row) for row in rows], "version": kind.get("version", "1")})

    def reply(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if kind.get("library"):
        importlib.import_module(kind["library"])
    if kind.get("starts"):
        count = Path(kind["starts"])
        before = int(count.read_text()) if count.exists() else 0
        count.write_text(str(before + 1))
        if before == 0:
            sys.exit("the artefact store timed out")
    Server(("127.0.0.1", port), Handler).serve_forever()
