"""The tables of ``[tool.mltestscore]`` that name what a team has: data, model, code, server, records."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DatasetName = Literal["training", "holdout", "serving", "recomputed", "outcomes"]


class Table(BaseModel):
    """Base of all tables: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Table):
    """``[tool.mltestscore.data.<name>]``: where a dataset lies and what its columns mean."""

    source: str | list[str] | None = None
    label: str = ""
    score: str = ""
    key: list[str] = []
    time: str = ""
    cluster: str = ""
    features: list[str] = []
    ignore: list[str] = []
    protected: list[str] = []
    feature_times: dict[str, str] = {}


class ModelConfig(Table):
    """``[tool.mltestscore.model]``; ``previous_path`` where the registry does not tell the version before.

    ``python`` names the interpreter of another environment, in which ``loader`` is called and the model lives;
    ``endpoint = true`` takes the scores from ``[tool.mltestscore.endpoint]``. ``providers``, ``output`` and ``factory``
    say how ONNX and PyTorch files are read; see :class:`mltestscore.inputs.models.native.Loading`. ``rows_as`` says
    what a model of texts or images takes; see :func:`mltestscore.inputs.batches.handed`.
    """

    path: str = ""
    previous_path: str = ""
    version: str = ""
    trusted: list[str] = []
    allow_pickle: bool = False
    loader: str = ""
    task: Literal["", "binary", "multiclass", "regression", "forecast", "multilabel", "multioutput", "ranking"] = ""
    features: list[str] = []
    providers: list[str] = []
    output: str = ""
    factory: str = ""
    python: str = ""
    timeout: float = Field(default=120.0, gt=0, le=3600)
    rows_as: Literal["table", "array", "text", "batch"] = "table"
    endpoint: bool = False

    @property
    def loading(self) -> dict[str, Any]:
        """How the file is read, as :func:`mltestscore.inputs.model.load_model` takes it."""
        return self.model_dump(exclude={"path", "previous_path", "version", "endpoint"})


class TrainerConfig(Table):
    """``[tool.mltestscore.trainer]``: ``call = "module:function"``, called as ``function(frame, seed)``.

    ``takes_parameters`` says that it takes ``parameters = {…}`` too, hyperparameters in place of its own; ``exact``
    that the same seed is to give the same model, to the bit; ``locks`` pin the packages that it trains with (without
    them those of ``[tool.mltestscore.dependencies]``, where this interpreter also serves), ``extras`` name the extras
    and groups of the locks that are installed.
    """

    call: str
    takes_parameters: bool = False
    exact: bool = True
    locks: list[str] = []
    extras: list[str] = []


class FeaturesConfig(Table):
    """``[tool.mltestscore.features]``: the feature code, its tests, and its two paths from raw rows to features.

    ``raw`` is a data source like ``source`` of a dataset; ``raw_schema`` the path of an expectation suite.
    """

    modules: list[str]
    tests: list[str] = []
    batch: str = ""
    online: str = ""
    raw: str | list[str] | None = None
    raw_schema: str = ""
    dates: list[str] = []
    timezone: str = "UTC"
    left_out: list[str] = []


class DryRunConfig(Table):
    """``[tool.mltestscore.dry_run]``: the command that rehearses adding a feature, and what it writes."""

    command: list[str]
    max_seconds: float = Field(gt=0, le=3600)
    training: str
    served: str
    model: str = ""
    key: list[str] = []
    score: str = ""
    feature: str = "rehearsed_feature"
    may_change: list[str] = []
    left_out: list[str] = []


class PathConfig(Table):
    """A table with one key, ``path``."""

    path: str


class RegistryConfig(Table):
    """``[tool.mltestscore.registry]``: a folder, or a registered model in MLflow, its alias in service."""

    path: str = ""
    mlflow: str = ""
    name: str = ""
    alias: str = "champion"

    @model_validator(mode="after")
    def _one_registry(self) -> Self:
        if bool(self.path) == bool(self.mlflow) or bool(self.mlflow) != bool(self.name):
            raise ValueError('needs path = "registry", or mlflow = "sqlite:///mlflow.db" with the name of the model')
        return self


class StoreConfig(Table):
    """``[tool.mltestscore.stores.<name>]``: a place that holds data of people, raw or derived.

    ``columns`` says under which name an identifier of a deletion stands in it: ``{"aircraft": "tailnum"}``.
    """

    source: str | list[str]
    raw: bool = False
    derived_from: list[str] = []
    access: list[str] = []
    columns: dict[str, str] = {}
    time: str = ""


class FeastConfig(Table):
    """``[tool.mltestscore.feast]``: the Feast repository behind datasets with ``source = "feast"``.

    ``rows`` are a data source with the entities' keys, and times for history; default: the serving log.
    """

    repository: str
    features: list[str] = []
    service: str = ""
    rows: str | list[str] | None = None
    python: str = ""
    timeout: float = Field(default=300.0, gt=0, le=3600)


