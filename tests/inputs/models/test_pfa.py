"""PFA documents: told apart here, read and scored by real titus2 where an environment has it.

``MLTESTSCORE_PFA`` names the interpreter of that environment: Python 3.9 with titus2 1.2.1, numpy 1.19.5, pandas 1.4.4,
pyarrow 10.0.1.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model

PYTHON = os.environ.get("MLTESTSCORE_PFA", "")
real = pytest.mark.skipif(not PYTHON, reason="MLTESTSCORE_PFA names no interpreter that has titus2")
ROWS = pd.DataFrame({"heat": [0.5, -1.0, 2.0], "load": [1.0, np.nan, -3.0], "city": ["Ulm", "Bonn", "Ulm"]})


def field(name: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "type": kind}


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


ROW = record("Row", field("heat", "double"), field("load", ["null", "double"]), field("city", "string"))
LOGISTIC = {
    "input": ROW,
    "output": "double",
    "action": {
        "m.link.logit": {
            "+": [
                {"*": ["input.heat", 2.0]},
                {"ifnotnull": {"x": "input.load"}, "then": {"*": ["x", -0.5]}, "else": 0.25},
            ]
        }
    },
}
CLASSES = {
    "input": ROW,
    "output": record("Scores", field("late", "double"), field("early", "double"), field("never", "double")),
    "action": {
        "new": {
            "late": {"if": {"==": ["input.city", {"string": "Ulm"}]}, "then": 0.75, "else": 0.25},
            "early": {"if": {"==": ["input.city", {"string": "Ulm"}]}, "then": 0.25, "else": 0.5},
            "never": {"if": {"==": ["input.city", {"string": "Ulm"}]}, "then": 0.0, "else": 0.25},
        },
        "type": "Scores",
    },
}
SUM = {"input": {"type": "array", "items": "double"}, "output": "double", "action": {"a.sum": "input"}}


def written(folder: Path, document: dict[str, Any]) -> Path:
    file = folder / "model.pfa"
    file.write_text(json.dumps(document))
    return file


def test_without_an_environment_of_its_own_it_says_why_and_how(tmp_path):
    with pytest.raises(InputError, match=r"is a PFA file, .*write python = the interpreter .*allow_pickle = true"):
        load_model(written(tmp_path, LOGISTIC), task="binary")


def test_it_is_not_read_without_permission(tmp_path):
    with pytest.raises(InputError, match=r"makes code of it and runs it; if you trust the file, write allow_pickle"):
        load_model(written(tmp_path, LOGISTIC), task="binary", python=PYTHON or "python3")


@real
@pytest.mark.parametrize(
    ("document", "task", "expected"),
    [
        (LOGISTIC, "binary", 1 / (1 + np.exp(-(2 * ROWS["heat"] + (-0.5 * ROWS["load"]).fillna(0.25))))),
        (CLASSES, "", [[0.75, 0.25, 0.0], [0.25, 0.5, 0.25], [0.75, 0.25, 0.0]]),
    ],
    ids=["a number", "a record of numbers"],
)
def test_rows_score_as_the_document_says(tmp_path, document, task, expected):
    model = load_model(written(tmp_path, document), task=task, python=PYTHON, allow_pickle=True)
    try:
        assert model.features == ("heat", "load", "city")
        assert model.classes == (() if task else ("late", "early", "never"))
        np.testing.assert_allclose(model.predict(ROWS), np.array(expected), rtol=1e-12)
    finally:
        model.close()


@real
def test_an_array_takes_the_columns_in_order(tmp_path):
    file = written(tmp_path, SUM)
    model = load_model(file, task="regression", features=["heat", "wear"], python=PYTHON, allow_pickle=True)
    try:
        rows = pd.DataFrame({"heat": [1.0, 2.0], "wear": [10, 20]})
        assert model.predict(rows).tolist() == [11.0, 22.0]
    finally:
        model.close()


@real
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "emit", "action": {"emit": [1.0]}}, "its method is emit; only map answers each row"),
        ({"output": "string", "action": {"string": "late"}}, "it answers .*; a number or a record of numbers is read"),
        ({"action": {"no.such": []}}, "no.such"),
    ],
)
def test_what_cannot_be_scored_is_named(tmp_path, changes, said):
    with pytest.raises(InputError, match=said):
        load_model(written(tmp_path, LOGISTIC | changes), task="binary", python=PYTHON, allow_pickle=True)
