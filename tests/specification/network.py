"""A small project with a neural network, its optimiser and unit tests; written into a folder, then bent by a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.specification import Specification, open_specification

LOSSES = '''
"""What the network is made of."""
import numpy as np


def sigmoid(values):
    return 1 / (1 + np.exp(-np.clip(values, -500, 500)))


def cross_entropy(chances, labels):
    kept = np.clip(chances, 1e-12, 1 - 1e-12)
    return -np.mean(labels * np.log(kept) + (1 - labels) * np.log(1 - kept))


def inputs(frame):
    return np.column_stack([np.nan_to_num(frame["x"]), np.nan_to_num(frame["z"]) / 10, frame["colour"] == "red"])
'''
NETWORK = '''
"""A network with one hidden layer: cross-entropy on a sigmoid, Adam, dropout."""
import numpy as np

from shop.losses import cross_entropy, inputs, sigmoid

RATE, HIDDEN, DROPOUT, SMOOTHING = 0.02, 16, 0.0, 0.0


class Network:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        shapes = {"first": (3, HIDDEN), "bias": (HIDDEN,), "second": (HIDDEN, 1), "last": (1,)}
        self.weights = {name: self.rng.normal(0, 0.7, shape) for name, shape in shapes.items()}
        self.means = {name: np.zeros(shape) for name, shape in shapes.items()}
        self.squares = {name: np.zeros(shape) for name, shape in shapes.items()}
        self.steps = 0

    def forward(self, rows, mask=1.0):
        hidden = np.tanh(rows @ self.weights["first"] + self.weights["bias"]) * mask
        return hidden, sigmoid(hidden @ self.weights["second"] + self.weights["last"])[:, 0]

    def step(self, frame):
        rows, labels = inputs(frame), frame["late"].to_numpy(dtype=float)
        labels = labels * (1 - SMOOTHING) + SMOOTHING / 2
        mask = (self.rng.random((len(rows), HIDDEN)) >= DROPOUT) / (1 - DROPOUT)
        hidden, chances = self.forward(rows, mask)
        wrong = ((chances - labels) / len(rows))[:, None]
        back = wrong @ self.weights["second"].T * mask * (1 - (hidden / np.maximum(mask, 1e-9)) ** 2)
        gradients = {"second": hidden.T @ wrong, "last": wrong.sum(axis=0), "first": rows.T @ back, "bias": back.sum(0)}
        self.update(gradients)
        return cross_entropy(chances, labels)

    def update(self, gradients):
        self.steps += 1
        for name, gradient in gradients.items():
            self.means[name] = 0.9 * self.means[name] + 0.1 * gradient
            self.squares[name] = 0.999 * self.squares[name] + 0.001 * gradient**2
            mean = self.means[name] / (1 - 0.9**self.steps)
            square = self.squares[name] / (1 - 0.999**self.steps)
            self.weights[name] = self.weights[name] - RATE * mean / (np.sqrt(square) + 1e-8)

    def predict(self, frame):
        return self.forward(inputs(frame))[1]

    def save(self, path):
        import json

        state = {"weights": self.weights, "means": self.means, "squares": self.squares}
        plain = {part: {name: value.tolist() for name, value in held.items()} for part, held in state.items()}
        generator = self.rng.bit_generator.state
        path.write_text(json.dumps(plain | {"steps": self.steps, "generator": generator}))

    def load(self, path):
        import json

        found = json.loads(path.read_text())
        for part in ("weights", "means", "squares"):
            setattr(self, part, {name: np.array(value) for name, value in found[part].items()})
        self.steps = found["steps"]
        self.rng.bit_generator.state = found["generator"]
'''
TESTS = """
import numpy as np
import pandas as pd
import pytest
from shop.losses import cross_entropy, inputs, sigmoid


@pytest.mark.parametrize(("value", "chance"), [(0.0, 0.5), (2.0, 0.880797), (-900.0, 7.1e-218), (900.0, 1.0)])
def test_sigmoid(value, chance):
    assert sigmoid(np.array([value])) == pytest.approx([chance], rel=1e-2, abs=0)


def test_cross_entropy():
    assert cross_entropy(np.array([0.5, 0.2]), np.array([1, 0])) == pytest.approx(0.458145, abs=1e-6)
    assert cross_entropy(np.array([0.0, 1.0]), np.array([1, 0])) == pytest.approx(27.631, abs=1e-2)


def test_inputs():
    row = pd.DataFrame({"x": [2.0, np.nan], "z": [5.0, np.nan], "colour": ["red", "blue"]})
    assert inputs(row).tolist() == [[2.0, 0.5, 1.0], [0.0, 0.0, 0.0]]
"""


def write(folder: Path, *edits: tuple[str, str], tests: str = "") -> Path:
    """Write the project into a folder, with pieces of the network replaced."""
    files = {"shop/__init__.py": "", "shop/losses.py": LOSSES, "shop/network.py": NETWORK, "tests/test_it.py": tests}
    for old, new in edits:
        assert any(old in text for text in files.values()), old
        files = {name: text.replace(old, new) for name, text in files.items()}
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n')
    return folder


def stepped(
    folder: Path, *edits: tuple[str, str], stepper: str = "shop.network:Network", **settings: Any
) -> Specification:
    """Return the network without its unit tests, as an input."""
    return open_specification(write(folder, *edits), stepper=stepper, **settings)


def rows(n: int = 600, label: str = "late") -> Dataset:
    """Return rows to learn from."""
    rng = np.random.default_rng(1)
    x, z, noise = rng.normal(size=(3, n))
    frame = pd.DataFrame({"x": x, "z": 10 * z, "colour": rng.choice(["red", "blue"], n)})
    frame.loc[::50, "z"] = np.nan
    return open_dataset("training", frame.assign(late=(x + z + noise > 0).astype(int)), Roles(label=label))


def sklearn_stepper(folder: Path, text: str, **settings: Any) -> Specification:
    """Return a stepper around an estimator: ``text`` says how it is made and stepped."""
    write(folder)
    (folder / "shop" / "trees.py").write_text(AROUND.replace("# HERE", text), encoding="utf-8")
    return open_specification(folder, stepper="shop.trees:Stepper", **settings)


AROUND = """
import pickle
import numpy as np

# HERE


class Stepper:
    def __init__(self, seed, features):
        self.model, self.features = make(seed), features

    def inputs(self, frame):
        coded = frame[self.features].copy()
        if "colour" in coded:
            coded["colour"] = (coded["colour"] == "red").astype(float)
        return coded.fillna(0.0).to_numpy(dtype=float)

    def step(self, frame):
        return step(self.model, self.inputs(frame), frame["late"].to_numpy())

    def predict(self, frame):
        return predict(self.model, self.inputs(frame))

    def save(self, path):
        path.write_bytes(pickle.dumps(self.model))

    def load(self, path):
        self.model = pickle.loads(path.read_bytes())
"""


def with_tests(folder: Path, text: str = TESTS) -> Specification:
    """Return the network's code and unit tests, without a stepper."""
    write(folder, tests=text)
    return open_specification(folder, modules=["shop.losses"], tests=["tests"])
