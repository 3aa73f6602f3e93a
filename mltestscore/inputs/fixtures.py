"""The inputs as pytest fixtures. A fixture of the same name in ``conftest.py`` takes the place of the one here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mltestscore.config import Config
from mltestscore.inputs import offered, offered_infra, offered_records
from mltestscore.inputs import previous_model as before
from mltestscore.stash import CONFIG

if TYPE_CHECKING:
    from mltestscore.history import History
    from mltestscore.inputs.canary import Canary
    from mltestscore.inputs.catalogue import Catalogue
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.deletions import Deletions
    from mltestscore.inputs.dependencies import Dependencies
    from mltestscore.inputs.dry_run import DryRun
    from mltestscore.inputs.endpoint import Endpoint
    from mltestscore.inputs.experiments import Experiments
    from mltestscore.inputs.feature_code import FeatureCode
    from mltestscore.inputs.forge import Forge
    from mltestscore.inputs.heuristics import Heuristics
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.pipeline import Pipeline
    from mltestscore.inputs.registry import Registry
    from mltestscore.inputs.repository import Repository
    from mltestscore.inputs.rollback import Rollback
    from mltestscore.inputs.schema import Schema
    from mltestscore.inputs.specification import Specification
    from mltestscore.inputs.stores import Stores
    from mltestscore.inputs.tracer import Tracer
    from mltestscore.inputs.trainer import Trainer
    from mltestscore.inputs.tuning import Tuning
    from mltestscore.inputs.validator import Validator
    from mltestscore.staleness.age import Age


@pytest.fixture(scope="session")
def mltestscore_config(pytestconfig: pytest.Config) -> Config:
    """The configuration, for fixtures that build on it."""
    return pytestconfig.stash[CONFIG]


@pytest.fixture(scope="session")
def training(mltestscore_config: Config) -> Dataset:
    """The rows that the model was trained on."""
    return offered.dataset("training", mltestscore_config)


@pytest.fixture(scope="session")
def holdout(mltestscore_config: Config) -> Dataset:
    """Labelled rows that the model was not trained on, later in time."""
    return offered.dataset("holdout", mltestscore_config)


@pytest.fixture(scope="session")
def serving(mltestscore_config: Config) -> Dataset:
    """The feature values as they were served, from the server's own log."""
    return offered.dataset("serving", mltestscore_config)


@pytest.fixture(scope="session")
def recomputed(mltestscore_config: Config) -> Dataset:
    """The training path's feature values for the keys or the window of ``serving``."""
    return offered.dataset("recomputed", mltestscore_config)


@pytest.fixture(scope="session")
def outcomes(mltestscore_config: Config) -> Dataset:
    """Labels of served rows, as they became known."""
    return offered.dataset("outcomes", mltestscore_config)


