"""What a system depends on, who answers for it, and what of it is so now: contracts, packages, the way of news.

``[tool.mltestscore.dependencies] manifest = "dependencies.toml"``, a UTF-8 TOML file::

    [[dependency]]
    name = "weather"                     # as the feature catalogue names its source
    kind = "table"                       # table, api, package, model (upstream) or file
    owner = "Weather feed team"
    channel = "#weather-changes"         # where the owner announces changes
    contract = "upstream/weather.parquet"  # what it promises; see mltestscore.dependencies.contracts.read_contract
    covers = ["weather_hourly"]          # other names of the same in the catalogue or among raw stores; "*" matches

    [[dependency]]
    name = "scikit-learn"
    kind = "package"                     # held to the lock; needs no contract
    owner = "scikit-learn"
    channel = "https://github.com/scikit-learn/scikit-learn/releases"

    [[dependency]]
    name = "airport-list"
    kind = "file"
    owner = "Ada"
    channel = "ada@example.org"
    without_contract = "a list of names that Ada types"  # why there is nothing to compare

Which contracts somebody agreed to stands in the file ``acknowledged``, which ``mltestscore acknowledge`` writes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mltestscore.dependencies.acknowledged import Acknowledgement, read_acknowledged
from mltestscore.dependencies.contracts import Contract, GoneError, changes, read_contract
from mltestscore.dependencies.drill import Drill, checked, commanded
from mltestscore.dependencies.environment import Environment, normal, read_environment
from mltestscore.dependencies.locks import Pin, read_lock
from mltestscore.dependencies.news import Notice, read_notices
from mltestscore.dependencies.vulnerabilities import Audit, read_vulnerabilities
from mltestscore.errors import InputError, near
from mltestscore.inputs import digests

MAX_BYTES = 4 * 2**20
Text = Annotated[str, Field(max_length=2_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[
    tuple[Name, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value), Field(max_length=500)
]


class Dependency(BaseModel):
    """One entry of the manifest; see the module's example."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    kind: Literal["table", "api", "package", "model", "file"]
    owner: Text = ""
    channel: Text = ""
    description: Text = ""
    contract: Text = ""
    without_contract: Text = ""
    covers: Names = ()

    @model_validator(mode="after")
    def _either(self) -> Dependency:
        if self.contract and self.without_contract:
            raise ValueError("has a contract and says why it has none; keep one of the two")
        return self

    def is_for(self, source: str) -> bool:
        """Say whether a feature source or store is this dependency."""
        return self.name == source or any(fnmatchcase(source, one) for one in self.covers)


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dependency: list[Dependency] = Field(max_length=5_000)


