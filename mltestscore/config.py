"""``[tool.mltestscore]`` of a project, read once, typed, with errors that name the file, the key and the remedy."""

from __future__ import annotations

import os
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from pydantic import Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from mltestscore import settings, settings_infra
from mltestscore.errors import ConfigError, near
from mltestscore.settings import Table
from mltestscore.settings_servers import Operations
from mltestscore.settings_serving import EndpointConfig, Protocol

EXAMPLE = """[tool.mltestscore] is not in any pyproject.toml from {folder} upward. Write, for a start:
  [tool.mltestscore.data.training]
  source = "data/training.parquet"   # a file, a glob or "module:function"; label = "…", key = ["…"], time = "…"
  [tool.mltestscore.model]
  path = "model.skops"               # then run `pytest --mltestscore` again: the scorecard says what to offer next"""

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class Config(Table):
    """All of ``[tool.mltestscore]``; paths are relative to ``folder``, the folder of the file."""

    file: Path = Field(default=Path("pyproject.toml"), exclude=True)
    extends: str = ""
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
    data: dict[settings.DatasetName, settings.DataConfig] = {}
    model: settings.ModelConfig | None = None
    trainer: settings.TrainerConfig | None = None
    features: settings.FeaturesConfig | None = None
    dry_run: settings.DryRunConfig | None = None
    endpoint: EndpointConfig | None = None
    protocols: dict[str, Protocol] = {}
    servers: dict[str, Operations] = {}
    schema_: settings.SchemaConfig | None = Field(default=None, alias="schema")
    registry: settings.RegistryConfig | None = None
    catalogue: settings.PathConfig | None = None
    stores: dict[str, settings.StoreConfig] = {}
    deletions: settings.DeletionsConfig | None = None
    feast: settings.FeastConfig | None = None
    repository: settings.RepositoryConfig | None = None
    forge: settings.ForgeConfig | None = None
    experiments: settings.ExperimentsConfig | None = None
    heuristics: settings.HeuristicsConfig | None = None
    tuning: settings.TuningConfig | None = None
    specification: settings_infra.SpecificationConfig | None = None
    pipeline: settings_infra.PipelineConfig | None = None
    validator: settings_infra.ValidatorConfig | None = None
    rollback: settings_infra.RollbackConfig | None = None
    trace: settings_infra.TraceConfig | None = None
    dependencies: settings_infra.DependenciesConfig | None = None
    canary: settings_infra.CanaryConfig | None = None
    evidence: list[settings.EvidenceConfig] = []
    evidently: settings.EvidentlyConfig | None = None
    checks: dict[str, dict[str, Any]] = {}
    gates: dict[str, settings.GateConfig] = {}

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.file.parent

    @property
    def name(self) -> str:
        """The system's name on the scorecard."""
        return self.system or self.folder.resolve().name

    @model_validator(mode="after")
    def _messages_beside_the_configuration(self) -> Config:
        """Take the path of a protocol's messages from the folder of the configuration, as every other path."""
        for name, protocol in self.protocols.items():
            if protocol.messages.endswith(".binpb"):
                place = str(self.path(protocol.messages).resolve())
                self.protocols[name] = protocol.model_copy(update={"messages": place})
        return self

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

    With ``extends = "pyproject.toml"`` it changes that file beside it: tables key by key, their entries in lists by
    ``name`` where all have one, all other values as a whole.

    Raises :class:`ConfigError` naming the file, the key and what was expected.
    """
    table = _extended(file, ())
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


def _extended(file: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Return the table of a file over that of the file which it extends, if any."""
    table: dict[str, Any] = _toml(file).get("tool", {}).get("mltestscore", {})
    named = table.get("extends", "")
    if not named or not isinstance(named, str):
        return table
    base = file.parent / named
    if base.resolve().parent != file.resolve().parent:
        raise ConfigError(f"{file}: extends names {named!r:.200}; put both files into one folder: paths start there.")
    if base.resolve() in (file.resolve(), *above):
        raise ConfigError(f"{file}: extends names {named!r:.200}, which leads back to this file. Take one of them out.")
    extended: dict[str, Any] = _merged(_extended(base, (file.resolve(), *above)), table)
    return extended


def _merged(base: Any, own: Any) -> Any:
    """Return ``base`` with what ``own`` says in its place.

    >>> _merged({"a": 1, "b": [{"name": "x", "c": 2}]}, {"b": [{"name": "x", "d": 3}]})
    {'a': 1, 'b': [{'name': 'x', 'c': 2, 'd': 3}]}
    """
    if isinstance(base, dict) and isinstance(own, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in own.items()}}
    names = [_names(one) for one in (base, own)]
    if not all(names):
        return own
    ours = dict(zip(names[1], own, strict=True))
    kept = [_merged(one, ours.pop(name, {})) for name, one in zip(names[0], base, strict=True)]
    return [*kept, *ours.values()]


def _names(value: Any) -> list[str]:
    """Return the names of a list's entries; none where it is no list, or an entry has none."""
    entries = value if isinstance(value, list) else []
    found = [one["name"] for one in entries if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return found if len(found) == len(entries) == len(set(found)) else []


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
        problem = f"is not a known key.{near(str(first['loc'][-1]), known_keys(first['loc'][:-1]))}"
    elif first["loc"][-1] == "[key]":
        problem = f"is not a dataset.{near(str(first['input']), get_args(settings.DatasetName))}"
    else:
        problem = f"is {first['input']!r:.80}: {first['msg']}."
    rest = f" ({len(more)} more problem{'s' if len(more) > 1 else ''} after this one.)" if more else ""
    return f"{file}: {where} {problem}{rest}"


def known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are allowed at a place in the configuration, such as ``("data", "training")``."""
    table: type[Table] = Config
    for part in location:  # a name that the team chose, such as a store's, leads nowhere
        found = _fields(table).get(str(part))
        table = (_table(found.annotation) if found else None) or table
    return list(_fields(table))


def _fields(table: type[Table]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in table.model_fields.items() if not field.exclude}


def _table(annotation: Any) -> type[Table] | None:
    """Return the table in ``Table | None``, ``dict[str, Table]`` or ``list[Table]``."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next(filter(None, map(_table, get_args(annotation))), None)
