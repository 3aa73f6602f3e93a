"""``[tool.mltestscore]`` of a project, read once, typed, with errors that name the file, the key and the remedy."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from mltestscore.borrowed import settings
from mltestscore.borrowed.settings import SettingsTable as _Table
from mltestscore.errors import ConfigError, near

EXAMPLE = """[tool.mltestscore] is not in any pyproject.toml from {folder} upward. Write, for a start:
  [tool.mltestscore.data.training]
  source = "data/training.parquet"   # a file, a glob or "module:function"; label = "…", key = ["…"], time = "…"
  [tool.mltestscore.model]
  path = "model.skops"               # then run `pytest --mltestscore` again: the scorecard says what to offer next"""

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class DataConfig(_Table):
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


class ModelConfig(_Table):
    """``[tool.mltestscore.model]``; ``previous_path`` where the registry does not tell the version before."""

    path: str = ""
    previous_path: str = ""
    version: str = ""
    trusted: list[str] = []
    allow_pickle: bool = False
    loader: str = ""
    task: Literal["", "binary", "multiclass", "regression"] = ""
    features: list[str] = []


class TrainerConfig(_Table):
    """``[tool.mltestscore.trainer]``: ``call = "module:function"``, called as ``function(frame, seed)``."""

    call: str


class FeaturesConfig(_Table):
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


class DryRunConfig(_Table):
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


class EndpointConfig(_Table):
    """``[tool.mltestscore.endpoint]``: a server that we start (``command``) or that runs already (``url``)."""

    command: list[str] = []
    previous_command: list[str] = []
    url: str = ""
    protocol: str = "plain_json"
    model: str = ""
    predict: str = ""
    health: str = ""
    token_variable: str = ""
    ready_timeout: float = Field(default=30.0, gt=0, le=600)
    request_timeout: float = Field(default=5.0, gt=0, le=120)


class PathConfig(_Table):
    """A table with one key, ``path``."""

    path: str


class StoreConfig(_Table):
    """``[tool.mltestscore.stores.<name>]``: a place that holds data of people, raw or derived.

    ``columns`` says under which name an identifier of a deletion stands in it: ``{"aircraft": "tailnum"}``.
    """

    source: str | list[str]
    raw: bool = False
    derived_from: list[str] = []
    access: list[str] = []
    columns: dict[str, str] = {}
    time: str = ""


class FeastConfig(_Table):
    """``[tool.mltestscore.feast]``: the Feast repository behind datasets with ``source = "feast"``.

    ``rows`` are a data source with the entities' keys, and times for history; default: the serving log.
    """

    repository: str
    features: list[str] = []
    service: str = ""
    rows: str | list[str] | None = None
    python: str = ""
    timeout: float = Field(default=300.0, gt=0, le=3600)


class DeletionsConfig(_Table):
    """``[tool.mltestscore.deletions]``: who asked to be forgotten, and when."""

    source: str
    identifiers: list[str]
    requested: str = "requested_at"
    deadline: str = ""
    returned: str = ""
    learned: str = ""


class GateConfig(_Table):
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


