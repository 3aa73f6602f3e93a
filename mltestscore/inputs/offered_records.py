"""From configuration to what a team has on record: repository, forge, experiments, searches, ages declared or found."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from mltestscore.config import Config
from mltestscore.errors import ConfigError, NotOffered
from mltestscore.inputs.offered import named

if TYPE_CHECKING:
    from mltestscore.inputs.experiments import Experiments
    from mltestscore.inputs.forge import Forge
    from mltestscore.inputs.heuristics import Heuristics
    from mltestscore.inputs.repository import Repository
    from mltestscore.inputs.tuning import Tuning
    from mltestscore.staleness.age import Age


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


def heuristics(config: Config) -> Heuristics:
    """Open ``[tool.mltestscore.heuristics]``."""
    from mltestscore.inputs.heuristics import open_heuristics

    found = config.heuristics
    if found is None or not (found.rules or found.horizon_days is not None):
        remedy = 'write rules = {"NAME" = "column"} under [tool.mltestscore.heuristics], for a forecast horizon_days'
        raise NotOffered("heuristics", remedy)
    with named("heuristics", config):
        return open_heuristics(config.folder, **found.model_dump())


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


def max_age(config: Config) -> Age:
    """Return the age that is declared for ``monitor.4``: there is one place for it."""
    from mltestscore.catalogue import our_check
    from mltestscore.options import options_for
    from mltestscore.staleness.age import Age

    days = options_for(our_check("monitor.4"), config).get("max_age_days")
    if days is None:
        raise NotOffered("max_age", 'write max_age_days = … under [tool.mltestscore.checks."monitor.4"]')
    with named('checks."monitor.4"', config):
        return Age(days)


def tolerable_age(config: Config) -> Age:
    """Return what ``model.4`` found in the newest complete run on record, where no age is declared."""
    from mltestscore.history import History
    from mltestscore.staleness.age import recorded_age

    if "max_age_days" in config.checks.get("monitor.4", {}):
        raise NotOffered("tolerable_age", "max_age_days is declared and goes before what was measured")
    try:
        with closing(History(config.history_url())) as history:
            found = recorded_age(history.previous(config.name))
    except ConfigError as unreadable:
        raise NotOffered("tolerable_age", f"let the history be readable: {unreadable}") from unreadable
    if found is None:
        raise NotOffered("tolerable_age", "run model.4 once, and let it find an age that is harmless")
    return found
