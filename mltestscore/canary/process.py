"""What is to be said of a team's process: the log of its roll-outs, its rule, the libraries that serve."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from mltestscore.canary import ramp
from mltestscore.canary.cases import BAD, SAME, cases, table
from mltestscore.canary.environment import compared
from mltestscore.canary.ramp import Rollout, Step
from mltestscore.canary.rule import decisions
from mltestscore.canary.shadow import Shadow
from mltestscore.details import Table
from mltestscore.errors import ConfigError, near
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.canary import Canary

FIRST = "roll-outs that begin with too much traffic"
SOAK = "steps up before the version was tried long enough"
WORSE = "steps up in spite of more errors"
UNLOGGED = "served versions that the log of roll-outs does not know"
PASSED = "bad candidates that the rule lets pass"
STOPPED = "sound candidates that the rule stops"
LIBRARIES = "libraries of another version than in training"
THIS = "this candidate"
_NUMBER = re.compile(r"^v(?:ersion)?[-_. ]?(?=\d)", re.IGNORECASE)  # what stands before the number of a version
_DIGITS = re.compile(r"\d+")
MEASURED = 1.05  # a share that was measured and not set may lie so far above the limit


@dataclass(frozen=True)
class Limits:
    """What a roll-out is held to: its first share, minutes between steps, how much more often a canary may err."""

    first_share: float
    soak_minutes: float
    error_ratio: float
    recent: int
    alpha: float


def ramped(canary: Canary, limits: Limits, served: str, published: Sequence[str]) -> Iterator[Finding | Table]:
    """Yield what the log of roll-outs shows; ``served`` is the version that answers now."""
    assert canary.ramp is not None  # only asked where a log is offered
    log = canary.ramp
    names, known = canary.recall("ramp", lambda: (ramp.versions_in(log), ramp.rollouts(log)))
    found = known[-limits.recent :]
    if not found:
        yield undecided(FIRST, "the log holds no roll-out: no version begins in it", n_to_settle=1)
        return
    if canary.tampering == "at once":
        found[-1] = found[-1].at_once()
    large = [f"{one.version} begins with {one.steps[0].share:.3g}" for one in found
             if one.steps[0].share > MEASURED * limits.first_share]  # fmt: skip
    yield at_most(FIRST, len(large), 0, n=len(found), cause="; ".join(large)[:300])
    rises = [(one, before, after) for one in found for before, after in one.rises]
    short = [_step(one, before, after) for one, before, after in rises if (before.minutes or 0) < limits.soak_minutes]
    yield at_most(SOAK, len(short), 0, n=len(rises), cause="; ".join(short)[:300])
    yield from _in_spite_of_errors(rises, limits)
    unlogged = _unlogged(served, names, set(published))
    if unlogged is not None:
        yield at_most(UNLOGGED, int(unlogged), 0, n=1, cause=served[:100] if unlogged else "")
    columns = ["version", "step", "share", "from", "minutes", "requests", "errors", "errors beside it"]
    rows = [_row(one, number, step) for one in reversed(found) for number, step in enumerate(one.steps, 1)]
    yield Table("Roll-outs", columns, rows)


def _unlogged(served: str, logged: Set[str], published: Set[str]) -> bool | None:
    """Say whether the log lacks the served version; ``None`` where the server names its versions in another way.

    Triton and TensorFlow Serving know whole numbers only: their 2 is the v2 of a registry.

    >>> _unlogged("2", {"v1", "v2"}, {"v2"}), _unlogged("v3", {"v2"}, {"v2"}), _unlogged("1700", {"v2"}, {"v2"})
    (False, True, None)
    """
    if not served or not logged & published:
        return None
    if _NUMBER.sub("", served) in {_NUMBER.sub("", one) for one in logged}:
        return False
    forms = {_DIGITS.sub("0", one) for one in logged | published}
    return True if served in published or _DIGITS.sub("0", served) in forms else None


def _in_spite_of_errors(rises: Sequence[tuple[Rollout, Step, Step]], limits: Limits) -> Iterator[Finding]:
    alpha = limits.alpha / max(1, len(rises))
    known = [(one, before, after, before.worse(limits.error_ratio, alpha)) for one, before, after in rises]
    judged = [one for one in known if one[3] is not None]
    if judged:
        worse = [_step(one, before, after) for one, before, after, shown in judged if shown]
        yield at_most(WORSE, len(worse), 0, n=len(judged), cause="; ".join(worse)[:300])


def _step(one: Rollout, before: Step, after: Step) -> str:
    text = f"{one.version:.80} from {before.share:.3g} to {after.share:.3g} after {before.minutes:.3g} minutes"
    if before.canary is None or before.served is None:
        return text
    return f"{text}, errors {before.canary.rate:.2%} beside {before.served.rate:.2%}"


def _row(one: Rollout, number: int, step: Step) -> tuple[str | int | float | None, ...]:
    ours, theirs = step.canary, step.served
    return (
        one.version[:80], number, round(step.share, 4), step.start.isoformat(),
        None if step.minutes is None else round(step.minutes, 1), None if ours is None else int(ours.requests.sum()),
        None if ours is None else round(ours.rate, 5), None if theirs is None else round(theirs.rate, 5),
    )  # fmt: skip


def ruled(canary: Canary, found: Shadow | None, must_block: Sequence[str]) -> Iterator[Finding | Table]:
    """Yield what the team's rule says of candidates of known worth, made from the served model's answers.

    Raises :class:`ConfigError` for a kind of bad candidate that does not exist.
    """
    for name in must_block:
        if name not in BAD:
            raise ConfigError(f'checks."infra.6".must_block names {name!r:.80}.{near(name, BAD)}')
    if found is None or found.served is None or not len(found.served):
        yield undecided(PASSED, "the rule needs answers of the served model to judge: offer endpoint and serving data")
        return
    tables = cases(found, tuple(must_block))
    if found.candidate is not None:
        tables[THIS] = table(found.served, found.candidate, None if found.requests.label is None
                             else found.requests.label)  # fmt: skip
    said = decisions(canary, tables)
    missed = [name for name in must_block if said[name]]
    yield at_most(PASSED, len(missed), 0, n=len(must_block), cause=", ".join(missed))
    yield at_most(STOPPED, int(not said[SAME]), 0, n=1)
    rows = [(name, len(tables[name]), "goes on" if goes else "stops") for name, goes in said.items()]
    yield Table("What the team's rule says", ["candidate", "requests", "the roll-out"], rows)


def served_by(canary: Canary) -> Iterator[Finding | Table]:
    """Yield which libraries the serving environment has in another version than the training had."""
    assert canary.environments is not None  # only asked where both are offered
    environments = canary.environments
    libraries = canary.recall("libraries", lambda: compared(environments))
    if canary.tampering == "behind":
        libraries = [libraries[0].behind(), *libraries[1:]]
    rows = [(one.name, one.trained, one.served or "(not there)", not one.differs) for one in libraries]
    other = [f"{one.name} {one.trained} → {one.served or 'none'}" for one in libraries if one.differs]
    yield at_most(LIBRARIES, len(other), 0, n=len(libraries), cause=", ".join(other)[:300])
    yield Table("Libraries", ["library", "training", "serving", "agree"], rows)