class Config(_Table):
    """All of ``[tool.mltestscore]``; paths are relative to ``folder``, the folder of the file."""

    file: Path = Field(default=Path("pyproject.toml"), exclude=True)
    system: str = ""
    output: str = "mltestscore-report"
    history: str = ".mltestscore/history.db"
    clock: datetime | None = None
    checks_in: list[str] = []
    attestations: str = ""
    waivers: str = ""
    repeated_runs: int = Field(default=3, ge=2)
    repeated_within_days: int = Field(default=30, ge=1)
    proof_rows: int = Field(default=20_000, ge=200)
    proof_cache: bool = True
    drilldown: bool = False
    data: dict[str, DataConfig] = {}
    model: ModelConfig | None = None
    trainer: TrainerConfig | None = None
    features: FeaturesConfig | None = None
    dry_run: DryRunConfig | None = None
    endpoint: EndpointConfig | None = None
    schema_: settings.SchemaConfig | None = Field(default=None, alias="schema")
    registry: PathConfig | None = None
    catalogue: PathConfig | None = None
    stores: dict[str, StoreConfig] = {}
    deletions: DeletionsConfig | None = None
    feast: FeastConfig | None = None
    repository: settings.RepositoryConfig | None = None
    forge: settings.ForgeConfig | None = None
    experiments: settings.ExperimentsConfig | None = None
    evidence: list[settings.EvidenceConfig] = []
    evidently: settings.EvidentlyConfig | None = None
    checks: dict[str, dict[str, Any]] = {}
    gates: dict[str, GateConfig] = {}

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.file.parent

    @property
    def name(self) -> str:
        """The system's name on the scorecard."""
        return self.system or self.folder.resolve().name

    def path(self, relative: str) -> Path:
        """Return a configured path as one that does not depend on the current folder."""
        return self.folder / relative

    def history_url(self) -> str:
        """Return the history as a database URL; a plain path means a SQLite file beside the configuration."""
        return self.history if "://" in self.history else f"sqlite:///{self.path(self.history).resolve()}"

    def now(self) -> datetime:
        """Return the time that ages are measured from: ``clock`` if a system replays the past, else the real one."""
        if self.clock is None:
            return datetime.now(UTC)
        return self.clock if self.clock.tzinfo else self.clock.replace(tzinfo=UTC)


def find_config(start: Path) -> Path | None:
    """Return the nearest ``pyproject.toml`` with ``[tool.mltestscore]``, from ``start`` upward."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "mltestscore" in _toml(file).get("tool", {}):
            return file
    return None


def read_config(file: Path) -> Config:
    """Read ``[tool.mltestscore]`` of ``file``; ``${NAME:-default}`` in values is taken from the environment.

    Raises :class:`ConfigError` naming the file, the key and what was expected.
    """
    table = _toml(file).get("tool", {}).get("mltestscore", {})
    try:
        return Config.model_validate({**_expand(table, file), "file": file})
    except ValidationError as error:
        raise ConfigError(_explain(file, error)) from None


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}. Make it a readable UTF-8 file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}. Correct that line.") from None


def _expand(value: Any, file: Path) -> Any:
    if isinstance(value, dict):
        return {key: _expand(part, file) for key, part in value.items()}
    if isinstance(value, list):
        return [_expand(part, file) for part in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = os.environ.get(name, default)
        if found is None:
            raise ConfigError(f"{file}: the variable ${{{name}}} is not set; set it or write ${{{name}:-default}}.")
        return found

    return _VARIABLE.sub(variable, value)


def _explain(file: Path, error: ValidationError) -> str:
    first, *more = error.errors()
    where = ".".join(str(part) for part in ("tool", "mltestscore", *first["loc"]) if part != "[key]")
    if first["type"] == "extra_forbidden":
        problem = f"is not a known key.{near(str(first['loc'][-1]), _known(first['loc'][:-1]))}"
    else:
        problem = f"is {first['input']!r:.80}: {first['msg']}."
    rest = f" ({len(more)} more problem{'s' if len(more) > 1 else ''} after this one.)" if more else ""
    return f"{file}: {where} {problem}{rest}"


def _known(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are allowed at a place in the configuration."""
    tables: dict[str, type[_Table]] = {
        "data": DataConfig,
        "model": ModelConfig,
        "trainer": TrainerConfig,
        "features": FeaturesConfig,
        "dry_run": DryRunConfig,
        "endpoint": EndpointConfig,
        "schema": settings.SchemaConfig,
        "registry": PathConfig,
        "catalogue": PathConfig,
        "stores": StoreConfig,
        "deletions": DeletionsConfig,
        "feast": FeastConfig,
        "repository": settings.RepositoryConfig,
        "forge": settings.ForgeConfig,
        "experiments": settings.ExperimentsConfig,
        "evidence": settings.EvidenceConfig,
        "evidently": settings.EvidentlyConfig,
        "gates": GateConfig,
    }
    model = tables.get(str(location[0]), Config) if location else Config
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]
