"""Real servers: MLflow's here, with what the tests install; the others' last run is on record (``matrix.md``)."""

import sys
from pathlib import Path

import pytest

from mltestscore.serving.protocols import NAMES, declaration

from .matrix import runner
from .matrix.page import KEPT
from .matrix.systems import SYSTEMS

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.slow
def test_mlflow_scoring_server_answers_as_its_model(tmp_path):
    mlflow = next(system for system in SYSTEMS if system.name == "mlflow")
    _, result = runner.asked(mlflow, Path(sys.executable), tmp_path)
    assert result.startswith("as its model: ")
    assert "refuses malformed rows" in result


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_system_is_pinned_and_its_last_run_was_right(system):
    declaration(system.protocol)
    pins = runner.pinned(system).read_text(encoding="utf-8").splitlines()[1:]
    assert all("==" in pin for pin in pins)
    record = KEPT.rows()[system.name]
    assert runner.Row(**record).right
    assert record["version"] == f"{system.package} {runner.version_in(system)}"


def test_page_is_made_of_the_record():
    assert KEPT.written() == KEPT.page(KEPT.rows())


def test_readme_names_every_protocol():
    text = README.read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []
