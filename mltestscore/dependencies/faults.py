"""Copies of dependencies that are broken in one way: the faults of monitor.1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mltestscore.dependencies.contracts import Contract
from mltestscore.dependencies.drill import Drill, exercised
from mltestscore.dependencies.manifest import sources, unowned
from mltestscore.dependencies.observed import NO_PROBE
from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    from mltestscore.inputs.catalogue import Catalogue
    from mltestscore.inputs.dependencies import Dependencies

PLANTED = "planted_by_mltestscore"


def renamed(dependencies: Dependencies) -> Dependencies:
    """Rename the first field of a contract that was as agreed."""
    from mltestscore.inputs.dependencies import Reading

    for name, one in dependencies.readings.items():
        agreed = dependencies.acknowledged.get(name)
        if agreed and one.contract is not None and one.contract.fields and not dependencies.changed(name):
            (first, kind), *others = one.contract.fields.items()
            bent = Reading(Contract({f"{first}_{PLANTED}": kind, **dict(others)}))
            return dependencies.replace(readings={**dependencies.readings, name: bent})
    raise NotOffered("a contract as agreed", "agree to one with `mltestscore acknowledge`")


def bumped(dependencies: Dependencies) -> Dependencies:
    """Install a higher version of a package that was as locked."""
    environment = dependencies.environment
    for (name, _), pins in dependencies.required.items():
        version = environment.packages.get(name)
        if version is not None and dependencies.installed(pins[0]) == version and any(one.exact for one in pins):
            higher = {**environment.packages, name: f"{version.partition('!')[2] or version}.1".replace("+", ".")}
            if not any(one.allows(higher[name]) for one in pins):
                return dependencies.replace(environment=replace(environment, packages=higher))
    raise NotOffered("a lock that pins an installed package", "name it in locks")


def with_drill(dependencies: Dependencies, sink: str = "", expected: str = "") -> Dependencies:
    """Look for the probe in another place, or for another one, without sending more."""
    drill = dependencies.drill
    if drill is None:
        raise NotOffered("a probe", NO_PROBE)
    if exercised(drill).seconds is None:  # remembered: it is not sent again
        raise NotOffered("a probe that arrives", "mend the way of news first")
    bent: Drill = drill.replace(sink=sink or drill.sink, expected=expected)
    return dependencies.replace(drill=bent)


def ownerless(dependencies: Dependencies) -> Dependencies:
    """Take owner and channel from an entry that has both."""
    lacking = {text.partition(":")[0] for text in unowned(dependencies)}
    chosen = next((one for one in reversed(dependencies.entries) if f"{one.name:.80}" not in lacking), None)
    if chosen is None:
        raise NotOffered("an entry with an owner", "write owners and channels into the manifest")
    bare = chosen.model_copy(update={"owner": " ", "channel": " "})
    return dependencies.replace(entries=tuple(bare if one is chosen else one for one in dependencies.entries))


def unlisted(dependencies: Dependencies, catalogue: Catalogue) -> Dependencies:
    """Take the entry of a source of features off the list."""
    listed = [dependencies.entry(name) for name in sources(dependencies, catalogue)]
    gone = next((one for one in listed if one is not None), None)
    if gone is None:
        raise NotOffered("a listed source", "list the sources of the feature catalogue in the manifest")
    return dependencies.replace(entries=tuple(one for one in dependencies.entries if one is not gone))
