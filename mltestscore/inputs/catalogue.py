"""The team's feature catalogue: who answers for each model input, what it is made from, its cost and its last day.

``[tool.mltestscore.catalogue] path = "catalogue.toml"``, a UTF-8 TOML file::

    [features.income_band]                 # a model input; "embedding_*" speaks for all inputs that match it
    owner = "Credit team"
    description = "Yearly income in five bands"
    unit = "EUR"
    source = "crm"                         # or a list
    tags = ["financial"]
    derived_from = ["salary"]              # features or columns; their tags are inherited
    drops = ["personal"]                   # tags of what it is made from that it rightly carries no longer
    deprecated_after = 2027-06-30
    forbidden = ""                         # why no model may read it, or anything made from it
    protected = false                      # true: nor may an input stand for it
    cost = "crm lookup"                    # a name of [costs], paid once by all its features; or a table of its own
    null_share = 0.02                      # the share of rows that may lack it

    [columns.salary]                       # no model input, but something is made from it or must not stand for it
    source = "crm"
    tags = ["personal"]

    [sources.crm]                          # optional; once one is described, all must be
    owner = "Sales"
    description = "Customer database"
    tags = []
    deprecated_after = 2028-01-01
    forbidden = ""
    late_share = 0.01                      # of requests for which it answered too late

    [costs."crm lookup"]                   # per request
    compute_ms = 1.5
    store_calls = 1
    memory_mb = 0.5

Every key is optional.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mltestscore.errors import InputError, near

MAX_BYTES = 4 * 2**20
MAX_TEXT = 2_000
MAX_NAME = 200
MAX_WAY = 300
EXAMPLE = '[features.age]\n  owner = "…"\n  description = "…"'

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Name = Annotated[str, Field(max_length=MAX_NAME)]
Names = Annotated[
    tuple[Name, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value), Field(max_length=500)
]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cost(_Table):
    """What something costs for each request; ``None`` where nobody says.

    Attributes:
        compute_ms: milliseconds of computing and waiting.
        store_calls: calls of a store or service.
        memory_mb: MiB held for it.
    """

    compute_ms: Amount | None = None
    store_calls: Amount | None = None
    memory_mb: Amount | None = None
    description: Text = ""


class Source(_Table):
    """Where columns come from; see the module's example."""

    owner: Text = ""
    description: Text = ""
    tags: Names = ()
    deprecated_after: date | None = None
    forbidden: Text = ""
    late_share: Share | None = None


class Entry(_Table):
    """One feature or column; see the module's example."""

    owner: Text = ""
    description: Text = ""
    unit: Text = ""
    source: Names = ()
    tags: Names = ()
    derived_from: Names = ()
    drops: Names = ()
    deprecated_after: date | None = None
    forbidden: Text = ""
    protected: bool = False
    cost: Cost | Name = ""
    null_share: Share | None = None


class _File(_Table):
    features: dict[Name, Entry] = {}
    columns: dict[Name, Entry] = {}
    sources: dict[Name, Source] = {}
    costs: dict[Name, Cost] = {}


_KINDS: dict[str, type[_Table]] = {"features": Entry, "columns": Entry, "sources": Source, "costs": Cost}