class DeletionsConfig(Table):
    """``[tool.mltestscore.deletions]``: who asked to be forgotten, and when."""

    source: str
    identifiers: list[str]
    requested: str = "requested_at"
    deadline: str = ""
    returned: str = ""
    learned: str = ""


class HeuristicsConfig(Table):
    """``[tool.mltestscore.heuristics]``: rules that a model must beat; see :mod:`mltestscore.inputs.heuristics`."""

    rules: dict[str, str] = {}
    series: list[str] = []
    horizon_days: float | None = Field(default=None, ge=0)
    season_days: float = Field(default=0.0, ge=0)


class GateConfig(Table):
    """``[tool.mltestscore.gates.<name>]``: what a release needs.

    ``inconclusive`` and ``not_offered`` say what these states mean for the items in ``require``.
    """

    min_score: float | None = Field(default=None, ge=0, le=7)
    min_section: dict[Literal["data", "model", "infra", "monitor"], float] = {}
    require: tuple[str, ...] = ()
    inconclusive: Literal["fail", "allow"] = "fail"
    not_offered: Literal["fail", "allow"] = "fail"

    @field_validator("min_section", mode="before")
    @classmethod
    def _one_floor_for_all(cls, value: object) -> object:
        if isinstance(value, int | float):
            return dict.fromkeys(("data", "model", "infra", "monitor"), float(value))
        return value


class SchemaConfig(Table):
    """``[tool.mltestscore.schema]``: a suite of expectations, or a pandera schema (``"module:schema"``, YAML, JSON)."""

    path: str = ""
    pandera: str = ""
    pandera_rows: int = Field(default=20_000, ge=100, le=1_000_000)


class EvidenceConfig(Table):
    """``[[tool.mltestscore.evidence]]``: results that the team's own tools wrote, newest first, for one rubric item.

    ``data`` names what the results must say that they are about: a Great Expectations asset, a value of an Evidently
    snapshot's metadata, a route, a label, a digest. ``dataset`` names one of ours whose digest and rows count too.
    ``limits`` are for what measures and does not judge: Locust and Prometheus.
    """

    item: str
    kind: Literal["great_expectations", "evidently", "k6", "locust", "prometheus"]
    path: str
    data: list[str] = []
    dataset: DatasetName | Literal[""] = ""
    limits: dict[str, float] = {}
    max_age_days: float = Field(default=30.0, gt=0, le=366)
    name: str = ""


class EvidentlyConfig(Table):
    """``[tool.mltestscore.evidently]``: the team's own report with tests, run on bounded samples of two datasets."""

    report: str
    items: list[str] = ["monitor.2"]
    current: DatasetName = "serving"
    reference: DatasetName | Literal[""] = "training"
    definition: str = ""
    rows: int = Field(default=20_000, ge=100, le=1_000_000)


class RepositoryConfig(Table):
    """``[tool.mltestscore.repository]``: which repository makes the model; see :mod:`mltestscore.inputs.repository`."""

    path: str = ""
    branch: str = ""
    specification: str = ""
    paths: list[str] = []
    left_out: list[str] = ["*.md", "*.rst", "docs", "doc"]


class ForgeConfig(Table):
    """``[tool.mltestscore.forge]``: who knows of reviews; see :mod:`mltestscore.inputs.forge`."""

    kind: Literal["github", "gitlab"]
    project: str
    url: str = ""
    token_variable: str | None = None
    timeout: float = Field(default=10.0, gt=0, le=120)


class ExperimentsConfig(Table):
    """``[tool.mltestscore.experiments]``: experiments on users; see :mod:`mltestscore.inputs.experiments`."""

    source: str | list[str] | None = None
    mlflow: str = ""
    experiment: str = ""
    offline: str | list[str]
    online: str | list[str]
    date: str
    name: str = ""
    arm: str = ""
    degraded: list[str] = ["degraded"]
    metric: str = ""
    lower_is_better: list[Literal["offline", "online"]] = []


class TuningConfig(Table):
    """``[tool.mltestscore.tuning]``: the search for hyperparameters; see :mod:`mltestscore.inputs.tuning`."""

    source: str | list[str] | None = None
    optuna: str = ""
    study: str = ""
    mlflow: str = ""
    experiment: str = ""
    search: str = ""
    trusted: list[str] = []
    parameters: list[str] | dict[str, str] = []
    metric: str = ""
    lower_is_better: bool | None = None
    date: str = ""
    ended: str = ""
    folds: list[str] = []
    data: str = ""
    data_column: str = ""
    left_alone: list[str] = []
    space: dict[str, Any] = {}
    deployed: dict[str, Any] = {}
    schedule: int = Field(default=0, ge=0)
    reason: str = ""
