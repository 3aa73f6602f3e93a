"""Faults of a roll-back, planted in the record of a real drill: what it would have seen of a system that has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from mltestscore.errors import NotOffered
from mltestscore.inputs.rollback import Rollback
from mltestscore.rollback.record import Answers, Drill
from mltestscore.rollback.traffic import Request

REFUSED = "HTTP status 500: the artefact of the previous version cannot be loaded"


def planted(rollback: Rollback, fault: str, *, needs_answers: bool = False) -> dict[str, Rollback]:
    """Return the drill with a fault in it; raises :class:`NotOffered` where the real drill saw too little for it."""
    drill: Drill | None = rollback.memory.get("last")
    if drill is None or drill.answers is None or drill.unable or drill.stale:
        raise NotOffered("rollback", "a drill that could begin")
    if needs_answers and not len(drill.answers.differing):
        raise NotOffered("rollback", "rows that the versions answer differently")
    return {"rollback": rollback.replace(tampering=fault)}


def _kept(_: Rollback, drill: Drill) -> Drill:
    return drill


def _pointer_only(_: Rollback, drill: Drill) -> Drill:
    """The registry names the old version, and the server goes on with the one that it has."""
    answers = _known(drill)

    def stays(one: Request) -> Request:
        return replace(one, scores=answers.new[one.row], version=answers.named, error="")

    return replace(drill, requests=_between(drill, stays), final=answers.new, trouble="")


def _gone(_: Rollback, drill: Drill) -> Drill:
    """The server cannot load the old version, and answers nothing until the current one is back."""
    requests = _between(drill, lambda one: replace(one, scores=None, version="", error=REFUSED))
    return replace(drill, requests=requests, final=None, trouble=REFUSED)


def _half(_: Rollback, drill: Drill) -> Drill:
    """The model goes back, its encoder does not: the rows on which encoders differ get answers of neither version."""
    answers = _known(drill)
    if answers.old is None:
        return drill
    wrong = answers.old.copy()
    wrong[answers.differing[::3]] = (answers.old + 2 * answers.new)[answers.differing[::3]] / 3

    def encoded(one: Request) -> Request:
        return replace(one, scores=wrong[one.row]) if answers.kind(one) == "old" else one

    return replace(drill, requests=_between(drill, encoded), final=wrong)


def _slow(rollback: Rollback, drill: Drill) -> Drill:
    """The old version is back later than declared; until then the current one answers."""
    answers, late = _known(drill), rollback.max_seconds
    before = [one for one in drill.requests if one.ended <= drill.began]
    later = [replace(one, at=one.at + late) for one in drill.requests if one.ended > drill.began]
    source = next(one for one in drill.requests if answers.kind(one) == "new")
    times = np.linspace(drill.began, drill.began + late, 50, endpoint=False)
    waiting = [replace(source, at=float(at)) for at in times]
    return replace(drill, requests=[*before, *waiting, *later], restoring=drill.restoring + late)


def _failing(rollback: Rollback, drill: Drill) -> Drill:
    """The server closes its doors while it swaps, for a second longer than declared."""
    closed = 1.05 * rollback.downtime_seconds + 1.0
    before = [one for one in drill.requests if one.ended <= drill.began]
    later = [replace(one, at=one.at + closed) for one in drill.requests if one.ended > drill.began]
    times = np.arange(drill.began, drill.began + closed, 1 / _rate(drill.requests))
    failed = [Request(float(at), 0.001, 0, None, error="connection refused") for at in times]
    return replace(drill, requests=[*before, *failed, *later], restoring=drill.restoring + closed)


def _rate(requests: Sequence[Request]) -> float:
    """Return the requests a second of the schedule, at least one."""
    if len(requests) < 2 or requests[-1].at <= requests[0].at:
        return 1.0
    return max(1.0, (len(requests) - 1) / (requests[-1].at - requests[0].at))


def _known(drill: Drill) -> Answers:
    assert drill.answers is not None  # faults are planted in drills that could begin
    return drill.answers


def _between(drill: Drill, change: Callable[[Request], Request]) -> list[Request]:
    """Return the requests, those from going back until putting back changed."""
    return [change(one) if drill.began < one.ended <= drill.restoring else one for one in drill.requests]


TAMPERING: dict[str, Callable[[Rollback, Drill], Drill]] = {
    "": _kept,
    "pointer only": _pointer_only,
    "gone": _gone,
    "half": _half,
    "slow": _slow,
    "failing": _failing,
}