@dataclass(frozen=True)
class Catalogue:
    """What a team says of its features.

    Attributes:
        source: the file.
        features: model inputs by name, or by a pattern with ``*``.
        columns: what features are derived from, or must not stand for.
        sources: where both come from.
        costs: shared costs by name.
        digest: of the file; empty for a changed copy.
    """

    source: str
    features: Mapping[str, Entry]
    columns: Mapping[str, Entry]
    sources: Mapping[str, Source]
    costs: Mapping[str, Cost]
    digest: str = ""

    def entry(self, name: str) -> Entry | None:
        """Return what is said of a feature or column: under its name, else under the longest pattern that it matches.

        >>> Catalogue("", {"embedding_*": Entry(owner="Ada")}, {}, {}, {}).entry("embedding_17").owner
        'Ada'
        """
        return self.features.get(self.key(name)) or self.columns.get(name)

    def key(self, name: str) -> str:
        """Return under which name a feature or column is described; its own where it is not."""
        if name in self.features or name in self.columns:
            return name
        return max((one for one in self._patterns if fnmatchcase(name, one)), key=len, default=name)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        return tuple(name for name in self.features if "*" in name)

    @property
    def protected(self) -> tuple[str, ...]:
        """The features and columns that no model input may be, or stand for."""
        return tuple(name for name, entry in {**self.columns, **self.features}.items() if entry.protected)

    def ancestors(self, name: str) -> dict[str, str]:
        """Return what a feature is made from, itself first, each with the way to it: ``"band ← salary ← payslip"``."""
        ways = {name: name}
        queue = [name]
        for one in queue:
            entry = self.entry(one)
            for parent in entry.derived_from if entry else ():
                if parent not in ways:
                    ways[parent] = f"{ways[one]} ← {parent}" if len(ways[one]) < MAX_WAY else ways[one]
                    queue.append(parent)
        return ways

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of a feature, its own and inherited ones, each with the column or source that brought it."""
        parents = {one: entry.derived_from for one in self.ancestors(name) if (entry := self.entry(one))}
        known: dict[str, dict[str, str]] = {}
        for one in TopologicalSorter(parents).static_order():
            entry = self.entry(one)
            if entry is None:
                continue
            found = {tag: f"source {source}" for source in entry.source for tag in self.of_source(source).tags}
            for parent in entry.derived_from:
                found |= known.get(parent, {})
            known[one] = {tag: by for tag, by in found.items() if tag not in entry.drops} | dict.fromkeys(
                entry.tags, one
            )
        return known.get(name, {})

    def of_source(self, name: str) -> Source:
        """Return what is said of a source; nothing where sources are only named."""
        return self.sources.get(name, Source())

    def declare(self, kind: str, name: str, **fields: Any) -> Catalogue:
        """Return a catalogue in which an entry of ``features``, ``columns``, ``sources`` or ``costs`` says otherwise.

        An entry that is not there yet is added; how a fault is planted.
        """
        held: Mapping[str, _Table] = getattr(self, kind)
        before = held.get(name) or (self.entry(name) if kind == "features" else None) or _KINDS[kind]()
        changed = {**held, name: before.model_copy(update=fields)}
        return replace(self, **{kind: changed}, digest="")  # type: ignore[arg-type]  # the four kinds, by name


def load_catalogue(file: Path) -> Catalogue:
    """Read a catalogue; see the module for its form.

    Raises :class:`InputError` that names the file, the key, what was expected, and near names.
    """
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"There is no feature catalogue {file}.{near(file.name, beside)}")
    try:
        content = file.read_bytes()
        if len(content) > MAX_BYTES:
            raise InputError(f"{file} has {len(content):,} bytes; a catalogue has at most {MAX_BYTES:,}.")
        data = tomllib.loads(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}. Make it a readable UTF-8 file.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{file} is not valid TOML: {error}. Correct that line.") from None
    return read_catalogue(data, str(file), hashlib.sha256(content).hexdigest()[:16])


def read_catalogue(data: Mapping[str, Any], source: str = "catalogue", digest: str = "") -> Catalogue:
    """Return the catalogue that ``data`` holds, in the form of the file; errors as for :func:`load_catalogue`.

    >>> read_catalogue({"features": {"age": {"owner": "Ada", "tags": ["personal"]}}}).tags("age")
    {'personal': 'age'}
    """
    try:
        held = _File.model_validate(data)
    except ValidationError as error:
        raise InputError(_explain(source, error)) from None
    if not held.features:
        raise InputError(f"{source} describes no feature; write for each model input, for a start:\n  {EXAMPLE}")
    catalogue = Catalogue(source, held.features, held.columns, held.sources, held.costs, digest)
    _refuse_loose_ends(catalogue)
    return catalogue


def _refuse_loose_ends(catalogue: Catalogue) -> None:
    """A name that leads nowhere would lose the tags, dates and costs that lie behind it, in silence."""
    twice = set(catalogue.features) & set(catalogue.columns)
    if twice:
        raise InputError(f"{catalogue.source}: {min(twice)!r} is under [features] and [columns]; keep one of the two.")
    entries = {**catalogue.columns, **catalogue.features}
    for name, entry in entries.items():
        where = f"{catalogue.source}: {name!r:.80}"
        for parent in entry.derived_from:
            if catalogue.entry(parent) is None:
                remedy = f"{near(parent, entries)} A raw column is described under [columns.{parent:.80}]."
                raise InputError(f"{where} is derived from {parent!r:.80}, which is not there.{remedy}")
        if catalogue.sources:
            _refuse_unknown(where, "source", entry.source, catalogue.sources)
        if isinstance(entry.cost, str) and entry.cost:
            _refuse_unknown(where, "cost", (entry.cost,), catalogue.costs)
    try:
        TopologicalSorter({name: map(catalogue.key, one.derived_from) for name, one in entries.items()}).prepare()
    except CycleError as error:
        way = " ← ".join(map(str, error.args[1][:6]))
        raise InputError(f"{catalogue.source}: {way} are derived from each other; remove one derived_from.") from None


def _refuse_unknown(where: str, what: str, names: Iterable[str], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            remedy = f"{near(name, known)} Describe it under [{what}s.…]."
            raise InputError(f"{where} names the {what} {name!r:.80}, which is not there.{remedy}")


def _explain(source: str, error: ValidationError) -> str:
    first, *more = error.errors(include_url=False)
    location = [part for part in first["loc"] if part not in ("Cost", "[key]")]
    where = ".".join(f"{part!s:.80}" for part in location)
    if first["type"] == "extra_forbidden":
        table = _KINDS.get(str(location[0])) if len(location) > 1 else _File
        fields = Cost if "cost" in location[2:-1] else table or _File
        problem = f"is not a known key.{near(str(location[-1]), fields.model_fields)}"
    else:
        problem = f"is {first['input']!r:.80}: {first['msg']}."
    rest = f" ({len(more)} more after this one.)" if more else ""
    return f"{source}: {where} {problem}{rest}"
