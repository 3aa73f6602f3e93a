"""The tables of ``[tool.mltestscore]`` that name what a team has already."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DatasetName = Literal["training", "holdout", "serving", "recomputed", "outcomes"]


class SettingsTable(BaseModel):
    """Base of all tables: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SchemaConfig(SettingsTable):
    """``[tool.mltestscore.schema]``: a suite of expectations, or a pandera schema (``"module:schema"``, YAML, JSON)."""

    path: str = ""
    pandera: str = ""
    pandera_rows: int = Field(default=20_000, ge=100, le=1_000_000)


class EvidenceConfig(SettingsTable):
    """``[[tool.mltestscore.evidence]]``: results that the team's own tools wrote, newest first, for one rubric item.

    ``data`` names what the results must say that they are about: a Great Expectations asset, a value of an Evidently
    snapshot's metadata, a digest. ``dataset`` names one of ours whose digest and rows count too.
    """

    item: str
    kind: Literal["great_expectations", "evidently"]
    path: str
    data: list[str] = []
    dataset: DatasetName | Literal[""] = ""
    max_age_days: float = Field(default=30.0, gt=0, le=366)
    name: str = ""


class EvidentlyConfig(SettingsTable):
    """``[tool.mltestscore.evidently]``: the team's own report with tests, run on bounded samples of two datasets."""

    report: str
    items: list[str] = ["monitor.2"]
    current: DatasetName = "serving"
    reference: DatasetName | Literal[""] = "training"
    definition: str = ""
    rows: int = Field(default=20_000, ge=100, le=1_000_000)


class RepositoryConfig(SettingsTable):
    """``[tool.mltestscore.repository]``: which repository makes the model; see :mod:`mltestscore.inputs.repository`."""

    path: str = ""
    branch: str = ""
    specification: str = ""
    paths: list[str] = []
    left_out: list[str] = ["*.md", "*.rst", "docs", "doc"]


class ForgeConfig(SettingsTable):
    """``[tool.mltestscore.forge]``: who knows of reviews; see :mod:`mltestscore.inputs.forge`."""

    kind: Literal["github", "gitlab"]
    project: str
    url: str = ""
    token_variable: str | None = None
    timeout: float = Field(default=10.0, gt=0, le=120)


class ExperimentsConfig(SettingsTable):
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
