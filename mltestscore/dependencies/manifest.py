"""What a manifest of dependencies must say: every source, an owner and a channel each, and a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore.errors import near
from mltestscore.features.policy import PLACEHOLDERS

if TYPE_CHECKING:
    from mltestscore.inputs.catalogue import Catalogue
    from mltestscore.inputs.dependencies import Dependencies

COLUMNS = ("dependency", "kind", "owner", "channel", "contract now", "agreed to", "by", "what changed")
MAX_CELL = 200


def sources(dependencies: Dependencies, catalogue: Catalogue | None) -> dict[str, str]:
    """Return every source with what it feeds: of features and what they are made from, and raw stores.

    A feature of whose source nothing is said stands for itself.
    """
    found: dict[str, str] = {}
    for feature in catalogue.features if catalogue is not None else ():
        assert catalogue is not None  # else there is no feature
        entries = (catalogue.entry(one) for one in catalogue.ancestors(feature))
        named = [source for entry in entries if entry is not None for source in entry.source]
        for source in named or [feature]:
            found.setdefault(source, f"feature {feature:.80}")
    for store in dependencies.raw_stores:
        found.setdefault(store, "a raw store")
    return found


def unlisted(dependencies: Dependencies, known: dict[str, str]) -> list[str]:
    """Return the sources that the manifest does not have, each with what it feeds."""
    names = [one.name for one in dependencies.entries]
    remedy = "Give it a [[dependency]] of its own, or name it in covers of the one that it comes from."
    return [
        f"{source:.80} ({feeds}).{near(source, names)[:200]} {remedy}"
        for source, feeds in known.items()
        if dependencies.entry(source) is None
    ]


def unowned(dependencies: Dependencies) -> list[str]:
    """Return the dependencies of which owner or channel is empty or a placeholder."""
    found = []
    for one in dependencies.entries:
        lacking = [name for name in ("owner", "channel") if getattr(one, name).strip() in PLACEHOLDERS | {""}]
        if lacking:
            found.append(f"{one.name:.80}: {' and '.join(lacking)}")
    return found


def bare(dependencies: Dependencies) -> list[str]:
    """Return the dependencies that have no contract, are no packages, and do not say why."""
    return [
        f"{one.name:.80}"
        for one in dependencies.entries
        if one.kind != "package" and not one.contract and one.without_contract.strip() in PLACEHOLDERS | {""}
    ]


def overview(dependencies: Dependencies) -> list[tuple[str, ...]]:
    """Return a row for each dependency, with :data:`COLUMNS`; what has changed comes first."""
    rows = []
    for one in dependencies.entries:
        reading, agreed = dependencies.readings.get(one.name), dependencies.acknowledged.get(one.name, ())
        now = reading.contract.digest if reading and reading.contract else (reading.why if reading else "")
        changed = ", ".join(dependencies.changed(one.name)) if reading else ""
        last = (agreed[-1].at.date().isoformat(), agreed[-1].by) if agreed else ("", "")
        row = (one.name, one.kind, one.owner, one.channel, now or one.without_contract, *last, changed)
        rows.append(tuple(cell[:MAX_CELL] for cell in row))
    return sorted(rows, key=lambda row: not row[-1])
