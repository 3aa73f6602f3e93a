"""A registered model in a real MLflow on SQLite as the team's registry: versions, alias, lineage of their runs."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mltestscore.config import read_config
from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs import offered
from mltestscore.inputs.mlflow_registry import literal, open_mlflow_registry
from mltestscore.inputs.registry import Registry

COMMIT = "a" * 40


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Three versions: the first without a run, the others with what made them; the alias on the second."""
    folder = tmp_path_factory.mktemp("registry")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies
        mlflow = pytest.importorskip("mlflow")
        entities = pytest.importorskip("mlflow.entities")
        client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
        experiment = client.create_experiment("training", artifact_location=str(folder))
        client.create_registered_model("line's")
        client.create_model_version("line's", source=str(folder))
        for number in (2, 3):
            run = client.create_run(
                experiment, tags={"mlflow.source.git.commit": COMMIT, "config_digest": "c0", "stages": "dev"}
            )
            client.log_param(run.info.run_id, "depth", number)
            client.log_param(run.info.run_id, "shuffle", True)
            client.log_metric(run.info.run_id, "auc", 0.8)
            given = [("training", f"d{number}"), ("evaluation", "e0")]
            client.log_inputs(
                run.info.run_id,
                [
                    entities.DatasetInput(
                        entities.Dataset("flights", digest, "local", "{}"),
                        [entities.InputTag("mlflow.data.context", purpose)],
                    )
                    for purpose, digest in given
                ],
            )
            client.set_terminated(run.info.run_id, end_time=1_760_000_000_000 + number * 86_400_000)
            client.create_model_version("line's", source=str(folder), run_id=run.info.run_id)
        client.set_model_version_tag("line's", "2", "data_until", "2025-10-01T00:00:00+02:00")
        client.set_model_version_tag("line's", "2", "tree_clean", "true")
        client.set_model_version_tag("line's", "2", "tables", '{"airports": "2025-09-01T00:00:00Z"}')
        client.set_registered_model_alias("line's", "champion", "2")
    return folder


def registry(folder: Path, name: str = "line's", alias: str = "champion") -> Registry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return open_mlflow_registry("sqlite:///mlflow.db", name, alias, base=folder)


@pytest.mark.slow
def test_versions_alias_and_the_lineage_of_their_runs_are_read(store):
    found = registry(store)
    assert found.current.version == "2"
    assert {one.version for one in found.versions} == {"1", "2", "3"}
    current = found.current
    assert current.trained_at == datetime.fromtimestamp(1_760_000_000 + 2 * 86_400, UTC)
    assert (current.code_commit, current.config_digest, current.data_digest) == (COMMIT, "c0", "d2")
    assert (current.parameters, current.metrics) == ({"depth": 2, "shuffle": True}, {"auc": 0.8})
    assert current.data_until == datetime(2025, 9, 30, 22, tzinfo=UTC)
    assert (current.tree_clean, current.tables) == (True, {"airports": datetime(2025, 9, 1, tzinfo=UTC)})
    assert found.source.startswith("models:/line's@champion in sqlite:")
    assert found.digest == registry(store).digest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "alias", "says"),
    [
        ("lines", "champion", "no registered model 'lines'.*line's"),
        ("line's", "champoin", "no alias 'champoin'.*champion"),
    ],
)
def test_what_is_not_there_is_an_error_with_near_names(store, name, alias, says):
    with pytest.raises(InputError, match=says):
        registry(store, name, alias)


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*mlflow\.db"):
        registry(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_tag_that_is_no_time_says_which(store):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{store / 'mlflow.db'}")
        client.set_model_version_tag("line's", "3", "data_until", "yesterday")
        try:
            with pytest.raises(InputError, match="line's, version 3: data_until is 'yesterday', which is no time"):
                registry(store)
        finally:
            client.delete_model_version_tag("line's", "3", "data_until")


def opened(folder: Path, *lines: str) -> Registry:
    (folder / "pyproject.toml").write_text("\n".join(["[tool.mltestscore.registry]", *lines]))
    return offered.registry(read_config(folder / "pyproject.toml"))


@pytest.mark.slow
def test_it_is_offered_from_the_configuration(store):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = opened(store, 'mlflow = "sqlite:///mlflow.db"', 'name = "line\'s"')
    assert (found.current.version, len(found.versions)) == ("2", 3)


@pytest.mark.parametrize(
    "lines", [[], ['path = "a"', 'mlflow = "b"', 'name = "c"'], ['mlflow = "b"'], ['path = "a"', 'name = "c"']]
)
def test_a_registry_is_a_folder_or_in_mlflow(tmp_path, lines):
    with pytest.raises(ConfigError, match="needs path"):
        opened(tmp_path, *lines)


def test_without_mlflow_it_says_what_to_install(tmp_path, monkeypatch):
    import sys

    (tmp_path / "mlflow.db").touch()
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(NotOffered, match=r"mltestscore\[mlflow\]"):
        registry(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("0.5", 0.5), ("False", False), ("None", None), ("[1, 2]", [1, 2]), ("relu", "relu"), ("((", "((")],
)
def test_parameters_have_the_values_that_were_logged(text, value):
    assert literal(text) == value


def test_hostile_parameters_stay_texts():
    assert literal("[" * 1_900) == "[" * 1_900
    assert literal("1" * 5_000) == "1" * 5_000
