"""Hidden units that no row moves are counted in real networks, layer by layer; sparse ones are not accused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mltestscore.inputs.model import as_model
from mltestscore.inputs.schema import Rule, Schema
from mltestscore.numerics.hidden import layers
from mltestscore.numerics.names import STILL
from mltestscore.testing import run_check

FEATURES = ["speed", "load"]
UNITS = 20


def rows(n: int = 600) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).normal(size=(n, 2)), columns=FEATURES)


def perceptron(dead: int = 0) -> MLPClassifier:
    frame = rows()
    made = MLPClassifier((UNITS,), max_iter=2_000, tol=1, random_state=1).fit(frame, frame["speed"] > 0)
    made.intercepts_[0][:dead] = -1e6
    return made


def module(dead: int = 0, *, function: bool = False):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mltestscore[models-heavy]'")

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.relu, self.last = torch.nn.Linear(2, UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, 1)

        def forward(self, given):
            inner = self.hidden(given)
            inner = torch.relu(inner) if function else self.relu(inner)
            return torch.sigmoid(self.last(inner))

    torch.manual_seed(1)
    net = Net().eval()
    with torch.no_grad():
        net.hidden.bias[:dead] = -1e6
    return net


NETWORKS = {
    "perceptron": perceptron,
    "in a pipeline": lambda dead=0: make_pipeline(StandardScaler().fit(rows()), perceptron(dead)),
    "module": module,
    "function": lambda dead=0: module(dead, function=True),
}


def model(kind: str, dead: int = 0):
    return as_model(NETWORKS[kind](dead), task="binary", features=FEATURES)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("dead", [0, 6, 16])
def test_units_that_no_row_moves_are_counted(kind, dead):
    found = layers(model(kind, dead), rows())
    assert found[0].name == "relu 1"
    assert (len(found[0].low), found[0].still) == (UNITS, dead)


@pytest.mark.parametrize("kind", ["perceptron", "module"])
@pytest.mark.parametrize(("dead", "verdict"), [(6, "passed"), (16, "failed")])
def test_a_layer_of_which_most_is_dead_fails_and_a_sparse_one_does_not(kind, dead, verdict):
    """A third of a sparse layer rests in a healthy network; four in five are a fault of training."""
    ends = [
        Rule("expect_column_values_to_be_between", {"column": name, "min_value": -4, "max_value": 4})
        for name in FEATURES
    ]
    present = [Rule("expect_column_values_to_not_be_null", {"column": name}) for name in FEATURES]
    result = run_check("monitor.5", model=model(kind, dead), schema=Schema("suite", [*ends, *present]), prove=False)
    (found,) = [one for one in result.findings if one.name == STILL]
    assert (found.verdict, found.where) == (verdict, "relu 1")
    assert result.state == verdict, result.reason


def test_other_models_have_no_hidden_units():
    assert layers(as_model(lambda frame: frame["speed"].to_numpy(), task="regression", features=FEATURES), rows()) == []


def test_channels_are_units_and_padding_is_none():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mltestscore[models-heavy]'")

    class Net(torch.nn.Module):
        def forward(self, given):
            padded = torch.nn.functional.pad(given[:, None, :].expand(-1, 3, -1), (0, 0, 0, 9))  # nine empty places
            image = torch.stack([given, -(given**2) - 1], dim=1)[:, :, :, None]  # one channel is never positive
            return torch.sigmoid(torch.relu(padded).sum(dim=(1, 2)) + torch.relu(image).sum(dim=(1, 2, 3)))

    found = layers(as_model(Net().eval(), task="binary", features=FEATURES), rows())
    assert [(one.name, len(one.low), one.still) for one in found] == [("relu 1", 2, 0), ("relu 2", 2, 1)]
