"""News of every dependency reaches the team: all are listed, none has changed unnoticed, a probe arrives.

Why
    The model's meaning is made elsewhere. Who renames a column, bumps a library or ends a service owes nothing to a
    consumer that he does not know of, and a channel that nobody reads might as well not exist.

Measured
    Every source of the feature catalogue and every raw store against the manifest (``[tool.mltestscore.dependencies]``)
    with owner and channel; each contract now (columns and types of a table, a schema, a digest) against those that
    somebody agreed to, field by field and in any order; the packages of the environment that serves against the lock,
    under its markers and extras; those packages against known vulnerabilities, where such data are offered; and, with
    ``probe = true``, whether a marked probe, sent by the team's own command, arrives where the team reads.

Passes when
    nothing is unlisted, unowned, changed without agreement, off the lock or vulnerable, and the probe arrives in time.

If it fails
    Ask the owner what changed, test with it, and agree: ``mltestscore acknowledge NAME --by YOU``. Install from the
    lock, or renew the lock after a test. Where the probe is lost, follow it along the channel.

Options
    accepted_vulnerabilities: ids or aliases that somebody decided to live with; none. max_vulnerability_data_days: 30,
    data older than a month do not rule out what is known now. max_agreement_days: 365, and max_acknowledgement_days: 7,
    beyond which an agreement, or a notification that nobody acknowledged, is pointed out; conventions of this project.

Source
    Breck et al. 2017, Monitor 1. PEP 440 (versions), PEP 508 (markers); OSV schema 1.7 (affected versions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltestscore import Table, check, fault, undecided
from mltestscore.dependencies.observed import CHANGED, DIFFERING, LOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mltestscore.declare import Observations
    from mltestscore.inputs.catalogue import Catalogue
    from mltestscore.inputs.dependencies import Dependencies

UNLISTED, UNOWNED = "sources outside the manifest", "dependencies without an owner or a channel"
BARE = "dependencies without a contract"


@check("monitor.1")
def check_dependencies(
    dependencies: Dependencies,
    clock: datetime,
    catalogue: Catalogue | None = None,
    *,
    accepted_vulnerabilities: tuple[str, ...] = (),
    max_vulnerability_data_days: float = 30.0,
    max_agreement_days: float = 365.0,
    max_acknowledgement_days: float = 7.0,
) -> Observations:
    """Hold manifest, contracts, packages and the way of news to what is so now."""
    from mltestscore.dependencies import observed
    from mltestscore.dependencies.manifest import COLUMNS, bare, overview, sources, unlisted, unowned

    entries, known = dependencies.entries, sources(dependencies, catalogue)
    if known:
        yield observed.counted(UNLISTED, unlisted(dependencies, known), len(known))
    else:
        yield undecided(UNLISTED, "neither a feature catalogue nor a raw store says where features come from")
    yield observed.counted(UNOWNED, unowned(dependencies), len(entries))
    yield observed.counted(BARE, bare(dependencies), len(entries))
    yield from observed.contracts(dependencies, clock, max_agreement_days)
    yield Table("What the system depends on", COLUMNS, overview(dependencies))
    yield from observed.packages(dependencies)
    yield from observed.vulnerabilities(dependencies, clock, accepted_vulnerabilities, max_vulnerability_data_days)
    yield from observed.probe(dependencies)
    yield from observed.notices(dependencies, clock, max_acknowledgement_days)


@fault(check_dependencies, "a column is renamed upstream, and nobody was told", caught_by=CHANGED)
def renamed_column(dependencies: Dependencies) -> Mapping[str, Any]:
    """Its values are the same, and every reader of the old name finds nothing."""
    from mltestscore.dependencies import faults

    return {"dependencies": faults.renamed(dependencies)}


@fault(check_dependencies, "a library is bumped where it serves, and not in the lock", caught_by=DIFFERING)
def bumped_library(dependencies: Dependencies) -> Mapping[str, Any]:
    """Somebody wrote "install --upgrade" there."""
    from mltestscore.dependencies import faults

    return {"dependencies": faults.bumped(dependencies)}


@fault(check_dependencies, "notifications go to a place that nobody reads", caught_by=LOST)
def wrong_sink(dependencies: Dependencies) -> Mapping[str, Any]:
    """The path of the sink was changed on one side only."""
    from mltestscore.dependencies import faults

    return {"dependencies": faults.with_drill(dependencies, sink=f"{faults.PLANTED}/nobody")}


@fault(check_dependencies, "the sink holds messages, and the probe is none of them", caught_by=LOST)
def another_message(dependencies: Dependencies) -> Mapping[str, Any]:
    """Shows that the probe is told from all that arrived before it."""
    from mltestscore.dependencies import faults

    return {"dependencies": faults.with_drill(dependencies, expected="probe-that-was-never-sent")}


@fault(check_dependencies, "an owner leaves, and nobody takes over", caught_by=UNOWNED)
def nobodys(dependencies: Dependencies) -> Mapping[str, Any]:
    """The entry stays, with nobody behind it."""
    from mltestscore.dependencies import faults

    return {"dependencies": faults.ownerless(dependencies)}


@fault(check_dependencies, "a source of features is taken off the list", caught_by=UNLISTED)
def forgotten_source(dependencies: Dependencies, catalogue: Catalogue) -> Mapping[str, Any]:
    """As if somebody read a table without asking."""
    from mltestscore.dependencies import faults

    return {"dependencies": faults.unlisted(dependencies, catalogue)}
