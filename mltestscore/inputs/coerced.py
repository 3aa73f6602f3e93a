"""What a team's own fixtures give in place of ours, as the inputs that checks expect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mltestscore.config import Config
from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.offered import DATASETS, roles


def coerce(name: str, value: object, config: Config, where: str) -> Any:
    """Return what a fixture gave as the input that checks expect, or say what came and what was expected."""
    if value is None:
        raise NotOffered(name, f"its fixture in {where} returned None")
    try:
        value = _opened(name, value, config)
    except InputError as error:
        raise InputError(f"The fixture {name!r} in {where} returned what cannot be used: {error}") from error
    expected = _types().get(name)
    if expected is not None and not isinstance(value, expected()):
        raise InputError(
            f"The fixture {name!r} in {where} returned {type(value).__name__} ({value!r:.80}); the input {name!r} is a "
            f"{expected().__module__}.{expected().__name__}. Return one, or give your own fixture another name."
        )
    return value


def _opened(name: str, value: object, config: Config) -> object:
    """Return data, models and times, which a fixture may give in any form, in ours; anything else as it is."""
    if name in DATASETS:
        from mltestscore.inputs.dataset import Dataset, open_dataset

        data = config.data.get(name)
        return value if isinstance(value, Dataset) else open_dataset(name, value, roles(data), base=config.folder)
    if name in ("model", "previous_model"):
        from mltestscore.inputs.model import Model, as_model

        return value if isinstance(value, Model) else as_model(value, name=config.name)
    if name == "clock" and isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _types() -> dict[str, Callable[[], type]]:
    """Return the type of each input, loaded only when it is asked for."""

    def load(module: str, name: str) -> Callable[[], type]:
        from importlib import import_module

        return lambda: getattr(import_module(f"mltestscore.{module}"), name)

    return {
        "trainer": load("inputs.trainer", "Trainer"),
        "features": load("inputs.feature_code", "FeatureCode"),
        "dry_run": load("inputs.dry_run", "DryRun"),
        "endpoint": load("inputs.endpoint", "Endpoint"),
        "schema": load("inputs.schema", "Schema"),
        "registry": load("inputs.registry", "Registry"),
        "catalogue": load("inputs.catalogue", "Catalogue"),
        "stores": load("inputs.stores", "Stores"),
        "deletions": load("inputs.deletions", "Deletions"),
        "repository": load("inputs.repository", "Repository"),
        "forge": load("inputs.forge", "Forge"),
        "experiments": load("inputs.experiments", "Experiments"),
        "heuristics": load("inputs.heuristics", "Heuristics"),
        "tuning": load("inputs.tuning", "Tuning"),
        "specification": load("inputs.specification", "Specification"),
        "pipeline": load("inputs.pipeline", "Pipeline"),
        "validator": load("inputs.validator", "Validator"),
        "rollback": load("inputs.rollback", "Rollback"),
        "tracer": load("inputs.tracer", "Tracer"),
        "dependencies": load("inputs.dependencies", "Dependencies"),
        "canary": load("inputs.canary", "Canary"),
        "max_age": load("staleness.age", "Age"),
        "tolerable_age": load("staleness.age", "Age"),
        "history": load("history", "History"),
        "clock": lambda: datetime,
    }
