"""Machinery of data.4: which rule about features a model input breaks, itself or by what it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mltestscore.errors import ConfigError, near
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.catalogue import Catalogue, Entry
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model

PLACEHOLDERS = frozenset({"todo", "TODO", "tbd", "TBD", "fixme", "FIXME", "n/a", "N/A", "none", "unknown"})
ALWAYS = ("owner", "description")
COLUMNS = ("model input", "owner", "source", "tags, with inherited ones", "made from", "deprecated after", "breaks")
MAX_CELL = 200
PROXY = "how well one input tells a protected attribute"
SHOWN = 10
MAX_REASON = 300
NO_RULE = (
    "no rule is declared: set deny_names, deny_patterns, deny_tags or deny_sources under "
    '[tool.mltestscore.checks."data.4"], or mark what is forbidden or protected in the catalogue'
)


@dataclass(frozen=True)
class Policy:
    """What may not be read; names, patterns, tags and sources in any case of letters.

    Attributes:
        names: of features and columns.
        patterns: of names, with ``*`` and ``?``.
        tags: of the catalogue.
        sources: of the catalogue.
    """

    names: Sequence[str] = ()
    patterns: Sequence[str] = ()
    tags: Sequence[str] = ()
    sources: Sequence[str] = ()

    def says_something(self, catalogue: Catalogue) -> bool:
        """Say whether the policy, or the catalogue itself, forbids anything."""
        entries = [*catalogue.features.values(), *catalogue.columns.values()]
        marks = [one.forbidden for one in entries] + [one.forbidden for one in catalogue.sources.values()]
        own = any(map(str.strip, marks)) or bool(catalogue.protected)
        return own or any((self.names, self.patterns, self.tags, self.sources))

    def misspelt(self, catalogue: Catalogue) -> list[str]:
        """Return the tags and sources that the catalogue does not know, while it knows one that is written alike."""
        entries = [*catalogue.features.values(), *catalogue.columns.values()]
        tags = {tag.casefold() for one in entries for tag in one.tags}
        tags |= {tag.casefold() for source in catalogue.sources.values() for tag in source.tags}
        sources = {name.casefold() for name in (*catalogue.sources, *(name for one in entries for name in one.source))}
        odd = []
        for what, asked, known in (("tag", self.tags, tags), ("source", self.sources, sources)):
            for name in asked:
                close = get_close_matches(name.casefold(), known, n=1, cutoff=0.8)
                if close and name.casefold() not in known:
                    odd.append(f"{what} {name!r:.80}, where the catalogue has {close[0]!r:.80}")
        return odd


def forbidden(feature: str, catalogue: Catalogue, policy: Policy) -> list[str]:
    """Return why a model input may not be read, one sentence a reason; nothing if it may."""
    return list(_reasons(feature, catalogue, policy))


def _reasons(feature: str, catalogue: Catalogue, policy: Policy) -> Iterator[str]:
    names, sources, tags = (set(map(str.casefold, some)) for some in (policy.names, policy.sources, policy.tags))
    for name, way in catalogue.ancestors(feature).items():
        small = name.casefold()
        if small in names:
            yield f"{way}: the name {name!r} is denied"
        for pattern in policy.patterns:
            if fnmatchcase(small, pattern.casefold()):
                yield f"{way}: the name matches {pattern!r}"
        entry = catalogue.entry(name) or Entry()
        if entry.forbidden.strip():
            yield f"{way}: forbidden, {entry.forbidden}"
        if entry.protected:
            yield f"{way}: a protected attribute"
        for source in entry.source:
            said = catalogue.of_source(source).forbidden.strip()
            if said or source.casefold() in sources:
                yield f"{way}: the source {source!r} is denied{', ' if said else ''}{said}"
    for tag, by in catalogue.tags(feature).items():
        if tag.casefold() in tags:
            yield f"{feature}: tagged {tag!r}" + (f", by {by}" if by != feature else "")


def outlived(feature: str, catalogue: Catalogue, today: date) -> list[str]:
    """Return what a model input is made from that was to be gone before ``today``."""
    found = []
    for name, way in catalogue.ancestors(feature).items():
        entry = catalogue.entry(name) or Entry()
        dates = {way: entry.deprecated_after}
        dates |= {f"{way}, source {source}": catalogue.of_source(source).deprecated_after for source in entry.source}
        found += [f"{what}: deprecated after {last}" for what, last in dates.items() if last and today > last]
    return found


def required(more: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that every feature must have.

    Raises :class:`ConfigError` with near names for one that no catalogue has.
    """
    for name in more:
        if name not in Entry.model_fields:
            key = '[tool.mltestscore.checks."data.4"] also_require'
            raise ConfigError(f"{key} names {name!r:.80}, which no catalogue has.{near(name, Entry.model_fields)}")
    return tuple(dict.fromkeys((*ALWAYS, *more)))


