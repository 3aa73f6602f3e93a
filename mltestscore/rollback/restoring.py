"""Putting back what a drill changed: at its end, and before the next one where it was killed."""

from __future__ import annotations

import time

from mltestscore.errors import InputError
from mltestscore.inputs.rollback import Rollback
from mltestscore.rollback.journal import Open
from mltestscore.rollback.registries import TABLE, Remembering, VersionRegistry
from mltestscore.rollback.staging import opened
from mltestscore.serving.protocols import Columns

LOOK = 0.05
RESTORING = (60.0, 10.0)  # putting back may take so many seconds, or so many times what going back may take


def limit(rollback: Rollback) -> float:
    """Return the seconds that putting back may take."""
    return max(RESTORING[0], RESTORING[1] * rollback.max_seconds)


def remembered(registry: VersionRegistry) -> str:
    """Return what the journal keeps for a registry that must know more than the version."""
    return registry.remembered() if isinstance(registry, Remembering) else ""


def put_back(registry: VersionRegistry, version: str, kept: str, timeout: float) -> None:
    """Promote the version that was in service, as it was."""
    if isinstance(registry, Remembering) and kept:
        registry.put_back(version, kept, timeout)
    else:
        registry.promote(version, timeout)


def tidy(registry: VersionRegistry, kept: str, timeout: float) -> None:
    """Remove what the drill added besides."""
    if isinstance(registry, Remembering) and kept:
        registry.tidy(kept, timeout)


def recovered(rollback: Rollback, registry: VersionRegistry, place: str, columns: Columns) -> str:
    """Put back what a drill that was killed has left; return what was done.

    Raises :class:`InputError` where that is not possible, or the configuration names another target now.
    """
    journal = rollback.journal
    pending = journal.pending()
    if pending is None:
        return ""
    if pending.target != rollback.source:
        raise InputError(
            f"{TABLE}: a drill on {pending.target:.200} was killed before it put back {pending.current!r:.80}, and the "
            f"configuration names another target now. Put it back yourself, then delete {journal.file}."
        )
    now = registry.current()
    if now not in (pending.previous, pending.current, ""):
        journal.close()
        return f"a drill was killed; somebody has promoted {now:.80} since, which was left alone"
    put_back(registry, pending.current, pending.remembered, limit(rollback))
    if rollback.serving.url and not rollback.serving.command:  # a server that was ours ended with its drill
        _serve_again(rollback, pending, place, columns)
    tidy(registry, pending.remembered, limit(rollback))
    journal.close()
    return f"a drill was killed half-way; {pending.current:.80} was put back before this one"


def _serve_again(rollback: Rollback, pending: Open, place: str, columns: Columns) -> None:
    """Redeploy, and wait for answers that name the version that was in service."""
    with opened(rollback.serving, rollback.folder, place, pending.current) as staging:
        staging.redeploy(pending.current, limit(rollback))
        deadline = time.monotonic() + limit(rollback)
        while staging.served_version(columns) != pending.named:
            if time.monotonic() > deadline:
                raise InputError(f"{TABLE}: {pending.named!r:.80} was promoted again, and the server stays behind.")
            time.sleep(LOOK)
