"""From configuration to inputs: opens what ``[tool.mltestscore]`` offers, and says how to offer what it does not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from mltestscore.config import Config
from mltestscore.errors import ConfigError, InputError, NotOffered, near
from mltestscore.settings import DataConfig, DatasetName

if TYPE_CHECKING:
    from mltestscore.history import History
    from mltestscore.inputs.catalogue import Catalogue
    from mltestscore.inputs.dataset import Dataset, Roles
    from mltestscore.inputs.deletions import Deletions
    from mltestscore.inputs.dry_run import DryRun
    from mltestscore.inputs.endpoint import Endpoint
    from mltestscore.inputs.feature_code import FeatureCode
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.registry import Registry
    from mltestscore.inputs.schema import Schema
    from mltestscore.inputs.stores import Stores
    from mltestscore.inputs.trainer import Trainer

DATASETS: tuple[DatasetName, ...] = get_args(DatasetName)


@contextmanager
def named(table: str, config: Config) -> Iterator[None]:
    """Add to an error where the input is configured, so that the reader knows what to change."""
    try:
        yield
    except (ConfigError, InputError) as error:
        raise type(error)(f"{error} (Configured in [tool.mltestscore.{table}] of {config.file}.)") from error


def dataset(name: DatasetName, config: Config) -> Dataset:
    """Open ``[tool.mltestscore.data.<name>]``."""
    from mltestscore.inputs.dataset import open_dataset

    found = config.data.get(name)
    if found is None or found.source is None:
        raise NotOffered(name, f'write source = "…" under [tool.mltestscore.data.{name}], or a fixture {name!r}')
    with named(f"data.{name}", config):
        if found.source == "feast":
            from mltestscore.inputs.feast_store import from_config

            return from_config(name, config, roles(found))
        return open_dataset(name, found.source, roles(found), base=config.folder)


def roles(data: DataConfig | None) -> Roles:
    """Return what a dataset's columns mean, as configured."""
    from mltestscore.inputs.dataset import Roles

    if data is None:
        return Roles()
    columns = {name: tuple(getattr(data, name)) for name in ("key", "features", "ignore", "protected")}
    times = tuple(data.feature_times.items())
    label, score, time, cluster = data.label, data.score, data.time, data.cluster
    return Roles(label=label, score=score, time=time, cluster=cluster, feature_times=times, **columns)


def model(config: Config, server: Callable[[], Endpoint] | None = None) -> Model:
    """Open ``[tool.mltestscore.model]``; ``server`` opens the endpoint that the model may live behind."""
    from mltestscore.inputs.model import as_model, load_model

    found = config.model
    if found is not None and found.endpoint and server is not None:
        from mltestscore.inputs.models.elsewhere import behind

        with named("model", config):
            return as_model(behind(server(), tuple(found.features)), name=config.name, task=found.task)
    if found is None or not (found.path or found.loader):
        raise NotOffered("model", "write path = \"model.skops\" under [tool.mltestscore.model], or a fixture 'model'")
    with named("model", config):
        return load_model(
            config.path(found.path) if found.path else Path(),
            name=config.name,
            version=found.version,
            **found.loading,
            base=config.folder,
        )


def trainer(config: Config) -> Trainer:
    """Open ``[tool.mltestscore.trainer]``."""
    from mltestscore.inputs.trainer import Trainer
    from mltestscore.reproduction.lock import Lock

    if config.trainer is None:
        raise NotOffered("trainer", 'write call = "module:function" under [tool.mltestscore.trainer]')
    found, serving = config.trainer, config.dependencies
    lock = None
    if found.locks:
        lock = Lock(tuple(found.locks), config.folder, tuple(found.extras))
    elif serving is not None and serving.locks and not (serving.python or serving.installed):
        lock = Lock(tuple(serving.locks), config.folder, tuple(serving.extras), of_serving=True)
    with named("trainer", config):
        return Trainer(found.call, config.folder, takes_parameters=found.takes_parameters, exact=found.exact, lock=lock)


def features(config: Config) -> FeatureCode:
    """Open ``[tool.mltestscore.features]``."""
    from mltestscore.inputs.dataset import open_dataset
    from mltestscore.inputs.feature_code import open_feature_code
    from mltestscore.inputs.schema import load_schema

    found = config.features
    if found is None:
        raise NotOffered("features", 'write modules = ["…"] and tests = ["…"] under [tool.mltestscore.features]')
    with named("features", config):
        return open_feature_code(
            config.folder,
            found.modules,
            tests=found.tests,
            batch=found.batch,
            online=found.online,
            raw=None if found.raw is None else open_dataset("raw", found.raw, base=config.folder),
            raw_schema=load_schema(config.path(found.raw_schema)) if found.raw_schema else None,
            dates=found.dates,
            timezone=found.timezone,
            left_out=found.left_out,
        )


