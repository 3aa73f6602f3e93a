"""MXNet's networks: told apart here, read and scored by real MXNet where an environment has it.

``MLTESTSCORE_MXNET`` names the interpreter of that environment; ``mxnet/make.py`` says what it holds.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model

REAL = Path(__file__).parent / "mxnet"
FEATURES = ["heat", "load", "wear"]
PYTHON = os.environ.get("MLTESTSCORE_MXNET", "")
real = pytest.mark.skipif(not PYTHON, reason="MLTESTSCORE_MXNET names no interpreter that has MXNet")


def test_without_an_environment_of_its_own_it_says_why_and_how():
    with pytest.raises(InputError, match=r"is a MXNet file, .*no NumPy from 1\.24 on; write python = the interpreter"):
        load_model(REAL / "gluon-symbol.json", task="multiclass", features=FEATURES)


def test_other_json_is_no_network(tmp_path):
    (tmp_path / "m.json").write_text('{"nodes": [{"name": "a"}]}')
    with pytest.raises(InputError) as error:
        load_model(tmp_path / "m.json", task="binary", features=FEATURES)
    assert "MXNet" not in str(error.value)


@real
@pytest.mark.parametrize(("name", "task"), [("gluon", "multiclass"), ("module", "binary")])
def test_a_network_scores_as_mxnet_did_with_its_newest_weights(name, task):
    record = json.loads((REAL / "answers.json").read_text())
    model = load_model(REAL / f"{name}-symbol.json", task=task, features=FEATURES, python=PYTHON)
    try:
        expected = np.array(record["answers"][f"{name}-symbol.json"])
        rows = pd.DataFrame(record["rows"], columns=FEATURES)
        scores = model.predict(rows)
        np.testing.assert_allclose(scores, expected if task == "multiclass" else expected[:, 1], rtol=1e-5)
        np.testing.assert_allclose(model.predict(rows.tail(3)), scores[-3:], rtol=1e-5)
    finally:
        model.close()


@real
def test_a_models_digest_is_that_of_its_weights_too(tmp_path):
    for name in ("module-symbol.json", "module-0005.params"):
        shutil.copy(REAL / name, tmp_path)
    how = {"task": "binary", "features": FEATURES, "python": PYTHON}
    digests = []
    for _ in range(2):
        model = load_model(tmp_path / "module-symbol.json", **how)
        model.close()
        digests.append(model.digest)
        weights = bytearray((tmp_path / "module-0005.params").read_bytes())
        weights[-60] ^= 1
        (tmp_path / "module-0006.params").write_bytes(weights)
    assert digests[0] != digests[1]


@real
def test_a_network_without_weights_is_named(tmp_path):
    shutil.copy(REAL / "gluon-symbol.json", tmp_path)
    with pytest.raises(InputError, match=r"there is no gluon-0000\.params or a later one beside gluon-symbol\.json"):
        load_model(tmp_path / "gluon-symbol.json", task="multiclass", features=FEATURES, python=PYTHON)
