"""A small pipeline in plain Python: tips are learned from bills, and a server answers; a stage takes milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mltestscore.inputs.pipeline import Answers, Pipeline, RowRule, Stage, open_pipeline

COMMON = """
import csv, json, os, shutil, sys
from pathlib import Path

OUT = Path("out")
OUT.mkdir(exist_ok=True)

def read(name):
    with open(name, newline="") as file:
        return list(csv.DictReader(file))

def write(name, rows):
    with open(name, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
"""
EXTRACT = """
from common import *
rows = read("raw.csv")[: int(sys.argv[1])]
# extracted
write("out/bills.csv", rows)
"""
FEATURES = """
from common import *
bills = read("out/bills.csv")
rows = [{"id": row["id"], "total": row["total"], "per_head": float(row["total"]) / int(row["heads"]),
         "tip": row["tip"]} for row in bills]
# made
write("out/features.csv", rows)
"""
TRAIN = """
from common import *
rows = read("out/features.csv")
x, y = [float(row["per_head"]) for row in rows], [float(row["tip"]) for row in rows]
slope = sum(a * b for a, b in zip(x, y)) / sum(a * a for a in x)
# trained
Path("out/model.json").write_text(json.dumps({"slope": slope}))
"""
VALIDATE = """
from common import *
slope, rows = json.loads(Path("out/model.json").read_text())["slope"], read("out/features.csv")
error = sum(abs(slope * float(row["per_head"]) - float(row["tip"])) for row in rows) / len(rows)
assert error < 2, f"mean error {error:.2f}"
# validated
write("out/expected.csv", [{"id": row["id"], "score": slope * float(row["per_head"])} for row in rows])
Path("out/report.json").write_text(json.dumps({"passed": True}))
"""
PACKAGE = """
from common import *
Path("package").mkdir(exist_ok=True)
# packaged
shutil.copy("out/model.json", "package/model.json")
"""
SERVE = """
from common import *
from http.server import BaseHTTPRequestHandler, HTTPServer
slope = json.loads(Path("package/model.json").read_text())["slope"]

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["rows"]
        # asked
        body = json.dumps({"scores": [slope * row["per_head"] for row in rows], "version": "1"}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CODE = {
    "common": COMMON,
    "extract": EXTRACT,
    "features": FEATURES,
    "train": TRAIN,
    "validate": VALIDATE,
    "package": PACKAGE,
    "serve": SERVE,
}
BILLS, TABLE, MODEL = "out/bills.csv", "out/features.csv", "out/model.json"
READS = {
    "extract": ["raw.csv"],
    "features": [BILLS],
    "train": [TABLE],
    "validate": [TABLE, MODEL],
    "package": [MODEL],
    "serve": ["package"],
}
WRITES = {
    "extract": [BILLS],
    "features": [TABLE],
    "train": [MODEL],
    "validate": ["out/expected.csv", "out/report.json"],
    "package": ["package"],
}
RULES = {"extract": RowRule(BILLS, least=50), "features": RowRule(TABLE, BILLS, key=("id",))}


def write_shop(home: Path, rows: int = 120) -> Path:
    """Write the project and return its folder."""
    home.mkdir(parents=True, exist_ok=True)
    for name, text in CODE.items():
        (home / f"{name}.py").write_text(text)
    bills = [
        f"{n},{10 + n % 37},{1 + n % 4},{(10 + n % 37) / (1 + n % 4) * 0.15 + n % 3 * 0.1:.3f}" for n in range(rows)
    ]
    (home / "raw.csv").write_text("\n".join(["id,total,heads,tip", *bills]) + "\n")
    return home


def bend(home: Path, stage: str, before: str, after: str) -> None:
    """Change the code of a stage."""
    text = (home / f"{stage}.py").read_text()
    assert before in text
    (home / f"{stage}.py").write_text(text.replace(before, after))


def stages(**changes: dict[str, Any]) -> list[Stage]:
    """Return the stages, with other attributes for some of them."""
    found = []
    for name in READS:
        word = {"extract": "{rows}", "serve": "{port}"}.get(name)
        rules: Sequence[RowRule] = (RULES[name],) if name in RULES else ()
        given: dict[str, Any] = {
            "reads": tuple(READS[name]),
            "writes": tuple(WRITES.get(name, ())),
            "rows": tuple(rules),
        }
        given |= {"command": ("{python}", f"{name}.py", *([word] if word else [])), "timeout": 30.0}
        found.append(Stage(name, **(given | changes.get(name, {}))))
    return found


def shop(home: Path, answers: dict[str, Any] | None = None, sample: int = 100, **changes: dict[str, Any]) -> Pipeline:
    """Return the pipeline of a project that :func:`write_shop` wrote."""
    asked = {"ask": TABLE, "expected": "out/expected.csv", "key": ("id",), "send": ("id", "per_head")}
    return open_pipeline(home, stages(**changes), Answers(**(asked | (answers or {}))), sample=sample)