@pytest.fixture(scope="session")
def model(mltestscore_config: Config, request: pytest.FixtureRequest) -> Iterator[Model]:
    """The model that is served."""
    opened = offered.model(mltestscore_config, lambda: request.getfixturevalue("endpoint"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def previous_model(mltestscore_config: Config) -> Iterator[Model]:
    """The version that was served before it."""
    opened = before.open_previous(mltestscore_config)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def trainer(mltestscore_config: Config) -> Trainer:
    """The training function, run in fresh processes."""
    return offered.trainer(mltestscore_config)


@pytest.fixture(scope="session")
def features(mltestscore_config: Config) -> FeatureCode:
    """The feature code, its tests and its two paths."""
    return offered.features(mltestscore_config)


@pytest.fixture(scope="session")
def dry_run(mltestscore_config: Config) -> DryRun:
    """The rehearsal of adding a feature."""
    return offered.dry_run(mltestscore_config)


@pytest.fixture(scope="session")
def endpoint(mltestscore_config: Config) -> Iterator[Endpoint]:
    """The model server; stopped at the end of the session if we started it."""
    opened = offered.endpoint(mltestscore_config)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def schema(mltestscore_config: Config) -> Schema:
    """The declared expectations on features."""
    return offered.schema(mltestscore_config)


@pytest.fixture(scope="session")
def registry(mltestscore_config: Config) -> Registry:
    """The model versions and their lineage."""
    return offered.registry(mltestscore_config)


@pytest.fixture(scope="session")
def stores(mltestscore_config: Config) -> Stores:
    """The raw and derived stores: snapshots, feature store, logs, model artefacts."""
    return offered.stores(mltestscore_config)


@pytest.fixture(scope="session")
def deletions(mltestscore_config: Config) -> Deletions:
    """Who asked to be forgotten, and when."""
    return offered.deletions(mltestscore_config)


@pytest.fixture(scope="session")
def catalogue(mltestscore_config: Config) -> Catalogue:
    """The feature catalogue: owners, lineage, tags, dates and costs of features."""
    return offered.catalogue(mltestscore_config)


@pytest.fixture(scope="session")
def repository(mltestscore_config: Config) -> Repository:
    """The git repository that holds the configuration."""
    return offered_records.repository(mltestscore_config)


@pytest.fixture(scope="session")
def forge(mltestscore_config: Config) -> Forge:
    """The project on GitHub or GitLab, which knows of reviews."""
    return offered_records.forge(mltestscore_config)


@pytest.fixture(scope="session")
def experiments(mltestscore_config: Config) -> Experiments:
    """The experiments on users: what changed offline, and what online."""
    return offered_records.experiments(mltestscore_config)


@pytest.fixture(scope="session")
def heuristics(mltestscore_config: Config) -> Heuristics:
    """The team's simple rules, and what a forecast must beat."""
    return offered_records.heuristics(mltestscore_config)


@pytest.fixture(scope="session")
def tuning(mltestscore_config: Config) -> Tuning:
    """The search for hyperparameters: its trials, its space, the settings left alone."""
    return offered_records.tuning(mltestscore_config)


@pytest.fixture(scope="session")
def pipeline(mltestscore_config: Config) -> Pipeline:
    """The stages from raw data to a served answer."""
    return offered_infra.pipeline(mltestscore_config)


@pytest.fixture(scope="session")
def validator(mltestscore_config: Config) -> Iterator[Validator]:
    """The release gate, and how to make models for it to judge."""
    opened = offered_infra.validator(mltestscore_config)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def tracer(mltestscore_config: Config, request: pytest.FixtureRequest) -> Tracer:
    """What follows one row through the model, step by step."""
    return offered_infra.tracer(mltestscore_config, lambda: request.getfixturevalue("model"))


@pytest.fixture(scope="session")
def rollback(mltestscore_config: Config) -> Rollback:
    """The drill of going back to the previous version."""
    return offered_infra.rollback(mltestscore_config)


@pytest.fixture(scope="session")
def dependencies(mltestscore_config: Config) -> Dependencies:
    """What the system depends on: contracts, packages, and the way of news."""
    return offered_infra.dependencies(mltestscore_config)


@pytest.fixture(scope="session")
def canary(mltestscore_config: Config) -> Iterator[Canary]:
    """A candidate on its way into service; its server is stopped at the end of the session."""
    opened = offered_infra.canary(mltestscore_config)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def max_age(mltestscore_config: Config) -> Age:
    """The age at which a model must be replaced, as declared for monitor.4."""
    return offered_records.max_age(mltestscore_config)


@pytest.fixture(scope="session")
def tolerable_age(mltestscore_config: Config) -> Age:
    """The largest age that model.4 of the last run on record found harmless."""
    return offered_records.tolerable_age(mltestscore_config)


@pytest.fixture(scope="session")
def specification(mltestscore_config: Config) -> Specification:
    """The model step by step, its code, and the unit tests of that."""
    return offered_infra.specification(mltestscore_config)


@pytest.fixture(scope="session")
def history(mltestscore_config: Config) -> Iterator[History]:
    """The runs on record."""
    opened = offered.history(mltestscore_config)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def clock(mltestscore_config: Config) -> datetime:
    """The time that ages are measured from, UTC."""
    return mltestscore_config.now().astimezone(UTC)
