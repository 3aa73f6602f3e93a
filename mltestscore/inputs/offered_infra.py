"""From configuration to infrastructure: specification, pipeline, gate, trace, canary, rollback, dependencies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from mltestscore.config import Config
from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs.offered import named, roles

if TYPE_CHECKING:
    from mltestscore.inputs.canary import Canary
    from mltestscore.inputs.dependencies import Dependencies
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.pipeline import Pipeline
    from mltestscore.inputs.rollback import Rollback
    from mltestscore.inputs.specification import Specification
    from mltestscore.inputs.tracer import Tracer
    from mltestscore.inputs.validator import Validator
    from mltestscore.settings_infra import RollbackConfig

LONGEST_WORKFLOW = 500_000
_REGISTRY = {
    "folder": ("path", "pointer"),
    "mlflow": ("uri", "name", "alias"),
    "commands": ("current_command", "versions_command", "promote_command", "promote_request"),
}
_SERVING = (
    *("command", "environment", "url", "redeploy_command", "redeploy_request", "restart", "reference_command"),
    *("token_variable", "ready_timeout", "request_timeout"),
)
_WIRE = ("protocol", "predict", "health", "settings", "token_variable", "ready_timeout", "request_timeout")


def pipeline(config: Config) -> Pipeline:
    """Open ``[tool.mltestscore.pipeline]``; its model is loaded as ``[tool.mltestscore.model]`` says."""
    from mltestscore.inputs.pipeline import Answers, RowRule, Stage, open_pipeline

    found, model = config.pipeline, config.model
    if found is None:
        raise NotOffered("pipeline", "write a [[tool.mltestscore.pipeline.stages]] a stage, from data to answers")
    stages = [
        Stage(**_tuples(dict(one) | {"rows": [RowRule(**_tuples(dict(rule))) for rule in one.rows]}))
        for one in found.stages
    ]
    answers = None
    if found.answers is not None:
        given = _tuples(dict(found.answers))
        wire = {name: given.pop(name) for name in _WIRE}
        wire |= {"model": given.pop("served_name"), "protocols": config.protocols}
        answers = Answers(**given, wire=tuple(wire.items()))
    with named("pipeline", config):
        return open_pipeline(
            config.folder,
            stages,
            answers,
            sample=found.sample,
            last_full_run=found.last_full_run,
            last_full_run_field=found.last_full_run_field,
            left_out=tuple(found.left_out),
            loading=() if model is None else tuple(model.loading.items()),
            now=config.now(),
        )


def specification(config: Config) -> Specification:
    """Open ``[tool.mltestscore.specification]``."""
    from mltestscore.inputs.specification import open_specification

    if config.specification is None:
        raise NotOffered(
            "specification", 'write stepper = "module:function", or modules = ["…"] and tests = ["…"], under '
            "[tool.mltestscore.specification]"
        )  # fmt: skip
    with named("specification", config):
        task = "" if config.model is None else config.model.task
        return open_specification(config.folder, task=task, **config.specification.model_dump())


def validator(config: Config) -> Validator:
    """Open ``[tool.mltestscore.validator]``; packaged models are loaded as ``[tool.mltestscore.model]`` says."""
    from mltestscore.inputs.dataset import open_dataset
    from mltestscore.inputs.validator import open_validator

    found, model = config.validator, config.model
    if found is None:
        remedy = 'write command = ["…", "{candidate}", "{baseline}"] and package = "module:function" under '
        raise NotOffered("validator", f"{remedy}[tool.mltestscore.validator]")
    if found.deploy and not found.staging:
        raise ConfigError(
            f"{config.file}: tool.mltestscore.validator names deploy, which is run with bad models to see it refuse "
            "them. Name a command that reaches no user, and say so with staging = true."
        )
    lists = {name: tuple(getattr(found, name)) for name in ("refuses", "deploy", "shared", "left_out")}
    plain = {name: getattr(found, name) for name in ("same", "rows", "gate_job", "deploy_job", "gate_step")}
    loading: dict[str, Any] = {} if model is None else model.loading
    if found.loader:
        loading |= {"loader": found.loader, "python": ""}
    with named("validator", config):
        return open_validator(
            config.folder,
            found.command,
            found.package,
            **lists,
            **plain,
            slices=tuple(found.slices or config.checks.get("model.6", {}).get("slices", ())),
            judged_on=None
            if found.judged_on is None
            else open_dataset("judged_on", found.judged_on, roles(config.data.get("holdout")), base=config.folder),
            workflow=_workflow(config, found.workflow) if found.workflow else "",
            workflow_name=found.workflow,
            loading=tuple(loading.items()),
            released=config.path(model.path).resolve() if model is not None and model.path else None,
        )


def _workflow(config: Config, name: str) -> str:
    """Return the text of a CI file, which may lie above the project's folder."""
    try:
        text = config.path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"workflow: {name} cannot be read: {error}. Name the CI file from here.") from None
    if len(text) > LONGEST_WORKFLOW:
        raise InputError(f"workflow: {name} has {len(text):,} characters; a CI file has at most {LONGEST_WORKFLOW:,}.")
    return text


