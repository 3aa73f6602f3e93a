"""Classifiers of texts and of images, in this process, in another and behind a server: the same items judge them alike.

The texts are short reports that were typed by many hands; the images are scikit-learn's digits, half of them negatives.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.endpoint import open_endpoint
from mltestscore.inputs.model import Model, as_model, load_model
from mltestscore.inputs.models.elsewhere import behind
from mltestscore.testing import run_check

FORMS = {"text": "text", "image": "batch"}
pytestmark = pytest.mark.slow
PLACES = ("here", "another process", "a server")
ITEMS = ("model.5", "model.6", "model.7", "monitor.7")
PART = 1_200
START = datetime(2026, 1, 1, tzinfo=UTC)

MODELS = """
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import numpy as np

def texts(rows):
    return np.array([0.9 if "slow" in text else 0.1 for text in rows])

def images(rows):
    # Is it a zero? Its middle is empty, also in a negative, which no linear model sees through.
    rows = np.asarray(rows)
    rows = np.where(rows[:, :1, :1] > 8, 16 - rows, rows)
    return 1 / (1 + np.exp(rows[:, 2:6, 3:5].mean(axis=(1, 2)) - 6))

def text_model():
    return texts

def image_model():
    return images

class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"status": "ok"})
    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        seen = [row["seen"] for row in rows["rows"]]
        scores = texts(seen) if isinstance(seen[0], str) else images(np.array(seen))
        self.answer({"scores": [float(one) for one in scores], "version": "1"})
    def answer(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *about):
        pass

if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Server).serve_forever()
"""


@cache
def rows(kind: str) -> pd.DataFrame:
    """Labelled rows of sixty days, in order of time, and the groups that they come from."""
    rng, n = np.random.default_rng(7), 3 * PART
    if kind == "text":
        late = rng.integers(0, 2, n)
        heard = np.where(rng.random(n) < 0.9, late, 1 - late)
        seen = [f"report {at} says that it was {'slow' if one else 'quick'}" for at, one in enumerate(heard)]
    else:
        digits = load_digits()
        images = digits.images[rng.integers(0, len(digits.target), n)]
        images = np.where(rng.random((n, 1, 1)) < 0.5, images, 16 - images)
        late, seen = (rng.random(n) < sources()["images"](images)).astype(int), images.tolist()
    frame = pd.DataFrame({"id": np.arange(n), "seen": seen, "late": late, "hand": rng.choice(["a", "b", "c"], n)})
    frame["time"] = pd.Timestamp(START) + pd.to_timedelta(np.arange(n) * 60 / n, unit="D")
    return frame


def given(kind: str, model: Model) -> dict:
    """A third was trained on, a third known at launch; the last was served, and its labels came a day later."""
    training, launch, log = (rows(kind)[at : at + PART].reset_index(drop=True) for at in (0, PART, 2 * PART))
    sound = as_model(sources()[f"{kind}s"], task="binary", features=["seen"], rows_as=FORMS[kind])
    served = log.assign(score=sound.predict(log))[["id", "time", "seen", "hand", "score"]]
    came = log[["id", "late"]].assign(known=log["time"] + pd.Timedelta(days=1))
    roles = {"label": "late", "key": ("id",), "features": ("seen",), "protected": ("hand",)}
    return {
        "model": model,
        "training": open_dataset("training", training, Roles(**roles)),
        "holdout": open_dataset("holdout", launch, Roles(**roles)),
        "serving": open_dataset("serving", served, Roles(score="score", key=("id",), time="time")),
        "outcomes": open_dataset(
            "outcomes", came, Roles(label="late", key=("id",), feature_times=(("late", "known"),))
        ),
        "clock": START + timedelta(days=70),
    }


TAKEN = {
    "model.5": ("model", "training", "holdout"),
    "model.6": ("model", "training", "holdout"),
    "model.7": ("model", "holdout"),
    "monitor.7": ("model", "serving", "outcomes", "holdout", "clock"),
}


@cache
def sources() -> dict:
    made: dict = {"__name__": "models"}
    exec(MODELS, made)
    return made


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    """Return a model of texts or images in one of the three places; all are ended with the module."""
    folder: Path = tmp_path_factory.mktemp("places")
    (folder / "place_models.py").write_text(MODELS)
    started: dict[tuple[str, str], Model] = {}
    endpoint = open_endpoint(command=[sys.executable, str(folder / "place_models.py"), "{port}"])

    def model(kind: str, place: str) -> Model:
        told = {"task": "binary", "features": ["seen"]}
        if place == "here":
            return as_model(sources()[f"{kind}s"], rows_as=FORMS[kind], **told)
        if place == "a server":
            return as_model(behind(endpoint, ("seen",)), **told)
        if (kind, place) not in started:
            there = {"loader": f"place_models:{kind}_model", "python": sys.executable, "base": folder}
            started[kind, place] = load_model(Path(), rows_as=FORMS[kind], **told, **there)
        return started[kind, place]

    yield model
    for one in started.values():
        one.close()
    endpoint.close()


def judged(item: str, inputs: dict):
    options = {"model.6": {"slices": ("hand",)}, "monitor.7": {"slices": ("hand",)}}.get(item, {})
    return run_check(item, **{name: inputs[name] for name in TAKEN[item]}, options=options, prove=False)


@pytest.mark.parametrize("kind", FORMS)
def test_every_item_says_the_same_of_a_model_wherever_it_lives(kind, lives):
    for item in ITEMS:
        found = {place: judged(item, given(kind, lives(kind, place))) for place in PLACES}
        assert found["here"].state in ("passed", "inconclusive"), (item, found["here"].reason)
        said = {
            place: [(one.name, one.where, one.value, one.verdict) for one in result.findings]
            for place, result in found.items()
        }
        assert len(said["here"]) > 0, item
        for place in PLACES[1:]:
            assert said[place] == said["here"], (item, place)


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_every_item_fails_a_model_that_answers_the_wrong_way_round(kind, place, lives):
    sound = lives(kind, place)
    wrong = given(kind, sound.replace(lambda frame: 1 - sound.predict(frame)))
    for item in ("model.5", "model.6"):
        assert judged(item, wrong).state == "failed", item
    served = given(kind, sound)
    log = served["serving"].frame()
    served["serving"] = served["serving"].replace(log.assign(score=1 - log["score"]))
    assert judged("monitor.7", served).state == "failed"
