"""A small shop for the tests of infra.4: rows, a packaging function, a gate and a deployment, in its own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.validator import Validator, open_validator

MAKING = """
import json
from pathlib import Path

import numpy as np

def package(frame, seed, folder):
    lines = {}
    for city, rows in frame.groupby("city"):
        inputs = np.column_stack([np.ones(len(rows)), rows["a"], rows["b"]])
        lines[city] = np.linalg.lstsq(inputs, rows["bought"].to_numpy(float), rcond=None)[0].tolist()
    path = Path(folder) / "model.json"
    path.write_text(json.dumps(lines))
    return path, scorer(lines)

def load(path):
    return scorer(json.loads(Path(path).read_text()))

def scorer(lines):
    table = {city: np.array(line) for city, line in lines.items()}

    def predict(rows):
        line = np.array([table[city] for city in rows["city"]])
        score = line[:, 0] + line[:, 1] * rows["a"].to_numpy() + line[:, 2] * rows["b"].to_numpy()
        return np.clip(score, 0.01, 0.99)

    return predict

def only_path(frame, seed, folder):
    return str(package(frame, seed, folder)[0])

def rounded(frame, seed, folder):
    path, model = package(frame, seed, folder)
    lines = json.loads(path.read_text())
    path.write_text(json.dumps({city: np.round(line, 2).tolist() for city, line in lines.items()}))
    return path, model

def broken(frame, seed, folder):
    raise ValueError("no disk today")

def elsewhere(frame, seed, folder):
    return "/etc/hostname"

def hanging(frame, seed, folder):
    import time
    time.sleep(600)
"""
GATE = """
import argparse
import csv
import hashlib
import json
import random
import sys
from pathlib import Path
from statistics import mean, pstdev, pvariance

parser = argparse.ArgumentParser()
parser.add_argument("candidate", type=Path)
parser.add_argument("baseline", type=Path, nargs="?")
parser.add_argument("--margin", type=float, default=0.03)
parser.add_argument("--on-slice", type=float, default=0.1)
parser.add_argument("--floor", type=float, default=-9.0)
parser.add_argument("--errors", type=float, default=2.0)
for flag in ("blind", "tells", "stumbles", "crashes", "writes"):
    parser.add_argument(f"--{flag}", action="store_true")
asked = parser.parse_args()
if asked.crashes:
    sys.exit(3)
if asked.writes:
    Path("validation.csv").write_text("spoiled")
kept = Path("verdicts") / hashlib.sha256(asked.candidate.read_bytes()).hexdigest()

def refuse(why):
    sys.exit(why)

def losses(path):
    lines = json.loads(path.read_text())
    found = []
    for row in rows:
        line = lines[row["city"]]
        score = line[0] + line[1] * float(row["a"]) + line[2] * float(row["b"])
        found.append((min(0.99, max(0.01, score)) - float(row["bought"])) ** 2)
    return found

if asked.baseline is not None and asked.candidate.read_bytes() == asked.baseline.read_bytes() and not asked.blind:
    if not asked.tells:
        refuse("the same file")
    print("SAME MODEL")
with open("validation.csv") as file:
    rows = list(csv.DictReader(file))
scale = pvariance([float(row["bought"]) for row in rows])
try:
    ours = losses(asked.candidate)
except ValueError:
    if asked.stumbles:
        sys.exit(7)
    refuse("cannot be read")
if 1 - mean(ours) / scale < asked.floor:
    refuse("below the floor")
if asked.baseline is not None:
    worse = [(one - other) / scale for one, other in zip(ours, losses(asked.baseline))]

    def lost(part):
        return mean(part) - asked.errors * pstdev(part) / len(part) ** 0.5

    if lost(worse) > asked.margin:
        refuse(f"worse by at least {lost(worse):.3f}")
    for city in sorted({row["city"] for row in rows}):
        part = [one for one, row in zip(worse, rows) if row["city"] == city]
        if lost(part) > asked.on_slice:
            refuse(f"worse in {city} by at least {lost(part):.3f}")
kept.parent.mkdir(exist_ok=True)
kept.touch()
print("accepted")
"""
DEPLOY = """
import hashlib
import sys
from pathlib import Path

if not (Path("verdicts") / hashlib.sha256(Path(sys.argv[1]).read_bytes()).hexdigest()).exists():
    sys.exit("no verdict")
"""
CITIES = {"Oslo": 0.5, "Rome": 0.3, "Lima": 0.12, "Bern": 0.08}
GATE_COMMAND = ("{python}", "-S", "gate.py", "{candidate}", "{baseline}")
LOADING = (("loader", "making:load"), ("task", "binary"), ("features", ["a", "b", "city"]))


def rows(number: int, seed: int, signal: float = 2.0) -> pd.DataFrame:
    """Return customers, of whom some bought."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": [f"{seed}-{n}" for n in range(number)], "a": draw.normal(size=number)})
    frame["b"] = draw.normal(size=number)
    frame["city"] = draw.choice(list(CITIES), size=number, p=list(CITIES.values()))
    chance = 1 / (1 + np.exp(-signal * (frame["a"] + 0.3 * frame["b"])))
    return frame.assign(bought=(draw.random(number) < chance).astype(int))


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    """Return rows as an input."""
    return open_dataset(name, frame, Roles(label="bought", key=("id",)))


def sides(number: int = 4_000, signal: float = 2.0) -> dict[str, Dataset]:
    """Return training and holdout."""
    return {name: dataset(name, rows(number, seed, signal)) for seed, name in enumerate(("training", "holdout"))}


def shop(home: Path, **settings: Any) -> Validator:
    """Write the project into ``home`` and return its gate."""
    home.mkdir(exist_ok=True)
    for name, text in {"making.py": MAKING, "gate.py": GATE, "deploy.py": DEPLOY}.items():
        (home / name).write_text(text)
    rows(3_000, 7).to_csv(home / "validation.csv", index=False)
    command = settings.pop("command", GATE_COMMAND)
    package = settings.pop("package", "making:package")
    asked = {"deploy": ("{python}", "-S", "deploy.py", "{candidate}"), "slices": ("city",), "loading": LOADING}
    return open_validator(home, command, package, **(asked | settings))
