"""From configuration to what a team has on record: its repository, its forge, its experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore.config import Config
from mltestscore.errors import NotOffered
from mltestscore.inputs.offered import named

if TYPE_CHECKING:
    from mltestscore.inputs.experiments import Experiments
    from mltestscore.inputs.forge import Forge
    from mltestscore.inputs.repository import Repository
    from mltestscore.inputs.tuning import Tuning


def repository(config: Config) -> Repository:
    """Open the git repository that holds the configuration, or the one that ``[tool.mltestscore.repository]`` names."""
    from mltestscore.inputs.repository import open_repository

    if config.repository is None:
        return open_repository(config.folder)
    found = config.repository
    with named("repository", config):
        settings = found.model_dump(exclude={"path"})
        return open_repository(config.path(found.path), **settings)


def forge(config: Config) -> Forge:
    """Open ``[tool.mltestscore.forge]``."""
    from mltestscore.inputs.forge import open_forge

    if config.forge is None:
        raise NotOffered("forge", 'write kind = "github" and project = "owner/name" under [tool.mltestscore.forge]')
    with named("forge", config):
        return open_forge(**config.forge.model_dump())


def experiments(config: Config) -> Experiments:
    """Read ``[tool.mltestscore.experiments]``."""
    from mltestscore.inputs.experiments import read_experiments

    if config.experiments is None:
        raise NotOffered(
            "experiments", "write source, offline, online and date under [tool.mltestscore.experiments]: a table with "
            "one row an experiment on users"
        )  # fmt: skip
    with named("experiments", config):
        return read_experiments(base=config.folder, **config.experiments.model_dump())


def tuning(config: Config) -> Tuning:
    """Read ``[tool.mltestscore.tuning]``."""
    from mltestscore.inputs.tuning import read_tuning

    if config.tuning is None:
        raise NotOffered(
            "tuning", "write source, parameters and metric under [tool.mltestscore.tuning]: a table with one row a "
            "trial of the search for hyperparameters (or optuna, mlflow, search)"
        )  # fmt: skip
    with named("tuning", config):
        return read_tuning(base=config.folder, **config.tuning.model_dump())
