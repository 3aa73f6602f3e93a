"""The tables of ``[tool.mltestscore]`` for infrastructure: specification, pipeline, gate, trace, canary, rollback."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from mltestscore.settings import Table
from mltestscore.specification import Kind


class SpecificationConfig(Table):
    """``[tool.mltestscore.specification]``: the model step by step, unit tests of its code, or both.

    ``stepper = "module:function"`` returns a model with ``step``, ``predict``, ``save`` and ``load``, as
    :mod:`mltestscore.specification.stepper` says; ``random`` says that it draws what no checkpoint holds.
    """

    stepper: str = ""
    modules: list[str] = []
    tests: list[str] = []
    predicts: Kind = ""
    random: bool = False
    left_out: list[str] = []


class RowRuleConfig(Table):
    """An entry of ``rows`` of a stage: how many of the rows of ``from`` must come out in ``to``."""

    of: str = Field(default="", alias="from")
    to: str = ""
    keep: float = Field(default=1.0, gt=0, le=1)
    key: list[str] = []
    set_aside: str = ""
    repeats: bool = False
    least: int = Field(default=1, ge=0)


class StageConfig(Table):
    """``[[tool.mltestscore.pipeline.stages]]``: a command, and the files that it reads and writes."""

    name: str = Field(min_length=1, max_length=80)
    command: list[str] = Field(min_length=1)
    reads: list[str] = []
    writes: list[str] = []
    rows: list[RowRuleConfig] = []
    may_be_empty: list[str] = []
    timeout: float = Field(default=120.0, gt=0, le=3600)


class AnswersConfig(Table):
    """``[tool.mltestscore.pipeline.answers]``: what is asked at the end, and the model that must have answered."""

    ask: str
    send: list[str] = []
    file: str = ""
    model: str = ""
    expected: str = ""
    score: str = "score"
    key: list[str] = []
    protocol: str = "plain_json"
    served_name: str = ""
    predict: str = ""
    health: str = ""
    settings: dict[str, bool | int | float | str] = {}
    token_variable: str = ""
    ready_timeout: float = Field(default=30.0, gt=0, le=600)
    request_timeout: float = Field(default=30.0, gt=0, le=120)


class PipelineConfig(Table):
    """``[tool.mltestscore.pipeline]``: the stages from raw data to a served answer, run on a sample in a copy."""

    stages: list[StageConfig]
    answers: AnswersConfig | None = None
    sample: int = Field(default=200, ge=1)
    last_full_run: str = ""
    last_full_run_field: str = ""
    left_out: list[str] = []


class ValidatorConfig(Table):
    """``[tool.mltestscore.validator]``: the release gate; see :class:`mltestscore.inputs.validator.Validator`.

    ``judged_on`` is a data source like ``source`` of a dataset, with the columns of the holdout. ``slices`` are those
    of ``[tool.mltestscore.checks."model.6"]`` where they are not named here. ``loader`` loads a packaged model as
    ``loader`` of ``[tool.mltestscore.model]`` does; by default that table does. ``deploy`` needs ``staging = true``:
    a word that it reaches no user, since it is run with models that nobody must be served.
    """

    command: list[str]
    package: str
    refuses: list[int] = [1]
    same: str = ""
    rows: int = Field(default=20_000, ge=200, le=10_000_000)
    slices: list[str | list[str] | dict[str, str | int | float | bool]] = []
    judged_on: str | list[str] | None = None
    loader: str = ""
    deploy: list[str] = []
    staging: bool = False
    workflow: str = ""
    gate_job: str = ""
    deploy_job: str = ""
    gate_step: str = ""
    shared: list[str] = []
    left_out: list[str] = []


class TraceConfig(Table):
    """``[tool.mltestscore.trace]``: what follows one row to its score; see :class:`mltestscore.inputs.tracer.Tracer`.

    Without ``call`` we follow the model ourselves, where it shows how it computes.
    """

    call: str = ""
    timeout: float = Field(default=60.0, gt=0, le=3600)
    derived: dict[str, list[str]] = {}
    version_column: str = ""
    reason: str = ""


class RollbackConfig(Table):
    """``[tool.mltestscore.rollback]``: the drill of going back; see :mod:`mltestscore.inputs.rollback`.

    Nothing is touched without ``drill = true``. ``registry`` says what names the version in service: a ``folder``
    (``path``, ``pointer``), ``mlflow`` (``uri``, ``name``, ``alias``), ``commands``, or the ``server`` itself.
    ``server`` names one that :mod:`mltestscore.rollback.servers` knows: what it says need not be written.
    """

    drill: bool = False
    server: str = ""
    management_url: str = ""
    management_token_variable: str = ""
    registry: Literal["folder", "mlflow", "commands", "server"] = "folder"
    path: str = ""
    pointer: str = "current"
    uri: str = ""
    name: str = ""
    alias: str = "champion"
    current_command: list[str] = []
    versions_command: list[str] = []
    promote_command: list[str] = []
    promote_request: str = ""
    command: list[str] = []
    environment: dict[str, str] = {}
    url: str = ""
    redeploy_command: list[str] = []
    redeploy_request: str = ""
    restart: bool = False
    on_copy: bool = False
    reference_command: list[str] = []
    protocol: str = "plain_json"
    model: str = ""
    predict: str = ""
    health: str = ""
    settings: dict[str, Any] = {}
    token_variable: str = ""
    ready_timeout: float = Field(default=30.0, gt=0, le=600)
    request_timeout: float = Field(default=5.0, gt=0, le=120)
    max_seconds: float = Field(gt=0, le=7200)
    downtime_seconds: float = Field(default=0.0, ge=0, le=3600)
    previous: str = ""
    rows: str | list[str] | None = None
    answers: str | list[str] | None = None
    score: str = "score"
    features: list[str] = []


class DrillConfig(Table):
    """``[tool.mltestscore.dependencies.drill]``: a probe, sent only with ``probe = true``, and where it must arrive.

    ``notify`` is the team's own command with ``{message}`` (and ``{sink}``), or one ``"module:function"``.
    """

    probe: bool = False
    notify: list[str] | str = Field(min_length=1)
    sink: str
    within_seconds: float = Field(default=30.0, ge=1, le=300)
    remove: bool = False


class DependenciesConfig(Table):
    """``[tool.mltestscore.dependencies]``: what the system depends on; see :mod:`mltestscore.inputs.dependencies`.

    ``python`` is the interpreter that serves, ``installed`` a list of what it has (``pip freeze``), ``locks`` pin it.
    ``locks_elsewhere`` are those of other environments, such as the one that trains: packages of the manifest may stand
    there, and are looked for nowhere.
    """

    manifest: str
    acknowledged: str = "acknowledged.json"
    locks: list[str] = []
    locks_elsewhere: list[str] = []
    extras: list[str] = []
    python: str = ""
    installed: str = ""
    vulnerabilities: list[str] = []
    vulnerabilities_at: date | datetime | None = None
    notices: str = ""
    drill: DrillConfig | None = None

    @model_validator(mode="after")
    def _one_environment(self) -> Self:
        if self.python and self.installed:
            raise ValueError("has python and installed; the environment that serves is one: keep one of the two")
        return self


class RampConfig(Table):
    """``[tool.mltestscore.canary.ramp]``: a log of roll-outs and its columns; see :class:`inputs.canary.Ramp`."""

    source: str | list[str]
    time: str
    version: str
    share: str
    requests: str = ""
    errors: str = ""
    served_requests: str = ""
    served_errors: str = ""


class TrafficConfig(Table):
    """``[tool.mltestscore.canary.traffic]``: requests of a roll-out; see :class:`inputs.canary.Traffic`."""

    source: str | list[str]
    version: str
    slices: list[str]
    canary: str = ""
    unit: str = ""
    time: str = ""


class CanaryConfig(Table):
    """``[tool.mltestscore.canary]``: a candidate's server, its libraries, logs of roll-outs, the rule that stops.

    What the protocol leaves open, and ``environment``, is as in ``[tool.mltestscore.endpoint]``. ``decide`` is
    ``"module:function"`` or a command with ``{results}``.
    """

    command: list[str] = []
    environment: dict[str, str] = {}
    url: str = ""
    protocol: str = ""
    model: str = ""
    predict: str = ""
    health: str = ""
    settings: dict[str, bool | int | float | str] = {}
    token_variable: str = ""
    ready_timeout: float | None = Field(default=None, gt=0, le=600)
    request_timeout: float | None = Field(default=None, gt=0, le=120)
    features: list[str] = []
    serving_environment: str = ""
    training_environment: str = ""
    libraries: list[str] = []
    ramp: RampConfig | None = None
    traffic: TrafficConfig | None = None
    decide: str | list[str] = []
    decide_timeout: float = Field(default=60.0, gt=0, le=3600)
    left_out: list[str] = []

    def server(self, like: dict[str, Any]) -> dict[str, Any]:
        """Return how the server is asked: as written here, else as the endpoint is, if both speak one protocol."""
        same = self.protocol in ("", like.get("protocol"))
        names = (*WIRE, *WAITING) if same else WAITING
        own = {name: getattr(self, name) for name in (*WIRE, *WAITING)}
        found = {name: like[name] for name in names if name in like} | {name: one for name, one in own.items() if one}
        return {"env": found.pop("environment", {}), **found}


WIRE = ("protocol", "model", "predict", "health", "settings")
WAITING = ("environment", "token_variable", "ready_timeout", "request_timeout")
