"""What a training ran with, held to a lock; environments are told, none is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from mltestscore.dependencies.environment_process import described
from mltestscore.details import Table
from mltestscore.errors import InputError
from mltestscore.inputs.trainer import Trained
from mltestscore.reproduction.imported import used_since
from mltestscore.reproduction.lock import OPEN, OTHER_VERSION, Lock, locked

INSTALLED = {"numpy": "2.1.0", "Pandas": "2.2.3", "numexpr": "2.10.0", "torch": "2.6.0", "setuptools": "75.0"}


def trained(used: str = "numpy pandas", needed: str = "", by_conda: str = "") -> Trained:
    said = {"used": used.split(), "needed": (needed or used).split(), "by_conda": by_conda.split()}
    environment = described() | {"packages": INSTALLED} | said
    return Trained("", "", np.zeros(3), 0.0, 0, environment=environment)


def found(folder: Path, text: str, what: Trained, name: str = "requirements.txt", **settings: object) -> dict[str, str]:
    """Return the causes of what failed, by finding."""
    (folder / name).write_text(text)
    yielded = list(locked(Lock((name,), folder, **settings), what, folder))
    return {one.name: one.cause for one in yielded if not isinstance(one, Table) and one.verdict == "failed"}


def test_a_lock_that_pins_what_was_used_is_met(tmp_path):
    text = "numpy==2.1.0 --hash=sha256:00\npandas==2.2.3+local\nscipy==1.0\ncupy==13; sys_platform == 'win32'\n"
    assert found(tmp_path, text, trained()) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy==2.0.1\npandas==2.2.3\n", {OTHER_VERSION: "numpy 2.1.0, not 2.0.1"}),
        ("numpy>=2\npandas==2.2.3\n", {OPEN: "numpy"}),
        ("numpy<2\npandas==2.2.3\n", {OTHER_VERSION: "numpy 2.1.0, not <2"}),
        ("pandas==2.2.3\n", {OPEN: "numpy"}),
        ("numpy==2.1.0; sys_platform == 'win32'\npandas==2.2.3\n", {OPEN: "numpy"}),
    ],
    ids=["another version", "any minor version", "not in the range", "left out", "pinned elsewhere"],
)
def test_what_was_used_and_is_not_as_pinned_is_named(tmp_path, text, expected):
    assert found(tmp_path, text, trained()) == expected


def test_a_package_of_a_group_that_was_not_chosen_is_pinned_all_the_same(tmp_path):
    text = """
[[package]]
name = "numpy"
version = "2.1.0"
groups = ["train"]
[[package]]
name = "pandas"
version = "2.2.3"
groups = ["main"]
"""
    assert found(tmp_path, text, trained(), "poetry.lock") == {}


def test_what_nobody_asked_for_need_not_be_pinned(tmp_path):
    text = "numpy==2.1.0\npandas==2.2.3\n"
    assert found(tmp_path, text, trained("numpy pandas numexpr setuptools", "numpy pandas setuptools")) == {}
    assert found(tmp_path, text, trained("numpy pandas torch"), of_serving=True) == {}
    assert found(tmp_path, text, trained("numpy pandas torch", by_conda="torch")) == {}
    assert found(tmp_path, text, trained("numpy pandas torch")) == {OPEN: "torch"}


def test_a_loosened_lock_is_open(tmp_path):
    assert OPEN in found(tmp_path, "numpy==2.1.0\npandas==2.2.3\n", trained(), loosened=True)


def test_without_a_lock_that_is_said_and_does_no_harm(tmp_path):
    (tmp_path / "uv.lock").touch()
    (only,) = locked(None, trained(), tmp_path)
    assert (only.advisory, only.verdict) == (True, "failed")
    assert "write locks under [tool.mltestscore.trainer], such as 'uv.lock'" in only.cause


def test_a_lock_that_is_not_there_is_an_error_that_names_the_near_one(tmp_path):
    (tmp_path / "requirements.txt").touch()
    with pytest.raises(InputError, match=r"no file 'requirement\.txt'.*Did you mean 'requirements\.txt'"):
        list(locked(Lock(("requirement.txt",), tmp_path), trained(), tmp_path))


def test_what_a_project_imports_is_needed_with_what_that_requires(tmp_path, monkeypatch):
    (tmp_path / "shop_of_test_lock.py").write_text("def later():\n    import sklearn.ensemble\n")
    monkeypatch.syspath_prepend(tmp_path)
    import sklearn.ensemble  # noqa: F401
    import yaml  # noqa: F401

    __import__("shop_of_test_lock")
    seen = ("sklearn", "scipy", "joblib", "threadpoolctl", "yaml", "shop_of_test_lock")
    said = used_since({name for name in sys.modules if not name.startswith(seen)}, tmp_path)
    assert {"scikit-learn", "scipy", "joblib", "numpy", "pandas"} <= set(said["needed"])
    assert "pyyaml" in said["used"]
    assert "pyyaml" not in said["needed"]
    assert "mltestscore" not in said["used"]