def tracer(config: Config, model: Callable[[], Model]) -> Tracer:
    """Open ``[tool.mltestscore.trace]``, or follow ``model`` ourselves where no function is named."""
    from mltestscore.inputs.tracer import open_tracer, require_followed

    settings = {} if config.trace is None else config.trace.model_dump()
    with named("trace", config):
        return require_followed(open_tracer(config.folder, **settings), model)


def rollback(config: Config) -> Rollback:
    """Open ``[tool.mltestscore.rollback]``; nothing is touched before the check asks for the drill."""
    from mltestscore.inputs.dataset import open_dataset
    from mltestscore.inputs.rollback import open_rollback
    from mltestscore.rollback.servers import applied, operations_named, versions_of

    found = config.rollback
    if found is None:
        raise NotOffered("rollback", "write drill = true, max_seconds, … under [tool.mltestscore.rollback]")
    data = {name: getattr(found, name) for name in ("rows", "answers")}
    with named("rollback", config):
        if config.registry and config.registry.mlflow and not found.name:
            one = config.registry
            found = found.model_copy(update={"uri": one.mlflow, "name": one.name, "alias": one.alias})
        operations = operations_named(found.server, config.servers) if found.server else None
        if operations:
            found = applied(found, operations, config.protocols)
        itself = found.drill and found.registry == "server"
        return open_rollback(
            config.folder,
            drill=found.drill,
            max_seconds=found.max_seconds,
            registry=versions_of(config.rollback or found, operations) if itself else found.registry,
            where=_where(found, config) if found.drill and not itself else {},
            serving={**_serving(found, config), "waits": operations.waits if operations else ""},
            downtime_seconds=found.downtime_seconds,
            previous=found.previous,
            on_copy=found.on_copy,
            score=found.score,
            features=tuple(found.features),
            **{
                name: None if one is None or not found.drill else open_dataset(name, one, base=config.folder)
                for name, one in data.items()
            },
        )


def _where(found: RollbackConfig, config: Config) -> dict[str, Any]:
    """Return what the kind of registry takes; without a path, the folder of ``[tool.mltestscore.registry]``."""
    given = {name: getattr(found, name) for name in _REGISTRY[found.registry]}
    if found.registry == "folder":
        given["path"] = found.path or (config.registry.path if config.registry else "")
    optional = ("promote_command", "promote_request")  # one of both, as open_rollback says
    missing = [name for name, value in given.items() if not value and name not in optional]
    if missing:
        raise ConfigError(f'tool.mltestscore.rollback has registry = "{found.registry}" and no {missing[0]}; write it.')
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _serving(found: RollbackConfig, config: Config) -> dict[str, Any]:
    from mltestscore.serving.protocols import protocol_named

    given = {name: getattr(found, name) for name in _SERVING}
    settings = {**found.settings, **({"model": found.model} if found.model else {})}
    wire = protocol_named(
        found.protocol, settings, declared=config.protocols, predict=found.predict, health=found.health
    )
    return {
        "protocol": wire,
        **{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()},
    }


def dependencies(config: Config) -> Dependencies:
    """Open ``[tool.mltestscore.dependencies]``; the raw stores of the configuration are sources, too."""
    from mltestscore.inputs.dependencies import open_dependencies

    found = config.dependencies
    if found is None:
        raise NotOffered("dependencies", 'write manifest = "dependencies.toml" under [tool.mltestscore.dependencies]')
    at = found.vulnerabilities_at
    if isinstance(at, date) and not isinstance(at, datetime):
        at = datetime.combine(at, time())
    with named("dependencies", config):
        return open_dependencies(
            config.path(found.manifest),
            base=config.folder,
            acknowledged=config.path(found.acknowledged),
            locks=found.locks,
            locks_elsewhere=found.locks_elsewhere,
            extras=found.extras,
            python=found.python,
            installed=found.installed,
            vulnerabilities=found.vulnerabilities,
            vulnerabilities_at=None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)),
            notices=found.notices,
            drill=None if found.drill is None else found.drill.model_dump(),
            system=config.name,
            raw_stores=[name for name, store in config.stores.items() if store.raw],
        )


def canary(config: Config) -> Canary:
    """Open ``[tool.mltestscore.canary]``; the caller closes it."""
    from mltestscore.inputs.canary import open_canary

    found = config.canary
    if found is None:
        raise NotOffered("canary", 'write command = […] (the candidate) or ramp.source = "…" under '
                         "[tool.mltestscore.canary]")  # fmt: skip
    with named("canary", config):
        return open_canary(
            config.folder,
            command=[word.replace("{python}", sys.executable) for word in found.command],
            url=found.url,
            server=found.server(config.endpoint.model_dump() if config.endpoint else {})
            | {"protocols": config.protocols, "model_loading": config.model.loading if config.model else {}},
            features=found.features,
            environments=(found.serving_environment, found.training_environment, found.libraries),
            ramp=found.ramp.model_dump() if found.ramp else None,
            traffic=found.traffic.model_dump() if found.traffic else None,
            decide=found.decide,
            left_out=found.left_out,
            decide_timeout=found.decide_timeout,
        )


def _tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