def dry_run(config: Config) -> DryRun:
    """Open ``[tool.mltestscore.dry_run]``; its model is loaded as ``[tool.mltestscore.model]`` says."""
    from mltestscore.inputs.dry_run import open_dry_run

    found, model = config.dry_run, config.model
    if found is None:
        raise NotOffered("dry_run", 'write command = ["…", "{feature}"] under [tool.mltestscore.dry_run]')
    lists = {name: tuple(getattr(found, name)) for name in ("key", "may_change", "left_out")}
    plain = {name: getattr(found, name) for name in ("max_seconds", "training", "served", "model", "score", "feature")}
    with named("dry_run", config):
        how = () if model is None else tuple(model.loading.items())
        return open_dry_run(config.folder, found.command, **lists, **plain, loading=how)


def endpoint(config: Config) -> Endpoint:
    """Start or reach ``[tool.mltestscore.endpoint]``; the caller closes it."""
    from mltestscore.inputs.endpoint import open_endpoint

    found = config.endpoint
    if found is None:
        raise NotOffered("endpoint", 'write command = […] or url = "…" under [tool.mltestscore.endpoint]')

    def command(words: list[str]) -> list[str]:
        return [word.replace("{python}", sys.executable) for word in words]

    with named("endpoint", config):
        return open_endpoint(
            command=command(found.command),
            url=found.url,
            protocol=found.protocol,
            previous_command=command(found.previous_command),
            previous_url=found.previous_url,
            model=found.model,
            predict=found.predict,
            health=found.health,
            settings=found.settings,
            protocols=config.protocols,
            token_variable=found.token_variable,
            ready_timeout=found.ready_timeout,
            request_timeout=found.request_timeout,
            loading=found.load,
            counters=found.counters,
            cwd=config.folder,
            model_loading=config.model.loading if config.model else {},
            env=found.environment,
        )


def schema(config: Config) -> Schema:
    """Open ``[tool.mltestscore.schema]``."""
    from mltestscore.inputs.schema import load_schema

    found = config.schema_
    if found is None or not (found.path or found.pandera):
        raise NotOffered("schema", 'write path = "expectations.json" under [tool.mltestscore.schema]')
    if found.path and found.pandera:
        raise ConfigError(f"{config.file}: tool.mltestscore.schema has path and pandera; the schema is one: keep one.")
    with named("schema", config):
        if found.path:
            return load_schema(config.path(found.path))
        from mltestscore.borrowed.pandera_schema import load_pandera

        return load_pandera(found.pandera, base=config.folder, most_rows=found.pandera_rows)


def registry(config: Config) -> Registry:
    """Open ``[tool.mltestscore.registry]``."""
    from mltestscore.inputs.mlflow_registry import open_mlflow_registry
    from mltestscore.inputs.registry import open_registry

    if (found := config.registry) is None:
        raise NotOffered("registry", 'write path = "registry" under [tool.mltestscore.registry]')
    with named("registry", config):
        if found.mlflow:
            return open_mlflow_registry(found.mlflow, found.name, found.alias, base=config.folder)
        return open_registry(config.path(found.path))


def stores(config: Config) -> Stores:
    """Open every ``[tool.mltestscore.stores.<name>]``."""
    from mltestscore.inputs.stores import Store, Stores, open_store

    if not config.stores:
        raise NotOffered("stores", 'write source = "…" under [tool.mltestscore.stores.NAME], raw ones too')
    opened: list[Store] = []
    for name, found in config.stores.items():
        with named(f"stores.{name}", config):
            wrong = [one for one in found.derived_from if one not in config.stores]
            if wrong:
                raise ConfigError(f"derived_from names no store: {wrong[0]!r:.80}.{near(wrong[0], config.stores)}")
            settings = found.model_dump(exclude={"source"})
            opened.append(open_store(name, found.source, base=config.folder, **settings))
    return Stores(tuple(opened))


def deletions(config: Config) -> Deletions:
    """Read ``[tool.mltestscore.deletions]``."""
    from mltestscore.inputs.deletions import read_deletions

    found = config.deletions
    if found is None:
        remedy = 'write source = "deletions.jsonl" and identifiers = ["…"] under [tool.mltestscore.deletions]'
        raise NotOffered("deletions", remedy)
    with named("deletions", config):
        return read_deletions(base=config.folder, **found.model_dump())


def catalogue(config: Config) -> Catalogue:
    """Open ``[tool.mltestscore.catalogue]``."""
    from mltestscore.inputs.catalogue import load_catalogue

    if config.catalogue is None:
        raise NotOffered("catalogue", 'write path = "catalogue.toml" under [tool.mltestscore.catalogue]')
    with named("catalogue", config):
        return load_catalogue(config.path(config.catalogue.path))


def history(config: Config) -> History:
    """Open the runs on record."""
    from mltestscore.history import History

    return History(config.history_url(), config.name)
