"""The previous version can be brought back, and this was practised.

Why
    Rolling back is what a team does when everything else has failed. A procedure that was never tried is a hope: the
    old artefact may be pruned, the pointer may move and the server stay, the model may go back without its encoder.

Measured
    A drill, only where ``drill = true`` permits it: requests come in on a fixed schedule while the previous version is
    promoted and redeployed, until all answers are the old version's: in name, and in value on a pinned set of rows that
    the two versions answer differently: as kept, as a server of that version says, or as its model scores, where the
    server answers as the model in service does. Then the current version is put back. A journal, on disk before
    anything changes, lets the next run put back what a killed drill left.

Passes when
    the old version answers within ``max_seconds``, every row as it must; no more requests fail than the declared
    ``downtime_seconds`` allow; no answer is of neither version; and everything is restored.

If it fails
    Keep the artefacts of the versions that you may go back to; promote model, encoder and schema as one bundle; let the
    server follow the registry, or redeploy it in the same procedure; load the other version before the first is let go.

Options
    rows: 200, one quick request, and as many chances to differ. rate: 40 requests a second, so that a gap of 25 ms is
    seen and a staging server is not overrun. hold: 1 s of the old version's answers alone count as back: 40 of them,
    which one replica in ten that stays behind survives in one case of seventy. tolerance: 1e-6, what single-precision
    transport costs (as in monitor.3). slow_ms: 500, for the picture only.

Source
    Breck et al. 2017, Infra 7. Requests on a schedule: Tene 2013, "How NOT to measure latency" (coordinated omission).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from mltestscore import Finding, Series, Table, at_most, check, fault, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.inputs.rollback import Rollback
from mltestscore.rollback.drill import How, drilled
from mltestscore.rollback.record import Drill
from mltestscore.rollback.reference import questions
from mltestscore.rollback.tampering import planted
from mltestscore.rollback.words import by_second, cause, losses, steps

BACK = "roll-backs after which the old version did not answer"
SECONDS = "seconds until the old version answers"
DIFFER = "rows not answered as the old version answers them"
NEITHER = "answers of neither version while swapping"
FAILED = "requests that fail while swapping"
STALE = "servers that do not serve what the registry says"
RESTORED = "drills that were not put back"


@check("infra.7")
def check_rollback(
    rollback: Rollback,
    serving: Dataset | None = None,
    holdout: Dataset | None = None,
    model: Model | None = None,
    previous_model: Model | None = None,
    *,
    rows: int = 200,
    rate: float = 40.0,
    hold: float = 1.0,
    tolerance: float = 1e-6,
    slow_ms: float = 500.0,
) -> Iterator[Finding | Table | Series]:
    """Go back to the previous version while requests come in, look at the answers, and put everything back."""
    if (asked := questions(rollback, serving or holdout, model, previous_model, rows)) is None:
        yield undecided(BACK, "there are no rows to ask; offer serving or holdout, or write rows or answers")
        return
    drill = drilled(rollback, asked, How(rate, hold, tolerance))
    if drill.unable:
        yield undecided(BACK, drill.unable)
    elif drill.gone or drill.stale:
        yield at_most(BACK, int(bool(drill.gone)), 0, n=1, cause=drill.gone)
        yield at_most(STALE, int(bool(drill.stale)), 0, n=1, cause=drill.stale)
    else:
        yield from _findings(rollback, drill, rate)
        yield by_second(drill, slow_ms)
    yield steps(drill, asked.known_from)


def _findings(rollback: Rollback, drill: Drill, rate: float) -> Iterator[Finding]:
    back = drill.back_after
    yield at_most(BACK, int(back is None), 0, n=1, cause="" if back is not None else cause(drill))
    if back is not None:
        yield at_most(SECONDS, back, rollback.max_seconds, unit="s", n=len(drill.going_back))
    yield from _answers(drill)
    allowed = ceil(rollback.downtime_seconds * rate)
    for step, requests in (("going back", drill.going_back), ("putting back", drill.putting_back)):
        failed = sum(kind == "failed" for _, kind in requests)
        why = losses(drill, requests, rollback.serving.waits)
        note = f"{rollback.downtime_seconds:g} s without answers are declared"
        yield at_most(FAILED, failed, allowed, where=step, n=len(requests), cause=why, note=note)
    yield at_most(RESTORED, int(bool(drill.left)), 0, n=1, cause=drill.left)


def _answers(drill: Drill) -> Iterator[Finding]:
    known = drill.answers
    if known is None or known.old is None:
        yield undecided(DIFFER, drill.unsure)
        return
    pinned = len(known.differing)
    if not pinned:
        why = f"both versions answer all {len(known.new)} rows alike, so that nothing shows which of them answers"
        yield undecided(DIFFER, why)
        return
    kinds = [kind for _, kind in (*drill.going_back, *drill.putting_back)]
    note = f"{kinds.count('mixed')} more name another version than the one whose scores they are"
    yield at_most(NEITHER, kinds.count("neither"), 0, n=len(kinds), note=note)
    if drill.final is None:
        yield undecided(DIFFER, "the server gave no answers to compare after going back")
        return
    wrong = int(np.sum(~known.same(drill.final, known.old)))
    yield at_most(DIFFER, wrong, 0, n=len(known.new), note=f"the two versions answer {pinned} of them differently")


@fault(check_rollback, "the pointer moves and the server stays", caught_by=BACK)
def pointer_only(rollback: Rollback) -> dict[str, Rollback]:
    """As when an alias is moved and nobody redeploys."""
    return planted(rollback, "pointer only")


@fault(check_rollback, "the old artefact was deleted", caught_by=BACK)
def artefact_gone(rollback: Rollback) -> dict[str, Rollback]:
    """The server cannot load what it is told to."""
    return planted(rollback, "gone")


@fault(check_rollback, "the model goes back and its encoder stays", caught_by=DIFFER)
def encoder_stays(rollback: Rollback) -> dict[str, Rollback]:
    """One row in three of those that show the version is encoded by the other one."""
    return planted(rollback, "half", needs_answers=True)


@fault(check_rollback, "going back takes longer than declared", caught_by=SECONDS)
def too_slow(rollback: Rollback) -> dict[str, Rollback]:
    """The current version answers until the declared time is over."""
    return planted(rollback, "slow")


@fault(check_rollback, "the server refuses requests for a second longer than declared", caught_by=FAILED)
def closed_doors(rollback: Rollback) -> dict[str, Rollback]:
    """A restart without anything that answers meanwhile."""
    return planted(rollback, "failing")