@dataclass(frozen=True)
class Reading:
    """What a dependency promises now; or, without a contract, why that is not known, and whether it is gone."""

    contract: Contract | None = None
    why: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Dependencies:
    """What the system depends on.

    Attributes:
        source: the manifest.
        entries: what it lists.
        readings: what each entry with a contract promises now, by name.
        acknowledged: the contracts that somebody agreed to, by name.
        environment: what is installed where the model is served.
        pins: what the locks of this environment pin; empty where none is offered.
        elsewhere: what the locks of other environments pin, such as the one that trains.
        chosen: the extras and groups of the lock that are installed.
        audit: known vulnerabilities; ``None`` where none are offered.
        drill: how a probe is sent; ``None`` where none may be.
        notices: past notifications; ``None`` where there is no record of them.
        raw_stores: the raw stores that the configuration names: sources, too.
    """

    source: str
    entries: tuple[Dependency, ...]
    readings: Mapping[str, Reading]
    acknowledged: Mapping[str, tuple[Acknowledgement, ...]]
    environment: Environment
    pins: tuple[Pin, ...] = ()
    elsewhere: tuple[Pin, ...] = ()
    chosen: tuple[str, ...] = ()
    audit: Audit | None = None
    drill: Drill | None = None
    notices: tuple[Notice, ...] | None = None
    raw_stores: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits over all of it, but for what a probe has found."""
        environment = (self.environment.source, sorted(self.environment.packages.items()))
        contracts = sorted((name, one.contract and one.contract.digest, one.why) for name, one in self.readings.items())
        agreed = sorted(
            (name, [(x.contract.digest, x.at, x.by) for x in held]) for name, held in self.acknowledged.items()
        )
        locked = (*self.pins, *self.elsewhere)
        pins = [(one.name, one.allowed, one.marker, sorted(one.groups), one.lock) for one in locked]
        parts = (self.entries, contracts, agreed, environment, pins, self.chosen, self.audit, self.drill, self.notices)
        return digests.of_settings((*parts, self.raw_stores))

    def replace(self, **changed: Any) -> Dependencies:
        """Return dependencies with other attributes: how a fault is planted."""
        return replace(self, **changed)

    def entry(self, source: str) -> Dependency | None:
        """Return the entry for a feature source or store, if there is one."""
        return next((one for one in self.entries if one.is_for(source)), None)

    def changed(self, name: str) -> list[str]:
        """Return what differs between a contract now and the one agreed to that is nearest to it."""
        reading, agreed = self.readings[name], self.acknowledged.get(name, ())
        if reading.contract is None or not agreed:
            return [f"it is gone: {reading.why:.200}"] if reading.gone and agreed else []
        return min((changes(one.contract, reading.contract) for one in reversed(agreed)), key=len)

    @cached_property
    def required(self) -> Mapping[tuple[str, str], tuple[Pin, ...]]:
        """The pins that the environment must meet, by package and lock; of several of one lock, any will do."""
        found: dict[tuple[str, str], tuple[Pin, ...]] = {}
        for one in self.pins:
            if one.applies(self.environment, self.chosen):
                found[one.name, one.lock] = (*found.get((one.name, one.lock), ()), one)
        return found

    def installed(self, pin: Pin) -> str | None:
        """Return the installed version of what a pin names."""
        if pin.conda and pin.name in self.environment.conda:
            return self.environment.conda[pin.name]
        return self.environment.packages.get(pin.name)

    def pinned(self, entry: Dependency) -> bool:
        """Say whether a lock names a package of the manifest."""
        locked = {one.name for one in (*self.pins, *self.elsewhere)}
        return any(fnmatchcase(one, normal(name)) for one in locked for name in (entry.name, *entry.covers))


def open_dependencies(
    manifest: Path,
    *,
    base: Path,
    acknowledged: Path,
    locks: Sequence[str] = (),
    locks_elsewhere: Sequence[str] = (),
    extras: Sequence[str] = (),
    python: str = "",
    installed: str = "",
    vulnerabilities: Sequence[str] = (),
    vulnerabilities_at: datetime | None = None,
    notices: str = "",
    drill: Mapping[str, Any] | None = None,
    system: str = "",
    raw_stores: Sequence[str] = (),
) -> Dependencies:
    """Read the manifest, and what it names; paths are relative to ``base``.

    Raises :class:`InputError` or :class:`ConfigError` that names what is wrong; a contract that cannot be read is none.
    """
    entries = read_manifest(manifest)
    agreed = read_acknowledged(acknowledged)
    environment = read_environment(python, installed, base)
    here, there = (
        tuple(pin for name in names for pin in read_lock(name, base, environment)) for names in (locks, locks_elsewhere)
    )
    probe = None
    if drill is not None and drill["probe"]:
        settings = {name: value for name, value in drill.items() if name not in ("probe", "notify")}
        probe = checked(Drill(commanded(drill["notify"]), **settings, folder=base.resolve(), system=system))
    return Dependencies(
        str(manifest),
        entries,
        {one.name: _reading(one, base, one.name in agreed) for one in entries if one.contract},
        agreed,
        environment,
        here,
        there,
        tuple(extras),
        read_vulnerabilities(vulnerabilities, base, vulnerabilities_at),
        probe,
        read_notices(notices, base) if notices else None,
        tuple(raw_stores),
    )


def read_manifest(file: Path) -> tuple[Dependency, ...]:
    """Return the entries of a manifest; raise :class:`InputError` that names the file and what is wrong in it."""
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"There is no manifest of dependencies {file}.{near(file.name, beside)}")
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{file} has more than {MAX_BYTES:,} bytes, too many for a manifest.")
        entries = _Manifest.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).dependency
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}. Make it a readable UTF-8 file.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{file} is not valid TOML: {error}. Correct that line.") from None
    except ValidationError as error:
        raise InputError(_explain(file, error)) from None
    names = [one.name for one in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        more = f"lists {twice[0]!r:.80} twice; keep one" if twice else "lists no [[dependency]]; write one for each"
        raise InputError(f"{file} {more}.")
    return tuple(entries)


def _reading(entry: Dependency, base: Path, agreed: bool) -> Reading:
    """Read a contract; one that was never agreed to and is not there is a slip of the pen."""
    try:
        return Reading(read_contract(entry.contract, base))
    except GoneError as error:
        if not agreed:
            raise InputError(f"the contract of {entry.name!r:.80}: {error}") from error
        return Reading(why=str(error), gone=True)
    except InputError as error:
        return Reading(why=str(error))


def _explain(file: Path, error: ValidationError) -> str:
    first, *more = error.errors(include_url=False)
    place, key = first["loc"][1:2], first["loc"][2:3]
    where = f"dependency {int(place[0]) + 1}" if place else "it"
    where += f", {key[0]!s:.80}," if key else ""
    rest = f" ({len(more)} more after this one.)" if more else ""
    if first["type"] == "extra_forbidden":
        known = Dependency.model_fields if place else _Manifest.model_fields
        return f"{file}: {where} is not a known key.{near(str(first['loc'][-1])[:80], known)}{rest}"
    return f"{file}: {where} is {str(first['input'])[:80]!r}: {first['msg']:.200}.{rest}"