def gaps(feature: str, entry: Entry, fields: Sequence[str] = ALWAYS) -> list[str]:
    """Return the fields that say nothing: empty, a placeholder, or a description that repeats the name.

    >>> gaps("age", Entry(owner="Na", description="TODO"))
    ['description']
    """

    def says(field: str) -> bool:
        value = getattr(entry, field)
        if not isinstance(value, str):
            return value not in (None, ())
        said = value.strip()
        repeated = field == "description" and _letters(said) == _letters(feature)
        return any(map(str.isalnum, said)) and said not in PLACEHOLDERS and not repeated

    return [field for field in fields if not says(field)]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def overview(
    features: Sequence[str], catalogue: Catalogue, broken: Mapping[str, list[str]], late: Mapping[str, list[str]]
) -> list[tuple[str, ...]]:
    """Return one row of :data:`COLUMNS` for each model input, those that break a rule first."""
    rows = []
    for name in sorted(features, key=lambda name: not (broken[name] or late[name])):
        entry = catalogue.entry(name) or Entry()
        made_from = list(catalogue.ancestors(name))[1:]
        listed = (", ".join(some) for some in (entry.source, catalogue.tags(name), made_from))
        cells = (name, entry.owner, *listed, str(entry.deprecated_after or ""), "; ".join([*broken[name], *late[name]]))
        rows.append(tuple(cell[:MAX_CELL] for cell in cells))
    return rows


def counted(name: str, found: Mapping[str, list[str]], names: tuple[str, ...]) -> Finding:
    """Return how many of the model inputs ``names`` break a rule; ``found`` says why, by name."""
    wrong = [reasons[0][:MAX_REASON] for reasons in found.values() if reasons]
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return at_most(name, len(wrong), 0, n=len(names), cause="; ".join(wrong[:SHOWN]) + more)


def proxies(
    attribute: str, model: Model, training: Dataset | None, limit: float, alpha: float, least: int, rows: int
) -> Iterator[Finding]:
    """Judge how well each model input tells a protected attribute.

    Args:
        attribute: the column of the training data.
        model, training: whose inputs, and the rows.
        limit: the largest area under the curve that is no proxy.
        alpha: the level of the bounds that accuse.
        least: rows that a group needs.
        rows: at most so many are looked at.
    """
    if training is None or attribute not in training.columns:
        yield undecided(PROXY, "the training data do not have it; offer it beside the features", where=attribute)
        return
    from mltestscore.features.proxies import associations, sides  # numpy and pandas

    others = [name for name in model.features if name != attribute and name in training.columns]
    if lacking := [name for name in model.features if name not in training.columns]:
        yield undecided(PROXY, "the training data do not have this input", where=f"{lacking[0]} for {attribute}")
    split = sides(training, others, attribute, rows, least)
    if not split.groups:
        few = f"no group of it has {least} judged rows, and ten clusters where rows are clustered, on either side"
        yield undecided(PROXY, few, where=attribute)
        return
    for one in associations(split, others, alpha, limit)[:SHOWN]:
        yield at_most(PROXY, one.area, limit, where=f"{one.feature} for {attribute} {one.group:.40}", unit="AUC")
