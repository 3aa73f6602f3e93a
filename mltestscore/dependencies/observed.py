"""What monitor.1 observes, part by part: contracts, packages, vulnerabilities, the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore.details import Table
from mltestscore.finding import at_most, undecided

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from mltestscore.declare import Observations
    from mltestscore.finding import Finding
    from mltestscore.inputs.dependencies import Dependencies

CHANGED, OLD = "contracts that changed and nobody agreed", "contracts agreed to long ago"
NEVER = "contracts that nobody has agreed to"
DIFFERING, MISSING = "packages of another version than locked", "locked packages that are not installed"
UNPINNED, LOOSE = "packages of the manifest that no lock names", "packages that the lock does not pin exactly"
VULNERABLE, DATA_AGE = "known vulnerabilities of installed packages", "days since the vulnerabilities were known"
LOST, SECONDS = "probes that did not arrive", "seconds until the probe arrived"
NOTICES = "notifications that nobody acknowledged in time"
NO_PROBE = "no probe may be sent: set probe = true, notify and sink under [tool.mltestscore.dependencies.drill]"
SHOWN = 8


def counted(name: str, wrong: Collection[str], n: int, *, advisory: bool = False) -> Finding:
    """Count what is wrong, and name the first of it."""
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    return at_most(name, len(wrong), 0, n=n, cause="; ".join(list(wrong)[:SHOWN]) + more, advisory=advisory)


def contracts(dependencies: Dependencies, clock: datetime, days: float) -> Observations:
    """Hold each contract to those that somebody agreed to."""
    agreed, readings = dependencies.acknowledged, dependencies.readings
    if not readings:
        yield undecided(CHANGED, "no dependency has a contract to compare: name a table or schema in the manifest")
        return
    yield counted(NEVER, [f"{name:.80}" for name in readings if not agreed.get(name)], len(readings))
    unread = {name: one for name, one in readings.items() if one.contract is None and not one.gone}
    for name, one in unread.items():
        yield undecided(CHANGED, f"it cannot be read: {one.why:.300}", where=f"{name:.80}")
    changed = {name: dependencies.changed(name) for name in readings if name not in unread}
    said = [f"{name:.80}: {', '.join(some[:SHOWN])}" for name, some in changed.items() if some]
    yield counted(CHANGED, said, len(readings) - len(unread))
    old = [f"{name:.80}" for name in readings if agreed.get(name) and (clock - agreed[name][-1].at).days > days]
    yield counted(OLD, old, len(readings), advisory=True)


def packages(dependencies: Dependencies) -> Observations:
    """Hold the environment that serves to the lock."""
    from mltestscore.dependencies.packages import COLUMNS, drift

    named = [one for one in dependencies.entries if one.kind == "package"]
    if not dependencies.pins:
        yield undecided(DIFFERING, "no lock is offered: name it in locks under [tool.mltestscore.dependencies]")
        return
    yield counted(
        UNPINNED,
        [f"{one.name:.80}" for one in named if not (dependencies.pinned(one) or one.without_contract.strip())],
        len(named),
    )
    found = drift(dependencies)
    if not found.compared:
        yield undecided(DIFFERING, "the locks require no package of this environment: are they for another system?")
        return
    yield counted(DIFFERING, found.differing, found.compared)
    yield counted(MISSING, found.missing, found.compared)
    yield counted(LOOSE, found.loose, found.compared, advisory=True)
    note = f"{found.compared} packages compared; {len(found.unlocked)} installed ones are in no lock"
    yield Table(f"Packages that are not as locked ({note})", COLUMNS, found.rows)


def vulnerabilities(
    dependencies: Dependencies, clock: datetime, accepted: tuple[str, ...], days: float
) -> Observations:
    """Look for known vulnerabilities, where such data are offered."""
    audit, environment = dependencies.audit, dependencies.environment
    if audit is None:
        return
    found = audit.found(environment, accepted)
    said = [f"{one.id:.40} in {name} {version:.40}" for name, version, one in found]
    yield counted(VULNERABLE, said, len(environment.packages))
    if unaudited := audit.unaudited(environment, [name for name, _ in dependencies.required]):
        yield undecided(VULNERABLE, f"nobody audited {'; '.join(unaudited[:SHOWN])}", where="not audited")
    at, told = audit.as_of
    yield at_most(DATA_AGE, max(0.0, (clock - at).total_seconds() / 86_400), days, unit="days", note=told, n=1)


def probe(dependencies: Dependencies) -> Observations:
    """Send a probe, where one may be sent, and look for it."""
    from mltestscore.dependencies.drill import exercised, shown

    drill = dependencies.drill
    if drill is None:
        yield undecided(LOST, NO_PROBE)
        return
    found = exercised(drill)
    lost = found.seconds is None
    yield at_most(LOST, int(lost), 0, n=1, cause=found.cause, note=f"looked for {found.waited:.1f} s" if lost else "")
    if found.seconds is not None:
        yield at_most(SECONDS, found.seconds, drill.within_seconds, unit="s", n=1)
    rows = [(shown(drill.sink), found.seconds, "removed" if drill.remove else "left where it arrived")]
    yield Table("The probe", ("sink", "seconds", "afterwards"), rows)


def notices(dependencies: Dependencies, clock: datetime, days: float) -> Observations:
    """Count past notifications that nobody acknowledged in time, where there is a record of them."""
    from mltestscore.dependencies.news import unacknowledged

    if dependencies.notices is not None:
        late = unacknowledged(dependencies.notices, clock, days)
        yield at_most(NOTICES, late, 0, n=len(dependencies.notices), advisory=True)
