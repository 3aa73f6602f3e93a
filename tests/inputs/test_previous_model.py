"""The version before: found in the registry beside the current one, named by hand, or said to be missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from mltestscore.config import read_config
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.previous_model import open_previous

PROJECT = """
[tool.mltestscore.model]
path = "versions/2/model.skops"
[tool.mltestscore.registry]
path = "versions"
"""


def learned(weight: float) -> LogisticRegression:
    frame = pd.DataFrame({"a": np.linspace(-1, 1, 50)})
    return LogisticRegression(C=weight).fit(frame, np.arange(50) > 25)


@pytest.fixture
def home(tmp_path) -> Path:
    """A project whose registry holds two versions, of which 2 is current."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    for version, month, weight in (("1", "09", 0.1), ("2", "10", 10.0)):
        folder = tmp_path / "versions" / version
        folder.mkdir(parents=True)
        (folder / "lineage.json").write_text(json.dumps({"trained_at": f"2026-{month}-01T12:00:00+00:00"}))
        skops.io.dump(learned(weight), folder / "model.skops")
    (tmp_path / "versions" / "current").write_text("2")
    return tmp_path


def opened(home: Path):
    return open_previous(read_config(home / "pyproject.toml"))


def test_it_lies_in_the_registry_where_the_current_one_does(home):
    model = opened(home)
    assert (model.version, model.estimator.C) == ("1", 0.1)


def test_it_can_be_named(home):
    skops.io.dump(learned(3.0), home / "older.skops")
    text = PROJECT.replace("[tool.mltestscore.registry]", 'previous_path = "older.skops"\n[tool.mltestscore.registry]')
    (home / "pyproject.toml").write_text(text)
    assert opened(home).estimator.C == 3.0


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda home: (home / "versions/current").write_text("1"), "does not lie in the registry's folder of '1'"),
        (lambda home: (home / "versions/1/lineage.json").unlink(), "from the second version in the registry on"),
        (lambda home: (home / "versions/1/model.skops").unlink(), "keep model.skops of version '1'"),
        (lambda home: (home / "pyproject.toml").write_text(PROJECT.split("[tool.mltestscore.reg")[0]), "offer a reg"),
        (lambda home: (home / "pyproject.toml").write_text("[tool.mltestscore]\n"), "previous_path"),
    ],
)
def test_where_it_is_missing_the_remedy_is_named(home, break_it, words):
    break_it(home)
    with pytest.raises(NotOffered, match=words):
        opened(home)


def test_a_damaged_one_is_an_error_with_its_place(home):
    (home / "versions/1/model.skops").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"versions/1/model\.skops"):
        opened(home)
